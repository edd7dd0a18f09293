"""Which layers lose their filters together, laid out as lanes over the layers in order of execution."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.budget_dial.types import LaneData, LanesData
from legr.structure.types import Structure


@dataclass(frozen=True, slots=True)
class Lane:
    """Layers that share units, directly or through other layers, and the layers that read their channels.

    It runs from its first column to its last. A fixed lane is a single layer that cannot be pruned.
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
class LaneLayout:
    """The lanes of a network, packed into rows in which no two lanes overlap.

    Every layer is a column, and writes exactly one lane. Layers that run in training only come last and are no readers:
    they take no part in a forward pass that is measured.
    """

    columns: tuple[str, ...]  # names of all layers, in order of execution
    lanes: tuple[Lane, ...]  # by first column; fixed ones last

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return 1 + max((lane.row for lane in self.lanes), default=-1)

    def to_dict(self) -> LanesData:
        """As the browser reads it."""
        lanes: list[LaneData] = [
            {
                "row": lane.row,
                "writers": lane.writers,
                "readers": lane.readers,
                "shortcuts": lane.shortcuts,
                "fixed": lane.fixed,
            }
            for lane in self.lanes
        ]
        return {"columns": self.columns, "lanes": lanes, "n_rows": self.n_rows}


def lay_out_lanes(structure: Structure) -> LaneLayout:
    """Find the lanes of a network and pack them.

    A lane that encloses others lies above them. Lanes of one level share as few rows as possible. Layers that cannot be
    pruned share the last row.
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
    unplaced = [
        Lane(0, tuple(sorted(columns)), tuple(sorted(readers[lane] - set(columns))), tuple(shortcuts[lane]))
        for lane, columns in writers.items()
    ]
    unplaced.sort(key=lambda lane: lane.first)
    rows = pack([(lane.first, lane.last) for lane in unplaced])
    last_row = 1 + max(rows, default=-1)
    fixed = sorted(set(range(len(weights))).difference(*writers.values()))
    return LaneLayout(
        columns=tuple(weights.values()),
        lanes=(
            *(replace(lane, row=row) for lane, row in zip(unplaced, rows, strict=True)),
            *(Lane(last_row, (column,), (), (), fixed=True) for column in fixed),
        ),
    )


def _weights(structure: Structure) -> dict[str, str]:
    """The weight and name of every layer, in order of execution.

    A layer is named as in `Structure.layers`; one that cannot be pruned is named after its weight. Matrix products of
    two activations are no layers, nor are convolutions whose filters are a buffer.
    """
    executed = [op.parameter or f"{op.module}.weight" for op in structure.ops]
    names = {weight: weight.removesuffix(".weight") for weight in executed if weight in structure.shapes}
    return names | {layer.parameter: layer.name for layer in structure.layers}  # those already in keep their place


def _lane_of_units(structure: Structure) -> NDArray[np.int32]:
    """The lane of every label, int32[U + 1]; -1: none. All units of one layer are in one lane."""
    lane_of = np.full(structure.n_units + 1, -1, dtype=np.int32)
    for number, layer in enumerate(structure.layers):
        units = layer.labels[layer.labels > 0]
        merged = _distinct(lane_of[units])
        if merged:
            lane_of[np.isin(lane_of, merged)] = number
        lane_of[units] = number
    return lane_of


def _distinct(lanes: NDArray[np.int32]) -> list[int]:
    return [lane for lane in np.unique(lanes).tolist() if lane >= 0]


def pack(extents: Sequence[tuple[int, int]]) -> list[int]:
    """Give every interval a row, so that no two in a row overlap and an interval lies above those that it encloses.

    Args:
        extents: first and last column of each, sorted by the first.
    """
    levels = [0] * len(extents)
    for n in sorted(range(len(extents)), key=lambda n: extents[n][1] - extents[n][0]):  # inner ones first
        first, last = extents[n]
        enclosed = [level for level, (a, b) in zip(levels, extents, strict=True) if first < a and b < last]
        levels[n] = 1 + max(enclosed, default=-1)
    rows, top = [0] * len(extents), 0
    for level in sorted(set(levels), reverse=True):
        same = [n for n in range(len(extents)) if levels[n] == level]
        by_length = sorted(same, key=lambda n: extents[n][0] - extents[n][1])
        fewest_rows, long_on_top = _first_fit(extents, same), _first_fit(extents, by_length)
        fitted = long_on_top if max(long_on_top.values()) <= max(fewest_rows.values()) else fewest_rows
        for n, row in fitted.items():
            rows[n] = top + row
        top += 1 + max(fitted.values())
    return rows


def _first_fit(extents: Sequence[tuple[int, int]], order: Sequence[int]) -> dict[int, int]:
    """Put each interval in turn into the first row that is free there.

    In the order of first columns this takes as few rows as possible.
    """
    taken: list[list[tuple[int, int]]] = []
    rows: dict[int, int] = {}
    for n in order:
        first, last = extents[n]
        free = (row for row, others in enumerate(taken) if all(b < first or last < a for a, b in others))
        rows[n] = next(free, len(taken))
        taken[rows[n] :] = taken[rows[n] :] or [[]]
        taken[rows[n]].append(extents[n])
    return rows
