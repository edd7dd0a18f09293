"""What no example reaches and has no parameters: plain tensors, modules that cut channels in pieces, own code."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import legr
from legr.structure.copies import at_least_one
from legr.structure.unprunable import unreached_note
from tests.nets import make

_IMAGE = torch.zeros(1, 3, 8, 8)


class Base(nn.Module):
    """conv 3 -> 16 -> 18 -> 20 -> linear 4; what a subclass adds runs only where `self.extra` is set."""

    extra = False

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 18, 3, padding=1), nn.Conv2d(18, 20, 1)
        self.head = nn.Linear(20, 4)
        self.build()

    def build(self) -> None: ...

    def forward(self, x: Tensor) -> Any:
        a = self.a(x).relu()
        return self.more(a) if self.extra else self.end(a)

    def end(self, a: Tensor) -> Tensor:
        return self.head(self.c(self.b(a).relu()).relu().mean((2, 3)))

    def more(self, a: Tensor) -> Any:
        return self.end(a)


class Scaled(Base):
    def build(self) -> None:
        self.scale = torch.ones(1, 16, 1, 1)

    def more(self, a: Tensor) -> Any:
        return self.end(a * self.scale)


class ScaledByOneOfSeveral(Base):
    def build(self) -> None:
        self.scales = {"wide": [torch.ones(1, 18, 1, 1)], "narrow": [torch.ones(1, 16, 1, 1)]}

    def more(self, a: Tensor) -> Any:
        return self.end(a * self.scales["narrow"][0])


class Picked(Base):
    def build(self) -> None:
        self.index = torch.arange(16)

    def more(self, a: Tensor) -> Any:
        return self.end(a[:, self.index])


class Normed(Base):
    def build(self) -> None:
        self.up = nn.Sequential(nn.InstanceNorm2d(16), nn.PixelShuffle(2))

    def more(self, a: Tensor) -> Any:
        return self.up(a)


class PixelsShuffled(Base):
    def build(self) -> None:
        self.up = nn.PixelShuffle(2)

    def more(self, a: Tensor) -> Any:
        return self.up(a)


class Up(nn.Module):
    """A convolution makes what is shuffled."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.shuffle = nn.Conv2d(16, 24, 1), nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(self.conv(x))


class OwnPixelsShuffled(PixelsShuffled):
    def build(self) -> None:
        self.up = Up()


class ChannelsShuffled(PixelsShuffled):
    def build(self) -> None:
        self.up = nn.ChannelShuffle(8)


class Unflattened(PixelsShuffled):
    def build(self) -> None:
        self.up = nn.Unflatten(1, (2, 8))


class Gated(PixelsShuffled):
    def build(self) -> None:
        self.up = nn.GLU(1)


class Features(Base):
    """Keeps what it computes: no constant, even where a former run has left some behind."""

    def build(self) -> None:
        self.last, self.last_in_training = torch.zeros(0), torch.zeros(0)

    def end(self, a: Tensor) -> Tensor:
        self.last = a
        self.last_in_training = a if self.training else self.last_in_training
        return super().end(a)


class Constant(Base):
    """A plain tensor that the example reaches holds what it meets, and nothing else of this size."""

    def build(self) -> None:
        self.scale = torch.linspace(0, 1, 18).view(-1, 1, 1)
        self.d, self.head = nn.Conv2d(20, 18, 1), nn.Linear(18, 4)

    def end(self, a: Tensor) -> Tensor:
        return self.head(self.d(self.c(self.b(a) * self.scale).relu()).relu().mean((2, 3)))


ALL = {"a", "b", "c"}
FREE = {  # layers whose filters may leave
    Scaled: {"b", "c"},
    ScaledByOneOfSeveral: {"c"},
    Picked: {"b", "c"},
    Normed: {"b", "c"},
    PixelsShuffled: {"b"},  # 16 and 20 are multiples of 4
    OwnPixelsShuffled: {"b", "c"},  # 24 is one as well, and next to it
    ChannelsShuffled: {"b", "c"},
    Unflattened: {"b", "c"},
    Gated: set(),
    Features: ALL,
    Constant: {"a", "c", "d"},
}


@pytest.mark.parametrize("kind", FREE, ids=lambda kind: kind.__name__)
def test_what_tensors_and_modules_without_parameters_could_read_stays(kind: type[Base]) -> None:
    model = make(kind)
    model(torch.randn(2, 3, 8, 8))
    structure = legr.trace(model, _IMAGE)
    assert {layer.name for layer in structure.layers} == FREE[kind]
    assert legr.verify(model, structure, _IMAGE) < 1e-12
    assert bool(unreached_note(structure.unprunable)) == (kind not in (Features, Constant))
    smaller = legr.prune(model, structure, _one_unit_a_layer(structure))
    model.extra = smaller.extra = True  # type: ignore[assignment]
    assert smaller(torch.randn(2, 3, 8, 8)).shape == model(torch.randn(2, 3, 8, 8)).shape


class Viewing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, 4, 4, 4, 4)


class Around(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.act = Viewing(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.inner(x))


class Holder(nn.Module):
    """Never called itself."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()


class WithLayer(Around):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(16, 4, 1)


def test_code_that_no_example_runs_is_named_once() -> None:
    class Net(Base):
        def build(self) -> None:
            self.view, self.branch = Viewing(), nn.Sequential(nn.ReLU(), Around())
            self.layer, self.plain, self.sizes = WithLayer(), nn.Sequential(nn.ReLU(), nn.Flatten()), nn.ModuleList()

    remarks = legr.trace(make(Net), _IMAGE).unprunable
    code = [(remark.module, remark.channels) for remark in remarks if remark.operation == "unreached code"]
    assert code == [("view", 0), ("branch.1", 0)]  # what is in `layer` has its place beside a convolution
    note = unreached_note(remarks)
    assert note.startswith("The example does not reach layer.conv, which could read")
    assert note.endswith("The example does not reach view and branch.1, so nothing is known about what its code reads.")


def test_code_of_which_a_part_runs_is_not_named() -> None:
    """A module whose parts are called by others, and one whose weight is read from outside."""

    class Net(Base):
        def build(self) -> None:
            self.holder, self.weighted = Holder(), WithLayer()

        def end(self, a: Tensor) -> Tensor:
            a = self.holder.act(a)
            conv = self.weighted.conv
            return super().end(a) + nn.functional.conv2d(a, conv.weight, conv.bias).mean((2, 3))

    structure = legr.trace(make(Net), _IMAGE)
    assert not unreached_note(structure.unprunable)
    assert {layer.name for layer in structure.layers} == ALL


def _one_unit_a_layer(structure: legr.Structure) -> legr.Keep:
    return legr.Keep(at_least_one(structure, np.zeros(structure.n_units, dtype=bool)))
