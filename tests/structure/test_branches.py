"""Whole blocks: a network without one is the network that is written without it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.errors import TraceError
from legr.schema import SchemaError
from legr.structure.branches import emptied_branches, without
from legr.structure.codec import from_dict, to_dict
from legr.structure.cost import Counts, stays, unit_macs
from legr.structure.counters import count
from legr.structure.plans import compose, plan_from_dict, plan_to_dict
from legr.structure.surgery import apply_plan, plan
from legr.structure.types import Keep, Structure
from tests.nets import example, make


class Plain(nn.Module):
    """As in torchvision: one ReLU module, inside and behind; the sum is written into the branch. 4 units."""

    def __init__(self, width: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, 4, 3, stride, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, out, 3, padding=1), nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Conv2d(width, out, 1, stride) if width != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        return self.relu(out)

    def without(self, x: Tensor) -> Tensor:
        return F.relu(self.shortcut(x))


class PreActivation(nn.Module):
    """Norm and ReLU come first, and the shortcut reads them as well where it has weights. 5 units."""

    def __init__(self, width: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(width), nn.Conv2d(width, 5, 3, stride, padding=1)
        self.bn2, self.conv2 = nn.BatchNorm2d(5), nn.Conv2d(5, out, 3, padding=1)
        self.shortcut = nn.Conv2d(width, out, 1, stride) if width != out else None

    def forward(self, x: Tensor) -> Tensor:
        first = F.relu(self.bn1(x))
        shortcut = x if self.shortcut is None else self.shortcut(first)
        return shortcut + self.conv2(F.relu(self.bn2(self.conv1(first))))

    def without(self, x: Tensor) -> Tensor:
        return x if self.shortcut is None else self.shortcut(F.relu(self.bn1(x)))


class Inverted(nn.Module):
    """As in EfficientNet: one Sequential, depthwise, squeeze and excitation (3 units beside 6), a drop of paths."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(width, 6, 1), nn.SiLU(inplace=True), nn.Conv2d(6, 6, 3, padding=1, groups=6), Excitation(6),
            nn.Conv2d(6, width, 1), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        result = self.block(x)
        result += x
        return result

    def without(self, x: Tensor) -> Tensor:
        return x


class Excitation(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, 3, 1), nn.Conv2d(3, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Scaled(nn.Module):
    """As in ConvNeXt: depthwise first, channels last, a scale that is a parameter of the block. 7 units."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise, self.norm = nn.Conv2d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 7), nn.Linear(7, width)
        self.scale = nn.Parameter(torch.rand(width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc2(F.gelu(self.fc1(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))))
        return x + (self.scale * y).permute(0, 3, 1, 2)

    def without(self, x: Tensor) -> Tensor:
        return x


class Blocks(nn.Module):
    """A stem of 8 channels, blocks, a head."""

    def __init__(self, *blocks: nn.Module, width: int = 8) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Sequential(*blocks), nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


def without_blocks(network: Blocks, x: Tensor, left_out: set[int]) -> Tensor:
    """The network as one would write it without some of its blocks."""
    x = network.stem(x)
    for number, block in enumerate(network.blocks):
        x = block.without(x) if number in left_out else block(x)
    return network.head(x.mean((2, 3)))


KINDS: dict[str, Callable[[], Blocks]] = {
    "plain": lambda: Blocks(Plain(8, 8), Plain(8, 10, 2), Plain(10, 10), width=10),
    "pre-activation": lambda: Blocks(PreActivation(8, 8), PreActivation(8, 10, 2), PreActivation(10, 10), width=10),
    "inverted": lambda: Blocks(Inverted(8), Inverted(8)),
    "scaled": lambda: Blocks(Scaled(8), Scaled(8)),
}


def made(kind: str) -> Blocks:
    network = make(KINDS[kind])  # type: ignore[arg-type]
    assert isinstance(network, Blocks)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # so that a branch without input would add something
            nn.init.uniform_(module.bias, -1, 1)
            nn.init.uniform_(module.running_mean, -1, 1)
    return network.eval()


def everything(structure: Structure) -> Keep:
    return Keep(np.ones(structure.n_units, dtype=bool))


@pytest.fixture(scope="module", params=KINDS)
def traced(request: pytest.FixtureRequest) -> tuple[Blocks, Structure]:
    network = made(request.param)
    return network, legr.trace(network, example())


def test_a_network_without_blocks_is_the_one_that_is_written_without_them(traced: tuple[Blocks, Structure]) -> None:
    network, structure = traced
    names = [f"blocks.{number}" for number in range(len(network.blocks))]
    assert [branch.name for branch in structure.branches] == names
    assert legr.verify(network, structure, example()) < 1e-9
    for left_out in ({0}, {1}, set(range(len(names)))):
        keep = without(everything(structure), [structure.branches[number] for number in left_out])
        assert {names.index(branch.name) for branch in emptied_branches(structure, keep)} == left_out
        smaller = legr.prune(network, structure, keep)
        assert legr.cost(structure, keep) == count(smaller, example())
        for training, size in ((False, 9), (True, 8)):
            x = torch.randn(2, 3, size, size)
            network.train(training), smaller.train(training)
            torch.testing.assert_close(smaller(x.clone()), without_blocks(network, x.clone(), left_out))
        network.eval()
        saved = [name for name, _ in smaller.named_parameters() if name.startswith("blocks.1.")]
        kept_by_shortcut = ("blocks.1.shortcut", "blocks.1.bn1")
        assert all(1 not in left_out or name.startswith(kept_by_shortcut) for name in saved)


def test_costs_of_a_block_by_hand() -> None:
    network = made("scaled")
    structure = legr.trace(network, example())
    keep = without(everything(structure), structure.branches[:1])
    # depthwise 8 x 49 + 8, norm 16, 8 -> 7 -> 8 with biases 7 and 8, scale 8; at each of 64 places 392 + 56 + 56 MACs
    left, whole = legr.cost(structure, keep), legr.cost(structure, everything(structure))
    assert whole.params - left.params == 8 * 49 + 8 + 16 + 2 * 56 + 7 + 8 + 8 == 551
    assert whole.macs - left.macs == 64 * (392 + 56 + 56)
    counts: Counts = np.array([[keep.kept(labels).sum(), len(labels)] for labels in structure.vectors])
    assert stays(structure, "blocks.0.depthwise.weight", counts).tolist() == [False, True]
    assert stays(structure, "blocks.1.depthwise.weight", counts).tolist() == [True, True]
    assert stays(structure, "head.weight", counts).tolist() == [True, True]
    # a channel of the stream: 27 of the stem, of the block that is left 49 + 7 + 7, 3 of the head (at one place)
    stream = int(structure.axis_of["stem.weight", 0].labels[0]) - 1
    assert unit_macs(structure, keep)[stream] == 64 * (27 + 49 + 7 + 7) + 3


def test_a_plan_is_data_and_composes_with_one_for_the_network_that_it_leaves() -> None:
    network = made("plain")
    structure = legr.trace(network, example())
    first = plan(network, structure, without(everything(structure), structure.branches[1:2]))
    smaller = legr.prune(network, structure, without(everything(structure), structure.branches[1:2]))
    again = legr.trace(smaller, example())
    assert [branch.name for branch in again.branches] == ["blocks.0", "blocks.2"]
    assert legr.verify(smaller, again, example()) < 1e-9
    units = np.ones(again.n_units, dtype=bool)
    units[[int(again.axis_of["blocks.1.shortcut.weight", 0].labels[3]) - 1]] = False
    keep = without(Keep(units), again.branches[:1])
    expected = legr.prune(smaller, again, keep)
    assert legr.cost(again, keep) == count(expected, example())
    both = plan_from_dict(plan_to_dict(compose(first, plan(smaller, again, keep))))
    rebuilt = made("plain")
    apply_plan(rebuilt, both)
    assert {name: p.shape for name, p in rebuilt.named_parameters()} == {
        name: p.shape for name, p in expected.named_parameters()
    }
    rebuilt.load_state_dict(expected.state_dict())
    x = torch.randn(2, 3, 9, 9)
    torch.testing.assert_close(rebuilt(x), expected(x), rtol=0, atol=0)
    scaled = made("scaled")
    of_scaled = legr.trace(scaled, example())
    cuts = plan(scaled, of_scaled, without(everything(of_scaled), of_scaled.branches))
    assert cuts.dropped == ("blocks.0.scale", "blocks.1.scale")
    apply_plan(scaled, plan_from_dict(plan_to_dict(cuts)))
    torch.testing.assert_close(scaled(x), without_blocks(scaled, x, {0, 1}))


def test_a_plan_that_no_surgery_wrote_is_refused() -> None:
    network = made("inverted")
    empty = {"slices": [], "attributes": [], "indexes": [], "dropped": []}
    with pytest.raises(TraceError, match=r"has no blocks\.7"):
        apply_plan(network, plan_from_dict({**empty, "removed": [["blocks.7", 1, 8, [[0, 1]] * 4]]}))
    for damaged in (["blocks.0.block", 4, 8, [[0, 1]] * 4], ["blocks.0.block", 1, 8, [[0, 0]] * 4], ["", 1, 8, []]):
        with pytest.raises(SchemaError):
            plan_from_dict({**empty, "removed": [damaged]})


def test_a_kept_set_that_empties_a_layer_and_not_its_block_is_refused() -> None:
    network = made("inverted")
    structure = legr.trace(network, example())
    units = np.ones(structure.n_units, dtype=bool)
    units[structure.axis_of["blocks.1.block.3.fc1.weight", 0].labels - 1] = False
    with pytest.raises(TraceError, match=r"a layer of blocks\.1 and keeps 6 other units of it; remove these as well"):
        legr.prune(network, structure, Keep(units))
    units[:] = True
    units[structure.axis_of["stem.weight", 0].labels - 1] = False
    with pytest.raises(TraceError, match="keep must leave a channel of every layer"):
        legr.prune(network, structure, Keep(units))


def test_a_structure_is_stored_with_its_blocks_and_read_without() -> None:
    structure = legr.trace(made("scaled"), example())
    stored = to_dict(structure)
    read = from_dict(stored)
    assert to_dict(read) == stored and [branch.name for branch in read.branches] == ["blocks.0", "blocks.1"]
    keep = without(everything(structure), structure.branches)
    assert legr.cost(read, keep) == legr.cost(structure, keep)
    del stored["branches"]
    assert from_dict(stored).branches == ()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (1, [999], "a unit of a block must be in"),
        (3, ["nothing.weight"], "parameters that are not there"),
        (5, [99], "operations that are not there"),
        (6, [[99, None, 4]], "memory that is not there"),
        (1, [0], "no layers of its own"),
    ],
)
def test_a_damaged_block_is_refused(field: int, value: list[object], message: str) -> None:
    stored = to_dict(legr.trace(made("scaled"), example()))
    stored["branches"][0][field] = value
    with pytest.raises(SchemaError, match=message):
        from_dict(stored)


class Gate(nn.Module):
    """A branch that adds a half where it is emptied."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sigmoid(self.conv2(self.conv1(x)))


class Pooled(nn.Module):
    """A function inside that refuses what has no channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.avg_pool2d(self.conv1(x), 1))


class Read(nn.Module):
    """What lies inside is read outside of the branch as well: nothing can leave."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(x)
        return x + self.conv2(inner) * inner.mean()


class Twice(nn.Module):
    """One block that is run twice."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Inverted(8)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.block(x))


def test_what_adds_something_or_is_read_elsewhere_is_no_block() -> None:
    network = make(lambda: Blocks(Pooled(), Inverted(8), Pooled()))  # type: ignore[arg-type]
    structure = legr.trace(network, example())
    assert [branch.name for branch in structure.branches] == ["blocks.1"]
    remarks = [remark for remark in structure.coupled if remark.operation == "block"]
    assert [(remark.module, remark.channels) for remark in remarks] == [("blocks.0", 4), ("blocks.2", 4)]
    assert "it cannot leave as a whole: " in remarks[0].reason
    for kind in (Gate, Read, Twice):
        assert legr.trace(make(lambda kind=kind: Blocks(kind())), example()).branches == ()  # type: ignore[misc]
