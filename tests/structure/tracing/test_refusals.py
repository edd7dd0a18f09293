"""Forwards that cannot be followed everywhere: what is unprunable instead, and what is refused in one sentence."""

import pytest
import torch
from torch import Tensor, nn

import legr
from tests.nets import example


class Body(nn.Module):
    """conv 3 -> 8, something, conv 8 -> 4, mean."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 4, 1)


class ByValue(Body):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x * 2 if x.sum() > 0 else x).mean((2, 3))


class ByShape(Body):
    """The number of channels decides which way the forward takes, in a module of its own and at the top."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x.relu() if x.shape[1] == 8 else x.sigmoid()).mean((2, 3))


class Inner(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if x.shape[1] == 8 else x.sigmoid()


class ByShapeInside(Body):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.inner(self.a(x))).mean((2, 3))


class HardWidth(Body):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8 * 64, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.a(x).view(-1, 8 * 64))


class Drawn(Body):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x + torch.rand_like(x)).mean((2, 3))


@pytest.mark.parametrize("kind", [ByValue, ByShapeInside, HardWidth, Drawn, ByShape], ids=lambda kind: kind.__name__)
def test_what_does_not_survive_is_held_and_named(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = kind()
    structure = legr.trace(model, example())
    assert structure.n_units == 0
    assert any(remark.channels == 8 for remark in structure.unprunable), structure.unprunable


class Nothing(nn.Module):
    def forward(self, x: Tensor) -> str:
        return "done"


class Picky(nn.Module):
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x * mask


def test_what_cannot_be_traced_is_one_sentence() -> None:
    with pytest.raises(legr.TraceError, match="returns no tensor"):
        legr.trace(Nothing(), example())
    with pytest.raises(legr.TraceError, match=r"forward fails on an input of shape \(1, 3, 8, 8\)"):
        legr.trace(Picky(), example())


class Many(nn.Module):
    """Two inputs in a dict and a tensor, outputs in a dict of lists."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.head = nn.Conv2d(3, 6, 1), nn.Conv2d(1, 6, 1), nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor, more: dict[str, Tensor]) -> dict[str, list[Tensor]]:
        joined = self.left(x) + self.right(more["depth"])
        return {"maps": [self.head(joined), joined.amax((2, 3))[:, :0]]}


def test_several_inputs_and_outputs() -> None:
    model, inputs = Many(), (torch.zeros(1, 3, 5, 7), {"depth": torch.zeros(1, 1, 5, 7)})
    structure = legr.trace(model, inputs)
    assert structure.input_shapes == ((1, 3, 5, 7), (1, 1, 5, 7))
    assert structure.n_units == 6
    assert legr.verify(model, structure, inputs) < 1e-12
