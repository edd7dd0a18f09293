"""Turn what a trace has noted into a `Structure`: number the units, form the groups."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from legr.structure.tracing.branches import find_branches, storages_of
from legr.structure.tracing.memory import find_live_sets
from legr.structure.tracing.tracer import Tracer
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

LabelsOf = Callable[[Tensor], IntArray]
"""Nodes -> labels in the same shape: 0 where they are unprunable, u + 1 where they belong to unit u."""


def assemble(network: nn.Module, tracer: Tracer, input_shapes: tuple[tuple[int, ...], ...]) -> Structure:
    """Write everything that a trace has noted in the numbers of units."""
    labels_of = number_units(tracer)
    axes, layers = _axes(tracer, labels_of), _layers(tracer, labels_of)
    pieces = _pieces(tracer, axes, labels_of)
    branches = find_branches(network, tracer, axes, labels_of)
    modules = [record.module for record in tracer.passes[0]]
    live = find_live_sets(tracer.lifetimes, modules, labels_of, storages_of(branches, tracer.flow, labels_of))
    live_sets = live.sets
    n_units = max((int(axis.labels.max()) for axis in axes), default=0)
    shapes = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    return Structure(
        input_shapes=input_shapes,
        n_units=n_units,
        axes=axes,
        layers=layers,
        ops=tuple(tracer.ops),
        gathers=tuple(Gather(name, labels_of(nodes)) for name, nodes in tracer.gathers.items()),
        attributes=_attributes(tracer, labels_of),
        groups=_groups(axes, live_sets, pieces, layers, n_units),
        shapes=shapes,
        filters=_shapes_of_buffers(network, tracer),
        unprunable=_merge(tracer.unprunable),
        coupled=_merge(tracer.coupled),
        exempt=tuple(tracer.exempt),
        training_only=tuple(name for name in shapes if name in tracer.read - tracer.read_in_evaluation),
        untouched=tuple(name for name in shapes if name not in tracer.read),
        live_sets=live_sets,
        pieces=pieces,
        uncounted=tuple(tracer.uncounted),
        branches=tuple(
            replace(found.branch, activations=tuple(what for number, what in live.freed if number == place))
            for place, found in enumerate(branches)
        ),
    )


def number_units(tracer: Tracer) -> LabelsOf:
    """Number the units by layer order, then channel; a set of nodes without a filter to score is unprunable."""
    filters = [tracer.find(tracer.axes[key]).numpy() for key in tracer.layers.values() if key in tracer.axes]
    nodes = np.concatenate(filters) if filters else np.zeros(0, dtype=np.int64)
    representatives, first = np.unique(nodes[nodes != 0], return_index=True)
    label_of = np.zeros(tracer.nodes.count, dtype=np.int32)  # int32[nodes]
    label_of[representatives[np.argsort(first)]] = np.arange(1, len(representatives) + 1)
    shared: dict[tuple[tuple[int, ...], bytes], IntArray] = {}  # equal labels are one array

    def labels_of(nodes: Tensor) -> IntArray:
        labels = readonly(label_of[tracer.find(nodes).numpy()])
        return shared.setdefault((labels.shape, labels.tobytes()), labels)

    return labels_of


def _axes(tracer: Tracer, labels_of: LabelsOf) -> tuple[Axis, ...]:
    labelled = ((name, dim, labels_of(nodes)) for (name, dim), nodes in tracer.axes.items())
    return tuple(Axis(name, dim, labels) for name, dim, labels in labelled if labels.any())


def _layers(tracer: Tracer, labels_of: LabelsOf) -> tuple[Layer, ...]:
    labelled = ((name, key, labels_of(tracer.axes[key])) for name, key in tracer.layers.items() if key in tracer.axes)
    return tuple(Layer(name, *key, labels) for name, key, labels in labelled if labels.any())


def _attributes(tracer: Tracer, labels_of: LabelsOf) -> tuple[Attribute, ...]:
    labelled = ((*key, labels_of(nodes), divisor) for key, (nodes, divisor) in tracer.attributes.items())
    return tuple(
        Attribute(module, name, labels, divisor, place)
        for module, name, place, labels, divisor in labelled
        if labels.any()
    )


def _shapes_of_buffers(network: nn.Module, tracer: Tracer) -> dict[str, tuple[int, ...]]:
    """Shapes of the buffers that operations multiply by."""
    weights = (op.parameter for op in tracer.ops if op.parameter)
    return {name: tuple(network.get_buffer(name).shape) for name in weights if not tracer.is_parameter(name)}


def _pieces(tracer: Tracer, axes: Sequence[Axis], labels_of: LabelsOf) -> tuple[IntArray, ...]:
    """Channels of activations that stand in no axis as they are, and of which none is unprunable."""
    in_axes = {axis.labels.tobytes() for axis in axes}
    pieces: dict[bytes, IntArray] = {}
    for nodes in _nodes_of_results(tracer):
        labels = labels_of(nodes)
        if labels.all() and labels.tobytes() not in in_axes:
            pieces.setdefault(labels.tobytes(), labels)
    return tuple(pieces.values())


def _nodes_of_results(tracer: Tracer) -> Iterator[Tensor]:
    for records in tracer.passes:
        for record in records:
            for result in record.results:
                if result is not None and result.nodes is not None:
                    yield result.nodes


def _groups(
    axes: Sequence[Axis],
    live_sets: Sequence[LiveSet],
    pieces: Sequence[IntArray],
    layers: Sequence[Layer],
    n_units: int,
) -> tuple[Group, ...]:
    """Units with the same footprint: as many positions in each distinct label vector."""
    if n_units == 0:
        return ()
    activations = [labels for live_set in live_sets for labels, _ in live_set.parts]
    vectors = {labels.tobytes(): labels for labels in (*(axis.labels for axis in axes), *activations, *pieces)}
    footprints = np.stack([np.bincount(v, minlength=n_units + 1)[1:] for v in vectors.values()])  # int64[V, U]
    numbers: dict[bytes, int] = {}  # by first unit; a dict is far faster than sorting the footprints
    group_of = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in footprints.T.copy()])  # int64[U]
    groups = []
    for number in numbers.values():
        units = readonly(np.flatnonzero(group_of == number))
        names = tuple(layer.name for layer in layers if (layer.labels == units[0] + 1).any())
        groups.append(Group(names[0], units, names))
    return tuple(groups)


def _merge(remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    """Add up the channels of remarks with the same module, operation and reason."""
    channels: dict[tuple[str, str, str], int] = {}
    for remark in remarks:
        key = (remark.module, remark.operation, remark.reason)
        channels[key] = channels.get(key, 0) + remark.channels
    return tuple(Remark(*key, n_channels) for key, n_channels in channels.items())
