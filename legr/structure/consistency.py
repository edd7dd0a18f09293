"""Whether the parts of a structure belong together: one that was read from a file may be damaged or made up."""

from math import prod

import numpy as np

from legr.schema import LARGEST_COUNT, SchemaError
from legr.structure.types import IntArray, Op, Structure


def require_consistent(structure: Structure) -> None:
    """Refuse a structure whose parts contradict each other, or whose costs cannot be counted.

    Raises:
        SchemaError: they do; its message names what.
    """
    _require_units(structure)
    for axis in structure.axes:
        _require_size(structure, axis.parameter, axis.dim, len(axis.labels))
    for layer in structure.layers:
        axis_labels = structure.axis_of.get((layer.parameter, layer.dim))
        if axis_labels is None or axis_labels.labels.tobytes() != layer.labels.tobytes():
            raise SchemaError(f"the filters of {layer.name} are no axis of {layer.parameter}")
        if layer.parameter not in structure.shapes:
            raise SchemaError(f"the shape of {layer.parameter} is missing")
    for operation in structure.ops:
        for dim in (operation.out_dim, operation.in_dim):
            if operation.parameter is not None and dim >= len(_shape(structure, operation.parameter)):
                raise SchemaError(f"{operation.parameter} has no dim {dim}")
    _require_countable(structure)
    _require_branches(structure)


def _require_units(structure: Structure) -> None:
    """Every unit is in one group, all units of a group have one footprint, and every label is one of a unit."""
    n_units = structure.n_units
    units = np.concatenate([np.zeros(0, np.int64), *(group.units for group in structure.groups)])
    if len(units) != n_units or not np.array_equal(np.sort(units), np.arange(n_units)):
        raise SchemaError(f"the groups must hold each of {n_units} units once, and hold {len(units)}")
    layers = {layer.name for layer in structure.layers}
    for group in structure.groups:
        if not layers.issuperset(group.layers):
            raise SchemaError(f"the group {group.name} is scored by a layer that is not there")
    first = np.zeros(n_units, dtype=np.int64)
    for group in structure.groups:
        first[group.units] = group.units[0]
    for labels in _all_labels(structure):
        if labels.size and int(labels.max()) > n_units:
            raise SchemaError(f"a label must be in [0, {n_units}], got {int(labels.max())}")
    for labels in structure.vectors:
        positions = np.bincount(labels, minlength=n_units + 1)[1:]
        if not np.array_equal(positions, positions[first]):
            raise SchemaError("units of one group stand in different channels")


def _require_branches(structure: Structure) -> None:
    """Branches share nothing, each has layers of its own, and what leaves with it is there."""
    units = np.concatenate([np.zeros(0, np.int64), *(branch.units for branch in structure.branches)])
    parameters = [name for branch in structure.branches for name in branch.parameters]
    ops = [number for branch in structure.branches for number in branch.ops]
    for word, values in (("unit", units.tolist()), ("parameter", parameters), ("operation", ops)):
        if len(set(values)) < len(values):
            raise SchemaError(f"two blocks have a {word} in common, or one has it twice")
    if units.size and int(units.max()) >= structure.n_units:
        raise SchemaError(f"a unit of a block must be in [0, {structure.n_units}), got {int(units.max())}")
    for branch in structure.branches:
        unknown = [name for name in branch.parameters if name not in structure.shapes]
        if unknown or not set(branch.dropped) <= set(branch.parameters):
            raise SchemaError(f"the block {branch.name} has parameters that are not there")
        if any(number >= len(structure.ops) for number in branch.ops):
            raise SchemaError(f"the block {branch.name} has operations that are not there")
        for number, labels, _ in branch.activations:
            known = labels is None or labels.tobytes() in structure.vector_index
            if number >= len(structure.live_sets) or not known:
                raise SchemaError(f"the block {branch.name} frees memory that is not there")
        for removed in branch.removed:
            if removed.dim is not None and removed.dim >= len(removed.windows):
                raise SchemaError(f"what {removed.module} returns has no dim {removed.dim}")
    if not all(structure.vectors_of_branches):
        raise SchemaError("a block has no layers of its own")


def _all_labels(structure: Structure) -> list[IntArray]:
    gathers = [gather.in_labels for gather in structure.gathers]
    attributes = [attribute.labels for attribute in structure.attributes]
    attributes += [removed.labels for branch in structure.branches for removed in branch.removed]
    return [*structure.vectors, *(layer.labels for layer in structure.layers), *gathers, *attributes]


def _require_size(structure: Structure, parameter: str, dim: int, size: int) -> None:
    """An axis is as long as the shape of its parameter says; buffers that are no weights have no shape here."""
    shape = structure.shapes.get(parameter) or structure.filters.get(parameter)
    if shape is not None and (dim >= len(shape) or shape[dim] != size):
        raise SchemaError(f"dim {dim} of {parameter} has {size} labels, and its shape is {list(shape)}")


def _require_countable(structure: Structure) -> None:
    """What the original costs is at least 1 and fits where costs are summed."""
    macs = sum(_original_macs(structure, operation) for operation in structure.ops)
    params = sum(prod(shape) for shape in structure.shapes.values())
    memory = [live.fixed + sum(len(labels) * size for labels, size in live.parts) for live in structure.live_sets]
    for words, least, value in (("MACs", 1, macs), ("parameters", 1, params), ("bytes", 0, max(memory, default=0))):
        if not least <= value <= LARGEST_COUNT:
            raise SchemaError(f"the network has {value:.4g} {words}, which must be in [{least}, {LARGEST_COUNT:.4g}]")


def _original_macs(structure: Structure, operation: Op) -> int:
    if operation.parameter is None:
        return operation.macs
    shape = _shape(structure, operation.parameter)
    return operation.macs * shape[operation.out_dim] * shape[operation.in_dim]


def _shape(structure: Structure, parameter: str) -> tuple[int, ...]:
    shape = structure.shapes.get(parameter) or structure.filters.get(parameter)
    if shape is None:
        raise SchemaError(f"the shape of {parameter} is missing")
    return shape
