"""Layers that the example does not reach: what they could read stays, so that a pruned network runs them too."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.models.zoo import build_model
from legr.structure.copies import at_least_one
from legr.structure.types import Keep
from tests.nets import make

_IMAGE = torch.zeros(1, 3, 8, 8)


class Base(nn.Module):
    """conv 3 -> 16 -> 24 -> 28 -> linear 4; what a subclass adds runs only where `self.extra` is set."""

    extra = False

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 24, 3, padding=1), nn.Conv2d(24, 28, 1)
        self.head = nn.Linear(28, 4)
        self.build()

    def build(self) -> None: ...

    def forward(self, x: Tensor) -> Any:
        a = self.a(x).relu()
        b = self.b(a).relu()
        if self.extra:
            return self.more(x, a, b)
        return self.end(b)

    def end(self, b: Tensor) -> Tensor:
        return self.head(self.c(b).relu().mean((2, 3)))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        raise NotImplementedError


class Head(Base):
    def build(self) -> None:
        self.aux = nn.Conv2d(16, 4, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(a)


class Added(Base):
    """Reads one stream and is added to another: both stay."""

    def build(self) -> None:
        self.skip = nn.Conv2d(16, 24, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(b + self.skip(a))


class ReadsTheImage(Base):
    def build(self) -> None:
        self.low = nn.Conv2d(3, 5, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.low(x)


class Flattened(Base):
    """A linear layer over 16 channels at 4 x 4 positions."""

    def build(self) -> None:
        self.aux = nn.Linear(16 * 4 * 4, 5)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(a.flatten(1))


class PooledAndFlattened(Base):
    """As above after a pooling to 3 x 3, which no activation has."""

    def build(self) -> None:
        self.aux = nn.Linear(16 * 9, 5)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(F.adaptive_avg_pool2d(a, 3).flatten(1))


class Joined(Base):
    """A convolution over two streams, one after the other: 16 and 24 are the widths that make up 40."""

    def build(self) -> None:
        self.aux = nn.Conv2d(40, 5, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(torch.cat((a, b), 1))


class JoinedOfManyParts(Base):
    """Nothing explains 53 channels (16 + 24 + 3 + 10), so everything stays."""

    def build(self) -> None:
        self.aux = nn.Conv2d(53, 5, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(torch.cat((a, b, F.interpolate(x, 4), b[:, :10]), 1))


class JoinedToItself(Base):
    """48 channels are 24 twice, and the layer returns as many: that does not explain what it reads."""

    def build(self) -> None:
        self.aux = nn.Sequential(nn.Conv2d(48, 48, 1), nn.BatchNorm2d(48), nn.Conv2d(48, 48, 1))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(torch.cat((b, b), 1))


class JoinedToOwn(Base):
    """A stream together with what another unreached layer made of the image."""

    def build(self) -> None:
        self.low, self.aux = nn.Conv2d(3, 10, 3, 2, 1), nn.Conv2d(26, 5, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(torch.cat((self.low(x), a), 1))


class TwoOfOneSize(Base):
    """40 channels are those of a layer, and of two streams together."""

    def build(self) -> None:
        self.c, self.d, self.head = nn.Conv2d(24, 28, 1), nn.Conv2d(28, 40, 1), nn.Linear(40, 4)
        self.aux = nn.Conv2d(40, 5, 1)

    def end(self, b: Tensor) -> Tensor:
        return self.head(self.d(self.c(b).relu()).relu().mean((2, 3)))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(torch.cat((a, b), 1))


class LayerNormedWithoutAffine(Base):
    def build(self) -> None:
        self.norm = nn.LayerNorm(16, elementwise_affine=False)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.norm(a.flatten(2).mT)


class Buffered(Base):
    """A buffer of the model itself, which only that branch reads."""

    def build(self) -> None:
        self.register_buffer("shift", torch.zeros(1, 16, 1, 1))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(a + self.shift))


class RecurrentOverColumns(Base):
    """Each column of 16 channels at 4 positions is one input, as in networks that read text."""

    def build(self) -> None:
        self.rnn = nn.GRU(16 * 4, 5, batch_first=True)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.rnn(a.permute(0, 3, 1, 2).flatten(2))[0]


class Normed(Base):
    def build(self) -> None:
        self.norm = nn.BatchNorm2d(16)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(self.norm(a)))


class NormedWithoutAffine(Base):
    def build(self) -> None:
        self.norm = nn.BatchNorm2d(16, affine=False)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(self.norm(a)))


class GroupNormed(Base):
    def build(self) -> None:
        self.norm = nn.GroupNorm(2, 16)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(self.norm(a)))


class Grouped(Base):
    def build(self) -> None:
        self.aux = nn.Conv2d(16, 16, 3, padding=1, groups=16)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(a)


class Transposed(Base):
    def build(self) -> None:
        self.up = nn.ConvTranspose2d(16, 5, 2, 2)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.up(a)


class Attending(Base):
    def build(self) -> None:
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        tokens = a.flatten(2).mT
        return self.attention(tokens, tokens, tokens)[0]


class Recurrent(Base):
    def build(self) -> None:
        self.rnn = nn.GRU(16, 5, batch_first=True)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.rnn(a.flatten(2).mT)[0]


class Conditioned(Base):
    """An embedding of a class is added to a stream."""

    def build(self) -> None:
        self.of_class = nn.Embedding(7, 16)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(a + self.of_class(torch.zeros(len(x), dtype=torch.long))[:, :, None, None]))


class Scaled(Base):
    def build(self) -> None:
        self.scale = nn.Parameter(torch.ones(1, 16, 1, 1))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(a * self.scale))


class Projected(Base):
    def build(self) -> None:
        self.projection = nn.Parameter(torch.randn(16, 5))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return a.mean((2, 3)) @ self.projection


class OneOfSeveral(Base):
    def build(self) -> None:
        self.stages = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(3))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.end(self.b(self.stages[2](a)))


class TiedTo(Base):
    """Its weight is that of a layer which is reached, and it reads another stream of the same width."""

    def build(self) -> None:
        self.other, self.c = nn.Conv2d(24, 28, 1, bias=False), nn.Conv2d(24, 28, 1, bias=False)
        self.other.weight, self.d = self.c.weight, nn.Conv2d(16, 24, 1)

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.other(self.d(a))


class InARow(Base):
    """Inside a sequence of layers 28 channels go from one to the next, which nothing else reads."""

    def build(self) -> None:
        self.aux = nn.Sequential(nn.Conv2d(16, 28, 1), nn.BatchNorm2d(28), nn.ReLU(), nn.Conv2d(28, 4, 1))

    def more(self, x: Tensor, a: Tensor, b: Tensor) -> Any:
        return self.aux(a)


ALL = {"a", "b", "c"}
FREE = {  # layers whose filters may leave
    Head: {"b", "c"},
    Added: {"c"},
    ReadsTheImage: ALL,
    Flattened: {"b", "c"},
    PooledAndFlattened: {"c"},  # 16 and 24 divide 144
    Joined: {"c"},
    JoinedOfManyParts: set(),
    JoinedToItself: {"a", "c"},
    JoinedToOwn: {"b", "c"},
    TwoOfOneSize: {"c"},
    LayerNormedWithoutAffine: {"b", "c"},
    Buffered: {"b", "c"},
    RecurrentOverColumns: {"b", "c"},
    Normed: {"b", "c"},
    NormedWithoutAffine: {"b", "c"},
    GroupNormed: {"b", "c"},
    Grouped: {"b", "c"},
    Transposed: {"b", "c"},
    Attending: {"b", "c"},
    Recurrent: {"b", "c"},
    Conditioned: {"b", "c"},
    Scaled: {"b", "c"},
    Projected: {"b", "c"},
    OneOfSeveral: {"b", "c"},
    TiedTo: set(),
    InARow: {"b", "c"},
}


@pytest.mark.parametrize("kind", FREE, ids=lambda kind: kind.__name__)
def test_what_an_unreached_layer_could_read_stays(kind: type[Base]) -> None:
    model = make(kind)
    structure = legr.trace(model, _IMAGE)
    assert {layer.name for layer in structure.layers} == FREE[kind]
    assert legr.verify(model, structure, _IMAGE) < 1e-12
    said = {remark.module for remark in structure.unprunable if remark.operation == "unreached"}
    assert bool(said) == (kind is not ReadsTheImage)
    smaller = legr.prune(model, structure, _one_unit_a_layer(structure))
    model.extra = smaller.extra = True  # type: ignore[assignment]
    assert smaller(torch.randn(2, 3, 8, 8)).shape == model(torch.randn(2, 3, 8, 8)).shape


def test_an_example_that_reaches_a_layer_frees_what_it_reads() -> None:
    class BySize(Base):
        def build(self) -> None:
            self.aux = nn.Conv2d(16, 24, 1)

        def forward(self, x: Tensor) -> Any:
            a = self.a(x).relu()
            return self.head(self.c((self.b if x.shape[-1] < 16 else self.aux)(a)).mean((2, 3)))

    model, larger = make(BySize), torch.zeros(1, 3, 16, 16)
    alone, both = legr.trace(model, _IMAGE), legr.trace(model, _IMAGE, examples=[larger])
    assert {layer.name for layer in alone.layers} == {"c"}
    assert {layer.name for layer in both.layers} == {"a", "b", "c", "aux"}
    assert not any(remark.operation == "unreached" for remark in both.unprunable)
    assert legr.verify(model, both, _IMAGE, examples=[larger]) < 1e-12


def test_a_pass_in_training_mode_that_fails_half_way_leaves_nothing_behind() -> None:
    """Its first auxiliary layer was read before targets were missed; both heads hold what they read."""

    class NeedsTargets(Base):
        def build(self) -> None:
            self.aux, self.last = nn.Conv2d(16, 20, 1), nn.Conv2d(20, 4, 1)

        def forward(self, x: Tensor, targets: Tensor | None = None) -> Any:
            a = self.a(x).relu()
            logits = self.head(self.c(self.b(a).relu()).mean((2, 3)))
            if not self.training:
                return logits
            aux = self.aux(a)
            if targets is None:
                raise ValueError("targets must be given")
            return F.cross_entropy(logits, targets) + F.cross_entropy(self.last(aux).mean((2, 3)), targets)

    model = make(NeedsTargets)
    structure = legr.trace(model, _IMAGE)
    assert {layer.name for layer in structure.layers} == {"b", "c"}
    assert set(structure.untouched) == {"aux.weight", "aux.bias", "last.weight", "last.bias"}
    assert legr.verify(model, structure, _IMAGE) < 1e-12
    smaller = legr.prune(model, structure, _one_unit_a_layer(structure)).train()
    smaller(torch.randn(4, 3, 8, 8), torch.arange(4)).backward()


def test_every_unreached_layer_is_named_and_channels_are_counted_once() -> None:
    class Deep(Base):
        def build(self) -> None:
            self.heads = nn.ModuleList([nn.Conv2d(16, 4, 1), nn.Conv2d(24, 4, 1), nn.Conv2d(16, 4, 1)])

    remarks = [r for r in legr.trace(make(Deep), _IMAGE).unprunable if r.operation == "unreached"]
    assert [(remark.module, remark.channels) for remark in remarks] == [
        ("heads.0", 16),
        ("heads.1", 24),
        ("heads.2", 0),
    ]


def test_nothing_is_held_where_everything_is_reached() -> None:
    """A branch that keeps no parameters is not a layer, nor is one whose layers were replaced."""
    model = build_model("cifar_resnet20", 10)
    model.extra = nn.Sequential(nn.ReLU(), nn.Identity())
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    assert not any(remark.operation == "unreached" for remark in structure.unprunable)


def _one_unit_a_layer(structure: legr.Structure) -> Keep:
    return Keep(at_least_one(structure, np.zeros(structure.n_units, dtype=bool)))
