"""The modules that PyTorch calls as layers: which they are, and which of their sizes follow which channels.

What is expected is counted by running pruned networks with hooks of the tests' own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.deploy.latency import images_on, in_channels_last
from legr.deploy.layer_table import NetworkLayers
from legr.deploy.module_layer import ModuleLayer
from legr.deploy.module_layers import module_layers
from legr.errors import ExportError
from legr.models.zoo import build_model, find_spec
from legr.structure.copies import at_least_one
from legr.structure.cost import counts_of
from legr.structure.gather_channels import GatherChannels
from legr.structure.latency import FloatArray
from legr.structure.types import Keep, Structure
from legr.structure.zeros import Zeros
from tests.nets import Chain, DepthwiseConcat, PaddedShortcut, Residual, Shared, Sliced, Unruled, example, make

CALLED = {
    Chain: "conv1 bn1 conv2 fc1 fc2",
    Residual: "stem inner outer norm head",
    PaddedShortcut: "stem inner outer norm head",
    DepthwiseConcat: "expand depthwise side norm join",
    Sliced: "wide narrow head",
    Unruled: "a b c head",
    Shared: "stem twice twice left right head",
}
CIFAR = "cifar_resnet8"


class Attention(nn.Module):
    """Modules that own others without calling them, take keywords, and are called in evaluation for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.drop = nn.Conv2d(3, 8, 4, stride=4), nn.Dropout(0.1)
        self.attend, self.act = nn.MultiheadAttention(8, 2, batch_first=True), nn.GELU()
        self.pool, self.head = nn.AdaptiveAvgPool1d(1), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.embed(x)).flatten(2).transpose(1, 2)
        x = self.act(self.attend(query=x, key=x, value=x, need_weights=False)[0])
        return self.head(self.pool(x.transpose(1, 2)).flatten(1))


@dataclass(frozen=True)
class Taken:
    """A network, taken apart."""

    model: nn.Module
    structure: Structure
    layers: NetworkLayers[ModuleLayer]


def take(model: nn.Module, images: Tensor) -> Taken:
    structure = legr.trace(model.eval(), images)
    return Taken(model, structure, module_layers(model, structure, images))


def cifar() -> Taken:
    return take(build_model(find_spec(CIFAR), 10), torch.zeros(1, 3, 16, 16))


def some_keeps(structure: Structure, number: int = 4) -> Iterator[Keep]:
    rng = np.random.default_rng(3)
    for _ in range(number):
        yield Keep(at_least_one(structure, rng.random(structure.n_units) < 0.6))


def calls_under_hooks(network: nn.Module, images: Tensor, path: str) -> list[tuple[nn.Module, list[tuple[int, ...]]]]:
    """Each call of a module: it, and the shapes that it reads."""
    calls = []

    def note(module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        given = (*args, *kwargs.values())
        calls.append((module, [tuple(x.shape) for x in given if isinstance(x, Tensor)]))

    handle = network.get_submodule(path).register_forward_pre_hook(note, with_kwargs=True)
    with torch.inference_mode():
        network(images)
    handle.remove()
    return calls


@pytest.mark.parametrize("kind", CALLED, ids=lambda kind: kind.__name__)
def test_the_innermost_modules_are_found_in_their_order(kind: type[nn.Module]) -> None:
    placed = take(make(kind), example()).layers.placed
    assert [x.layer.call.path for x in placed] == CALLED[kind].split()
    assert len({x.name for x in placed}) == len(placed)


def test_a_module_that_calls_none_of_its_own_is_one_layer_and_what_hands_on_is_none() -> None:
    placed = take(make(Attention), example()).layers.placed
    assert [x.name for x in placed] == ["embed", "attend", "act", "pool", "head"]
    assert [x.parameter for x in placed][1:] == [*["attend.out_proj.weight"] * 3, "head.weight"]


@pytest.mark.parametrize("kind", [*CALLED, Attention], ids=lambda kind: kind.__name__)
def test_a_layer_alone_is_the_one_that_pruned_networks_have(kind: type[nn.Module]) -> None:
    """Its parameters and what it reads have the sizes that hooks find, whatever is kept; and it runs."""
    taken = take(make(kind), example())
    for keep in some_keeps(taken.structure):
        counts = counts_of(taken.structure, keep)
        pruned, called = legr.prune(taken.model, taken.structure, keep).eval(), dict[str, int]()
        for placed in taken.layers.placed:
            layer, path = placed.layer, placed.layer.call.path
            number = called[path] = called.get(path, -1) + 1
            module, reads = calls_under_hooks(pruned, example(), path)[number]
            channels = [int(size.at(counts)[0]) for size in layer.sizes]
            alone = layer.alone(channels)
            found = layer.reads_at(channels)
            assert [x.shape for x in found] == reads, placed.name
            sizes = {name: tuple(x.shape) for name, x in module.state_dict().items()}
            assert {name: tuple(x.shape) for name, x in alone.state_dict().items()} == sizes, placed.name
            args, kwargs = layer.call.arguments([torch.zeros(x.shape) for x in found])
            with torch.inference_mode():
                alone(*args, **kwargs)


def test_sizes_are_the_axes_of_the_weights() -> None:
    taken = cifar()
    structure, found = taken.structure, {x.name: x.layer for x in taken.layers.placed}

    def vector(parameter: str, dim: int) -> int:
        return structure.vector_index[structure.axis_of[parameter, dim].labels.tobytes()]

    for name, layer in found.items():
        told = [size.vector for size in layer.sizes]
        if isinstance(layer.module, nn.Conv2d) and name != "conv1":
            assert told == [vector(f"{name}.weight", 1), vector(f"{name}.weight", 0)]
        elif isinstance(layer.module, nn.BatchNorm2d):
            assert told == [vector(f"{name}.weight", 0)]
    assert [size.vector for size in found["conv1"].sizes] == [vector("conv1.weight", 0)]  # its images are always whole
    assert [size.vector for size in found["linear"].sizes] == [vector("linear.weight", 1)]
    shortcut = found["layer2.0.shortcut"]  # from one stage into the next
    assert [size.vector for size in shortcut.sizes] == [
        vector("layer1.0.conv2.weight", 0),
        vector("layer2.0.conv2.weight", 0),
    ]


def test_a_layer_in_convolution_groups_is_timed_at_multiples_of_them() -> None:
    """8 channels in 2 groups, of which only whole pairs leave."""
    layer = next(x.layer for x in take(make(Unruled), example()).layers.placed if x.name == "b")
    assert [(size.whole, step % 2) for size, step in zip(layer.sizes, layer.steps, strict=True)] == [(8, 0)]


def test_layers_that_take_the_same_time_are_timed_once() -> None:
    taken = take(build_model(find_spec("cifar_resnet20"), 10), torch.zeros(1, 3, 16, 16))
    # Convolutions: the first, three of stages, two into them. Norms of three widths; two shortcuts; the last layer.
    assert len(taken.layers.distinct) == 1 + 3 + 2 + 3 + 2 + 1
    assert len(taken.layers.placed) == 19 + 19 + 2 + 1


class Activated(nn.Module):
    """One module with three functions of which two have one name, and a fourth that is the first again."""

    class By(nn.Module):
        def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
            super().__init__()
            self.function = function

        def forward(self, x: Tensor) -> Tensor:
            return self.function(x)

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 8, 1), nn.Linear(8, 2)
        by = F.relu, lambda x: x * 2, lambda x: x.cos(), F.relu
        self.all = nn.Sequential(*map(self.By, by))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.all(self.first(x)).mean((2, 3)))


def test_what_no_setting_tells_apart_is_timed_by_itself() -> None:
    relu, double, cosine, again = (x.layer.key for x in take(make(Activated), example()).layers.placed[1:5])
    assert relu == again and len({relu, double, cosine}) == 3


def test_weights_alone_lie_in_memory_as_in_a_network_that_is_timed() -> None:
    taken, device = cifar(), torch.device("cpu")
    network = in_channels_last(taken.model, device)
    layers = module_layers(network, taken.structure, images_on(device, 1, (3, 16, 16)))
    keep = next(some_keeps(taken.structure))
    counts = counts_of(taken.structure, keep)
    pruned = in_channels_last(legr.prune(taken.model, taken.structure, keep), device)
    for placed in layers.placed:
        alone = placed.layer.alone([int(size.at(counts)[0]) for size in placed.layer.sizes])
        expected = {name: x.stride() for name, x in pruned.get_submodule(placed.name).named_parameters()}
        assert {name: x.stride() for name, x in alone.named_parameters()} == expected
    orders = {x.layer.call.reads[0].order for x in layers.placed if isinstance(x.layer.module, nn.Conv2d)}
    assert orders == {(0, 2, 3, 1)}


def times_by_channels(layers: NetworkLayers[ModuleLayer]) -> dict[bytes, FloatArray]:
    """A layer takes 1 ms, and another for each channel that it reads or writes and that can leave."""
    points = {key: [x.channels for x in layer.points(1)] for key, layer in layers.distinct.items()}
    sums = {key: sum(np.ix_(*axes), np.array(1.0)) if axes else np.array(1.0) for key, axes in points.items()}
    return {key: np.asarray(total, dtype=np.float64) for key, total in sums.items()}


def test_predicted_are_the_layers_that_a_pruned_network_runs() -> None:
    """With a block that has left, too: its modules return zeros, and are called all the same."""
    taken = cifar()
    structure = taken.structure
    table = taken.layers.table(times_by_channels(taken.layers), 1)
    block = structure.branches[0]
    keeps = list(some_keeps(structure))
    units = keeps[0].units.copy()
    units[block.units] = False
    for keep in (*keeps, Keep(units)):
        pruned, expected, called = legr.prune(taken.model, structure, keep).eval(), 0.0, 0
        for path, module in pruned.named_modules():
            if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.Linear | GatherChannels | Zeros):
                ((_, reads),) = calls_under_hooks(pruned, torch.zeros(1, 3, 16, 16), path)
                called += 1
                if isinstance(module, nn.Conv2d | GatherChannels):
                    written = module.out_channels if isinstance(module, nn.Conv2d) else len(module.index)
                    expected += 1 + written + (reads[0][1] if path != "conv1" else 0)
                elif not isinstance(module, Zeros):
                    expected += 1 + reads[0][1]
        alone, layers, megabytes = table.features(counts_of(structure, keep))
        assert alone.tolist() == pytest.approx([expected])
        assert (layers.tolist(), megabytes.tolist()) == ([called], [0])


class Borrowed(nn.Module):
    """Reads the weight of a module that it does not call."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.lender, self.head = nn.Conv2d(3, 8, 1), nn.Linear(8, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.linear(self.first(x).mean((2, 3)), self.lender.weight))


def test_a_weight_that_no_module_reads_itself_is_one_sentence() -> None:
    with pytest.raises(ExportError, match=r"lender\.weight is read outside of the module that has it.*legr measure"):
        take(make(Borrowed), example())
