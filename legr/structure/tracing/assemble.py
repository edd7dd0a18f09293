"""Turn what a trace has noted into a `Structure`: number the units, form the groups.

It does not know operations; by now every channel is a node with a representative.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from legr.structure.tracing.memory import find_live_sets
from legr.structure.types import (
    Attribute,
    Axis,
    Gather,
    Group,
    IntArray,
    Layer,
    LiveSet,
    Remark,
    Structure,
    readonly,
)

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer


def assemble(network: nn.Module, tracer: "Tracer", input_shapes: tuple[tuple[int, ...], ...]) -> Structure:
    """Write everything in the numbers of units."""
    labels_of = numbering(tracer)
    axes = tuple(
        Axis(name, dim, labels) for (name, dim), nodes in tracer.axes.items() if (labels := labels_of(nodes)).any()
    )
    layers = tuple(
        Layer(name, *key, labels)
        for name, key in tracer.layers.items()
        if key in tracer.axes and (labels := labels_of(tracer.axes[key])).any()
    )
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    n_units = max((int(axis.labels.max()) for axis in axes), default=0)
    live_sets = find_live_sets(tracer.stays, [trail.module for trail in tracer.trails[0]], labels_of)
    pieces = _pieces(tracer, axes, labels_of)
    return Structure(
        input_shapes=input_shapes,
        n_units=n_units,
        axes=axes,
        layers=layers,
        ops=tuple(tracer.ops),
        gathers=tuple(Gather(name, labels_of(nodes)) for name, nodes in tracer.gathers.items()),
        attributes=tuple(
            Attribute(module, name, labels, divisor, place)
            for (module, name, place), (nodes, divisor) in tracer.attributes.items()
            if (labels := labels_of(nodes)).any()
        ),
        groups=_groups(axes, live_sets, pieces, layers, n_units),
        shapes=shapes,
        filters={
            op.parameter: tuple(network.get_buffer(op.parameter).shape)
            for op in tracer.ops
            if op.parameter and not tracer.is_parameter(op.parameter)
        },
        unprunable=_merge(tracer.unprunable),
        coupled=_merge(tracer.coupled),
        exempt=tuple(tracer.exempt),
        training_only=tuple(name for name in shapes if name in tracer.touched - tracer.touched_in_evaluation),
        untouched=tuple(name for name in shapes if name not in tracer.touched),
        live_sets=live_sets,
        pieces=pieces,
    )


def numbering(tracer: "Tracer") -> Callable[[Tensor], IntArray]:
    """Number the units by layer order, then channel; return what turns nodes into labels (0 = fixed, unit + 1).

    A set of nodes without a filter to score is fixed.
    """
    filters = [tracer.nodes.find(tracer.axes[key]).numpy() for key in tracer.layers.values() if key in tracer.axes]
    nodes = np.concatenate(filters) if filters else np.zeros(0, dtype=np.int64)
    found, first = np.unique(nodes[nodes != 0], return_index=True)
    numbers = np.zeros(tracer.nodes.count, dtype=np.int32)
    numbers[found[np.argsort(first)]] = np.arange(1, len(found) + 1)
    shared: dict[tuple[tuple[int, ...], bytes], IntArray] = {}

    def labels_of(nodes: Tensor) -> IntArray:
        labels = readonly(numbers[tracer.nodes.find(nodes).numpy()])
        return shared.setdefault((labels.shape, labels.tobytes()), labels)

    return labels_of


def _pieces(tracer: "Tracer", axes: tuple[Axis, ...], labels_of: Callable[[Tensor], IntArray]) -> tuple[IntArray, ...]:
    """Channels of activations that stand in no axis as they are, and of which none is fixed."""
    known = {axis.labels.tobytes() for axis in axes}
    found: dict[bytes, IntArray] = {}
    for trail in (trail for one_pass in tracer.trails for trail in one_pass):
        for shape in trail.outputs:
            labels = labels_of(shape[2]) if shape and shape[2] is not None else None
            if labels is not None and labels.all() and labels.tobytes() not in known:
                found.setdefault(labels.tobytes(), labels)
    return tuple(found.values())


def _groups(
    axes: tuple[Axis, ...],
    live_sets: tuple[LiveSet, ...],
    pieces: tuple[IntArray, ...],
    layers: tuple[Layer, ...],
    n_units: int,
) -> tuple[Group, ...]:
    """Units with the same footprint: as many positions in each distinct label vector."""
    if n_units == 0:
        return ()
    vectors = {axis.labels.tobytes(): axis.labels for axis in axes}
    vectors.update((labels.tobytes(), labels) for live_set in live_sets for labels, _ in live_set.parts)
    vectors.update((labels.tobytes(), labels) for labels in pieces)
    footprint = np.stack([np.bincount(v, minlength=n_units + 1)[1:] for v in vectors.values()])  # [V, U]
    _, group_of = np.unique(footprint, axis=1, return_inverse=True)
    order = list(dict.fromkeys(group_of.reshape(-1).tolist()))  # by first unit
    groups = []
    for number in order:
        units = readonly(np.flatnonzero(group_of.reshape(-1) == number))
        names = tuple(layer.name for layer in layers if np.isin(units[0] + 1, layer.labels))
        groups.append(Group(names[0], units, names))
    return tuple(groups)


def _merge(held: list[Remark]) -> tuple[Remark, ...]:
    """Add up what the same operation of the same module holds for the same reason."""
    total: dict[tuple[str, str, str], int] = {}
    for item in held:
        key = (item.module, item.operation, item.reason)
        total[key] = total.get(key, 0) + item.channels
    return tuple(Remark(*key, channels) for key, channels in total.items())
