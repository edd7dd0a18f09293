"""Which layers' filters leave together, laid out as lanes over the layers in order of execution.

It does not know rankings, budgets or how lanes are drawn; numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from legr.structure.types import Structure


@dataclass(frozen=True, slots=True)
class Lane:
    """Layers that share units, directly or by way of others, and the layers that read their channels.

    It runs from its first layer to its last; `fixed` lanes are single layers without a unit.
    """

    row: int  # from 0, the topmost
    writers: tuple[int, ...]  # columns, rising
    readers: tuple[int, ...]  # columns, rising; a layer that reads and writes the same lane is a writer
    shortcuts: tuple[str, ...]  # modules that read it by an index (see `GatherChannels`)
    fixed: bool = False

    @property
    def first(self) -> int:
        """The leftmost column."""
        return min(self.writers + self.readers)

    @property
    def last(self) -> int:
        """The rightmost column."""
        return max(self.writers + self.readers)


@dataclass(frozen=True, slots=True)
class LanePlan:
    """The lanes of a network, packed into rows in which none touches another.

    Every layer is a column, and writes exactly one lane. Layers that training alone runs stand last, and are not
    counted among the readers: no forward pass that is measured has them.
    """

    columns: tuple[str, ...]  # every layer once, in order of execution
    lanes: tuple[Lane, ...]  # by first column; fixed ones last

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return 1 + max((lane.row for lane in self.lanes), default=-1)


def plan_lanes(structure: Structure) -> LanePlan:
    """Find the lanes of a network and pack them.

    A lane that runs around others lies above them. Lanes of one level share as few rows as they can; layers that
    cannot be cut share the last row.
    """
    weights = _weights(structure)
    column = {weight: n for n, weight in enumerate(weights)}
    lane_of = _lane_of_units(structure)  # [U + 1]
    writers: dict[int, list[int]] = {}
    for layer in structure.layers:
        writers.setdefault(int(lane_of[layer.labels.max()]), []).append(column[layer.parameter])
    readers: dict[int, set[int]] = {lane: set() for lane in writers}
    for op in structure.ops:
        axis = structure.axis_of.get((op.parameter or "", op.in_dim))
        if axis is not None and op.parameter in column:
            for lane in _distinct(lane_of[axis.labels]):
                readers[lane].add(column[op.parameter])
    shortcuts: dict[int, list[str]] = {lane: [] for lane in writers}
    for gather in structure.gathers:
        for lane in _distinct(lane_of[gather.in_labels]):
            shortcuts[lane].append(gather.buffer.rpartition(".")[0])
    loose = [
        Lane(0, tuple(sorted(own)), tuple(sorted(readers[lane] - set(own))), tuple(shortcuts[lane]))
        for lane, own in writers.items()
    ]
    loose.sort(key=lambda lane: lane.first)
    rows = pack([(lane.first, lane.last) for lane in loose])
    below = 1 + max(rows, default=-1)
    uncut = sorted(set(range(len(weights))).difference(*writers.values()))
    return LanePlan(
        columns=tuple(weights.values()),
        lanes=(
            *(replace(lane, row=row) for lane, row in zip(loose, rows, strict=True)),
            *(Lane(below, (n,), (), (), fixed=True) for n in uncut),
        ),
    )


def _weights(structure: Structure) -> dict[str, str]:
    """The weight and name of every layer, in order of execution.

    A layer is named as in `Structure.layers`; what cannot be cut, by its weight. Matrix products of activations and
    filters that are buffers are no layers.
    """
    run = [op.parameter or f"{op.module}.weight" for op in structure.ops]
    ours = {layer.parameter: layer.name for layer in structure.layers}
    found = {name: name.removesuffix(".weight") for name in run if name in structure.shapes}
    return {**found, **ours}  # a name that is in both keeps its place


def _lane_of_units(structure: Structure) -> NDArray[np.int32]:
    """The lane of every label, int32[U + 1]; -1 for what is fixed. Units that one layer holds are of one lane."""
    lane_of = np.full(structure.n_units + 1, -1, dtype=np.int32)
    for number, layer in enumerate(structure.layers):
        units = layer.labels[layer.labels > 0]
        met = _distinct(lane_of[units])
        if met:
            lane_of[np.isin(lane_of, met)] = number
        lane_of[units] = number
    return lane_of


def _distinct(lanes: NDArray[np.int32]) -> list[int]:
    return [lane for lane in np.unique(lanes).tolist() if lane >= 0]


def pack(extents: Sequence[tuple[int, int]]) -> list[int]:
    """Rows for intervals, so that none touches another and outer ones lie above those that they run around.

    Args:
        extents: first and last column of each, sorted by the first.
    """
    levels = [0] * len(extents)
    for n in sorted(range(len(extents)), key=lambda n: extents[n][1] - extents[n][0]):  # inner ones first
        first, last = extents[n]
        inside = [level for level, (a, b) in zip(levels, extents, strict=True) if first < a and b < last]
        levels[n] = 1 + max(inside, default=-1)
    rows, top = [0] * len(extents), 0
    for level in sorted(set(levels), reverse=True):
        same = [n for n in range(len(extents)) if levels[n] == level]
        by_length = sorted(same, key=lambda n: extents[n][0] - extents[n][1])
        few, long_on_top = _first_fit(extents, same), _first_fit(extents, by_length)
        fitted = long_on_top if max(long_on_top.values()) <= max(few.values()) else few
        for n, row in fitted.items():
            rows[n] = top + row
        top += 1 + max(fitted.values())
    return rows


def _first_fit(extents: Sequence[tuple[int, int]], order: Sequence[int]) -> dict[int, int]:
    """The first row for each interval in turn that is free there; in order of first columns, no row is too many."""
    taken: list[list[tuple[int, int]]] = []
    rows: dict[int, int] = {}
    for n in order:
        first, last = extents[n]
        free = (row for row, there in enumerate(taken) if all(b < first or last < a for a, b in there))
        rows[n] = next(free, len(taken))
        taken[rows[n] :] = taken[rows[n] :] or [[]]
        taken[rows[n]].append(extents[n])
    return rows
