"""From scores to the steps of a ranking: blocks of units that leave together, above every floor.

It does not know where scores come from, nor costs or budgets; numpy only.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from legr.ranking.constraints import Constraints
from legr.ranking.footprints import Counts, Footprints
from legr.ranking.pins import pin
from legr.ranking.types import FloatArray, Ranking
from legr.structure.types import BoolArray, readonly


def floor_of(total: int) -> int:
    """Filters that a layer of `total` keeps at least: a tenth, rounded up, and two (LeGR's reference)."""
    return min(total, max(2, -(-total // 10)))


def order_blocks(footprints: Footprints, scores: FloatArray, shape: Constraints) -> Ranking:
    """Order the units of a network by score, least important first, in blocks that keep its shape.

    Groups that share a layer are a family. Its first block brings all its layers to multiples of
    `shape.multiple`; every other block is of one group, and as small as multiples allow. A family that cannot
    be brought to multiples is untouched. Blocks go by their mean score, a family's first block before its
    others; one that would break a floor never goes.

    Raises:
        SettingsError: the network has no such layers, or cannot have a pinned count.
    """
    shape.check(footprints.structure)
    if not footprints.structure.groups:
        return Ranking(readonly([]), scores, readonly([0]))
    pinned = pin(footprints, shape, scores)
    left = footprints.lengths - footprints.taken(pinned.removed)
    spare = left - _floors(footprints, shape)
    families = _families(footprints, pinned.free, spare)
    order = np.argsort(scores, kind="stable")
    owners = families[footprints.group_of[order]]
    order = order[np.argsort(owners, kind="stable")]
    bounds = np.searchsorted(np.sort(owners), np.arange(families.max() + 2))
    found = [
        cut
        for start, end in pairwise(bounds.tolist())
        for cut in _cut(footprints, order[start:end], scores, (left, spare), shape.multiple)
    ]
    blocks = _Blocks(*(np.concatenate(column) for column in zip(*found, strict=True))) if found else _NONE
    begins = np.cumsum(blocks.sizes) - blocks.sizes
    turns = np.lexsort((blocks.units[begins], blocks.groups >= 0, blocks.scores))
    turns = _in_turn(turns, blocks.groups)
    turns = turns[_within(footprints, blocks, begins, turns, spare)]
    ends = len(pinned.removed) + np.concatenate(([0], np.cumsum(blocks.sizes[turns])))
    places = np.repeat(begins[turns] - ends[:-1], blocks.sizes[turns]) + np.arange(ends[0], ends[-1])
    return Ranking(readonly(np.concatenate((pinned.removed, blocks.units[places]))), scores, readonly(ends))


class _Blocks(NamedTuple):
    """Some blocks, B of them; those of one group stand in their own turn."""

    groups: Counts  # [B]; -1 - family for the first block of a family
    sizes: Counts  # [B]
    scores: FloatArray  # [B]
    units: Counts  # those of all blocks, one after another


_NO_UNITS = np.zeros(0, dtype=np.int64)
_NONE = _Blocks(_NO_UNITS, _NO_UNITS, np.zeros(0), _NO_UNITS)


def _floors(footprints: Footprints, shape: Constraints) -> Counts:
    """For each label vector, how many positions stay at least, int64[V]."""
    floors = np.ones(len(footprints.lengths), dtype=np.int64)
    for layer in footprints.structure.layers:
        floors[footprints.vector_of[layer.name]] = floor_of(layer.total)
    asked: dict[int, int] = {}
    for name, floor in shape.floors.items():  # of layers with one vector, the highest floor asked for
        vector = footprints.vector_of[name]
        asked[vector] = max(floor, asked.get(vector, 1))
    floors[list(asked)] = list(asked.values())
    return floors


def _families(footprints: Footprints, free: BoolArray, spare: Counts) -> Counts:
    """Number the groups so that those that must be cut together have one number, int64[G]; -1 is not free.

    Together: groups in one layer's filters, or in a label vector that they could exhaust between them.
    """
    families = np.where(free, np.cumsum(free) - 1, -1)
    inside = (footprints.positions > 0) & free[:, None]
    room = np.where(inside, spare // np.maximum(footprints.positions, 1), footprints.sizes[:, None])
    most = np.clip(room.min(axis=1), 0, footprints.sizes)  # units that each group could lose by itself
    binding = (most * free) @ footprints.positions > spare
    for vector in np.flatnonzero((binding | footprints.is_scored) & (inside.sum(axis=0) > 1)).tolist():
        together = np.unique(families[inside[:, vector]])
        families[np.isin(families, together)] = together[0]
    return families


def _cut(
    footprints: Footprints, units: Counts, scores: FloatArray, room: tuple[Counts, Counts], multiple: int
) -> list[_Blocks]:
    """Cut the units of a family, given by score, into blocks.

    Args:
        room: for each label vector, positions that are there, and those of them that may go, int64[V] each.
    """
    groups = footprints.group_of[units]
    members = np.flatnonzero(np.bincount(groups, minlength=1)).tolist() if len(units) else []
    first = _first_block(footprints, units, room, multiple) if multiple > 1 else units[:0]
    if first is None:
        return []
    spare = room[1] - footprints.taken(first)
    found = []
    for group in members:
        positions = footprints.positions[group]
        inside = np.flatnonzero(positions)
        lumps = positions[inside[footprints.is_scored[inside]]]
        size = int((multiple // np.gcd(lumps, multiple)).max(initial=1))  # the fewest units that leave multiples again
        own = units[(groups == group) & ~np.isin(units, first)]
        most = min(len(own), int((spare[inside] // positions[inside]).min())) // size
        if most > 0:
            own = own[: most * size]
            means = scores[own].reshape(most, size).mean(axis=1)
            found.append(_Blocks(np.full(most, group), np.full(most, size), means, own))
    if len(first):
        mean = min(float(scores[first].mean()), *(float(block.scores[0]) for block in found), np.inf)
        found.append(_Blocks(np.array([-1 - members[0]]), np.array([len(first)]), np.array([mean]), first))
    return found


def _first_block(footprints: Footprints, units: Counts, room: tuple[Counts, Counts], multiple: int) -> Counts | None:
    """The least important units of a family that bring all its layers to multiples; None where none do."""
    groups = footprints.group_of[units].tolist()
    rows = {group: footprints.positions[group] for group in set(groups)}
    needs = {group: [(v, int(row[v])) for v in np.flatnonzero(row).tolist()] for group, row in rows.items()}
    layers = {vector for need in needs.values() for vector, _ in need if footprints.is_scored[vector]}
    there, may_go = room[0].tolist(), room[1].tolist()
    gone: list[int] = []
    for unit, group in zip(units.tolist(), groups, strict=True):
        if all(there[vector] % multiple == 0 for vector in layers):
            break
        if all(may_go[vector] >= count for vector, count in needs[group]):
            for vector, count in needs[group]:
                there[vector] -= count
                may_go[vector] -= count
            gone.append(unit)
    return np.array(gone, dtype=np.int64) if all(there[vector] % multiple == 0 for vector in layers) else None


def _in_turn(turns: Counts, groups: Counts) -> Counts:
    """The same order of groups, with the blocks of each in their own turn where rounding made means equal."""
    found = np.empty_like(turns)
    found[np.argsort(groups[turns], kind="stable")] = np.argsort(groups, kind="stable")
    return found


def _within(footprints: Footprints, blocks: _Blocks, begins: Counts, turns: Counts, spare: Counts) -> BoolArray:
    """Which blocks go, in turn: those whose turn comes while no label vector would be left with too little."""
    go = np.ones(len(turns), dtype=bool)
    scarce = np.flatnonzero(footprints.taken(blocks.units) > spare)  # only what several groups can exhaust
    if len(scarce):
        needs = blocks.sizes[:, None] * footprints.positions[blocks.groups][:, scarce]
        for block in np.flatnonzero(blocks.groups < 0).tolist():  # of several groups
            own = blocks.units[begins[block] : begins[block] + blocks.sizes[block]]
            needs[block] = footprints.taken(own)[scarce]
        needs, may_go = needs[turns], spare[scarce]
        for place in np.flatnonzero(needs.any(axis=1)).tolist():
            if (needs[place] <= may_go)[needs[place] > 0].all():
                may_go = may_go - needs[place]
            else:
                go[place] = False
    return go
