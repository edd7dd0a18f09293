"""Random small networks: whatever operations they are made of, zeroed = removed and predicted = counted."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.structure.copies import at_least_one
from legr.structure.counters import count

pytestmark = pytest.mark.slow

SIZE = 6
Maker = Callable[[st.DataObject, int], tuple[nn.Module, int]]


class Apply(nn.Module):
    """A function of x and of its parts."""

    def __init__(self, function: Callable[..., Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.parts)


def width(data: st.DataObject, step: int = 1) -> int:
    return data.draw(st.integers(1, 6)) * step


def plain(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    out = width(data)
    return nn.Conv2d(c, out, 3, padding=1, bias=data.draw(st.booleans())), out


def divisor(data: st.DataObject, c: int) -> int:
    return data.draw(st.sampled_from([g for g in range(1, c + 1) if c % g == 0]))


def grouped(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    groups = divisor(data, c)
    out = groups * data.draw(st.integers(1, 3))
    return nn.Conv2d(c, out, 1, groups=groups), out


def transposed(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    groups = divisor(data, c)
    out = groups * data.draw(st.integers(1, 3))
    return nn.ConvTranspose2d(c, out, 3, padding=1, groups=groups), out


def norm(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    groups = divisor(data, c)
    kinds = [nn.BatchNorm2d(c), nn.GroupNorm(groups, c), nn.InstanceNorm2d(c), nn.InstanceNorm2d(c, affine=True)]
    return data.draw(st.sampled_from(kinds)), c


def activation(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    kinds = [nn.ReLU(), nn.SiLU(), nn.Hardswish(), nn.Sigmoid(), nn.PReLU(c), nn.GELU(), nn.Dropout(0.3)]
    return data.draw(st.sampled_from(kinds)), c


def residual(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    inner = width(data)
    parts = nn.Conv2d(c, inner, 1), nn.Conv2d(inner, c, 3, padding=1)
    return Apply(lambda x, a, b: x + b(torch.relu(a(x))), *parts), c


def gate(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    inner = width(data)
    parts = nn.Conv2d(c, inner, 1), nn.Conv2d(inner, c, 1)
    return Apply(lambda x, a, b: x * torch.sigmoid(b(torch.relu(a(x.mean((2, 3), keepdim=True))))), *parts), c


def beside(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    left, right = width(data), width(data)
    parts = nn.Conv2d(c, left, 1), nn.Conv2d(c, right, 1)
    return Apply(lambda x, a, b: torch.cat((a(x), x, b(x)), 1), *parts), left + c + right


def halves(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    if c % 2:
        return nn.Identity(), c
    part = nn.Conv2d(c // 2, c // 2, 1)

    def body(x: Tensor, part: nn.Module) -> Tensor:
        left, right = x.chunk(2, 1)
        return torch.cat((left, part(right)), 1)

    return Apply(body, part), c


def cut(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    bound = data.draw(st.integers(1, c))
    return Apply(lambda x: x[:, :bound]), bound


def padded(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    front, back = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))
    return Apply(lambda x: F.pad(x, (0, 0, 0, 0, front, back))), c + front + back


def moved(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    functions = [
        lambda x: x.flip(1),
        lambda x: torch.roll(x, 1, 2),
        lambda x: x.flip(1) + x,
        lambda x: F.interpolate(F.max_pool2d(x, 2), size=(SIZE, SIZE)),
        lambda x: F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1),
        lambda x: torch.stack((x, x * 2)).sum(0),
        lambda x: x / 2 + x**2,
    ]
    return Apply(data.draw(st.sampled_from(functions))), c


def repeated(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    return Apply(lambda x: x.repeat(1, 2, 1, 1)), 2 * c


def shuffled(data: st.DataObject, c: int) -> tuple[nn.Module, int]:
    groups = divisor(data, c)

    def body(x: Tensor) -> Tensor:
        n, wide, h, w = x.shape
        return x.view(n, groups, wide // groups, h, w).transpose(1, 2).reshape(n, wide, h, w)

    return Apply(body), c


MAKERS: tuple[Maker, ...] = (
    *(plain, plain, grouped, transposed, norm, activation, residual, gate, beside, halves),
    *(cut, padded, moved, repeated, shuffled),
)


EXHAUSTIVE = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))  # others in every run


@settings(EXHAUSTIVE, max_examples=30, derandomize=True)
@given(st.data())
def test_whatever_it_is_made_of(data: st.DataObject) -> None:
    prove(data)


@pytest.mark.thorough
@EXHAUSTIVE
@given(st.data())
def test_many_more(data: st.DataObject) -> None:
    prove(data)


def prove(data: st.DataObject) -> None:
    """Draw a network, and compare zeroed with removed and predicted with counted."""
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    channels, blocks = 3, []
    copies = True
    for maker in [plain, *data.draw(st.lists(st.sampled_from(MAKERS), min_size=1, max_size=6))]:
        block, channels = maker(data, channels)
        copies &= maker is not shuffled  # whether a reshape copies may depend on how many channels there are
        blocks.append(block)
    model = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d((1, 2)), nn.Flatten(), nn.Linear(2 * channels, 3)).eval()
    note(str(model))
    image = torch.zeros(1, 3, SIZE, SIZE)
    structure = legr.trace(model, image)
    assert legr.verify(model, structure, image) < 1e-9
    rng = np.random.default_rng(0)
    for share in (0.3, 0.6, 0.9) if structure.n_units else ():
        keep = legr.Keep(at_least_one(structure, rng.random(structure.n_units) < share))
        counted, predicted = count(legr.prune(model, structure, keep), image), legr.cost(structure, keep)
        assert (counted.macs, counted.params) == (predicted.macs, predicted.params)
        assert counted.activation == predicted.activation or not copies
