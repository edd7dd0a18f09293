"""Results that decorators keep: no proof finds one, and none leaves one behind."""

import functools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import legr
from legr.structure.caches import without_caches
from legr.structure.counters import count

IMAGE = torch.zeros(1, 3, 8, 8)


class Base(nn.Module):
    """conv 3 -> 8, times something, conv 8 -> 6, linear: 14 units."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 6, 1), nn.Linear(6, 2)

    def factor(self, size: int) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.head(self.b(x * self.factor(x.shape[-1])).relu().mean((2, 3)))


class OfMethod(Base):
    @functools.lru_cache(maxsize=4)  # noqa: B019
    def factor(self, size: int) -> Tensor:
        return torch.linspace(0.5, 1, size)


class OfStaticMethod(Base):
    @staticmethod
    @functools.cache
    def factor(size: int) -> Tensor:  # type: ignore[override]
        return torch.linspace(0.5, 1, size)


@functools.cache
def ramp(size: int) -> Tensor:
    """Calls itself twice: without a memory it takes 2 ** size calls."""
    if size < 2:
        return torch.ones(size)
    return torch.cat((ramp(size - 1), ramp(size - 1)[-1:] + 1))


class OfFunction(Base):
    def factor(self, size: int) -> Tensor:
        return ramp(size)


class Cleared(OfMethod):
    def train(self, mode: bool = True) -> "Cleared":
        type(self).factor.cache_clear()
        return super().train(mode)


class OfProperty(Base):
    @functools.cached_property
    def gains(self) -> Tensor:
        return self.a.bias.detach().view(-1, 1, 1) + 0  # type: ignore[union-attr]

    def factor(self, size: int) -> Tensor:
        return self.gains


CACHED = (OfMethod, OfStaticMethod, OfFunction, Cleared, OfProperty)


@pytest.mark.parametrize("kind", CACHED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("used", ["never", "before", "between"])
def test_a_result_that_is_kept_holds_nothing(kind: type[Base], used: str) -> None:
    torch.manual_seed(0)
    model = kind().eval()
    if used == "before":
        model(IMAGE)
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == 14
    assert legr.verify(model, structure, IMAGE) < 1e-12
    if used == "between":
        model(IMAGE)
    smaller = legr.prune(model, structure, legr.Keep(np.arange(14) % 2 == 0))
    assert smaller(IMAGE).shape == (1, 2)
    count(model, IMAGE)
    model(IMAGE).sum().backward()  # no result without gradients was left behind
    assert model.a.weight.grad is not None


def test_caches_are_as_before() -> None:
    model, cached = OfFunction(), ramp
    ramp.cache_clear()
    model(IMAGE)
    before = ramp.cache_info()
    structure = legr.trace(model, IMAGE)
    legr.verify(model, structure, IMAGE)
    assert ramp is cached and ramp.cache_info() == before
    with pytest.raises(ZeroDivisionError), without_caches(model):
        assert ramp is not cached and len(ramp(30)) == 30
        raise ZeroDivisionError
    assert ramp is cached and ramp.cache_info() == before


def test_what_keeps_results_in_its_own_way_is_named() -> None:
    results: dict[int, Tensor] = {}

    class OfClosure(Base):
        def factor(self, size: int) -> Tensor:
            if id(self) not in results:
                results[id(self)] = torch.linspace(0.5, 1, size) + 0
            return results[id(self)]

    structure = legr.trace(OfClosure(), IMAGE)
    assert structure.n_units == 0
    reasons = {remark.reason for remark in structure.unprunable}
    assert any(
        "from one run to the next: the forward takes another way there (at mul)" in reason for reason in reasons
    ), reasons
