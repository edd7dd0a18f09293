"""The layers of a network as PyTorch runs it in eager mode: its innermost modules, each as it is called.

What a forward computes between modules, such as an addition, is in no layer: the fit to whole networks pays for it.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from torch import Tensor, nn

from legr.deploy.following import REMEDY, Follower, Following, kept_sets_to_follow
from legr.deploy.layer_table import NetworkLayers, Placed
from legr.deploy.module_calls import ModuleCall, calls_of
from legr.deploy.module_facts import ModuleFacts
from legr.deploy.module_layer import ModuleLayer
from legr.errors import ExportError
from legr.structure.surgery import prune
from legr.structure.types import IntArray, Structure


def module_layers(model: nn.Module, structure: Structure, images: Tensor) -> NetworkLayers[ModuleLayer]:
    """Take a network apart into its innermost modules.

    Args:
        model: in evaluation mode.
        images: as the network gets them.

    Raises:
        ExportError: a size follows the kept set in a way that is not understood, or a weight is not a module's own.
    """
    keeps = kept_sets_to_follow(structure)
    networks = (model, *(prune(model, structure, keep) for keep in keeps[1:]))
    calls = [calls_of(network, images) for network in networks]
    if any([call.path for call in of_one] != [call.path for call in calls[0]] for of_one in calls):
        raise ExportError(f"a smaller network calls other modules than the original, so {REMEDY}")
    facts, follower = ModuleFacts(model, structure), Follower(structure, keeps)
    layers = [_layer(facts, follower, same) for same in zip(*calls, strict=True)]
    if left_out := facts.weights.difference(*(facts.names(layer.call.path) for layer in layers)):
        raise ExportError(f"{min(left_out)} is read outside of the module that has it, so {REMEDY}")
    return NetworkLayers(tuple(_placed(facts, layers)), replaced=True)


def _layer(facts: ModuleFacts, follower: Follower, same: Sequence[ModuleCall]) -> ModuleLayer:
    """The layer of a call, as every network makes it, the original first."""
    call, own = same[0], facts.own(same[0].path)

    def counts(labels: IntArray | None, name: str) -> tuple[int, ...]:
        """Entries of an index buffer in each network."""
        entries = facts.modules[call.path].get_buffer(name)
        return (len(entries),) * len(same) if labels is None else follower.counts(labels)

    weights = [(name, dim, follower.counts(labels)) for name, dim, labels in own.axes]
    attributes = [(module, x.name, x.place, follower.counts(x.labels, x.divisor)) for module, x in own.attributes]
    indexes = [(name, counts(labels, name), follower.counts(picked)) for name, labels, picked in own.indexes]
    reads = [_dims([x.reads[place].shape for x in same]) for place in range(len(call.reads))]
    returns = [_dims([x.returns[place].shape for x in same]) for place in range(len(call.returns))]
    values = [*chain(*reads), *(x for *_, x in weights), *(x for *_, x in attributes)]
    values += [*chain(*(pair for _, *pair in indexes)), *chain(*returns)]
    sizes = follower.sizes(values, own.vectors)

    def follow(value: tuple[int, ...]) -> Following:
        return follower.following(value, sizes, own.vectors)

    return ModuleLayer(
        module=facts.modules[call.path],
        call=call,
        sizes=tuple(sizes.values()),
        reads=tuple(tuple(map(follow, shape)) for shape in reads),
        returns=tuple(tuple(map(follow, shape)) for shape in returns),
        weights=tuple((name, dim, follow(value)) for name, dim, value in weights),
        attributes=tuple((module, name, place, follow(value)) for module, name, place, value in attributes),
        indexes=tuple((name, follow(value), follow(picked)) for name, value, picked in indexes),
    )


def _dims(shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """For each dim of a tensor, its size in every network."""
    if len({len(shape) for shape in shapes}) > 1:
        raise ExportError(f"a tensor has fewer dims in a smaller network, so {REMEDY}")
    return list(zip(*shapes, strict=True))


def _placed(facts: ModuleFacts, layers: Sequence[ModuleLayer]) -> Iterator[Placed[ModuleLayer]]:
    """Layers by name, each with the weight that it has, or that has made what it reads."""
    times_called: dict[str, int] = {}
    maker: dict[int, str] = {}  # label vector -> the weight that was last to make channels of it
    for layer in layers:
        path = layer.call.path
        number = times_called[path] = times_called.get(path, 0) + 1
        name = path or type(layer.module).__name__
        parameter = next((weight for weight in facts.names(path) if weight in facts.weights), None)
        if parameter is None:
            parameter = next((maker[vector] for vector in _vectors(layer, layer.reads) if vector in maker), None)
        else:
            maker |= dict.fromkeys(_vectors(layer, layer.returns), parameter)
        yield Placed(
            layer,
            name if number == 1 else f"{name} ({number})",
            parameter if parameter in facts.structure.shapes else None,
            facts.inside(path),
        )


def _vectors(layer: ModuleLayer, shapes: Sequence[Sequence[Following]]) -> list[int]:
    """The label vectors that some tensors follow."""
    return [layer.sizes[f.size].vector for shape in shapes for f in shape if f.size is not None]
