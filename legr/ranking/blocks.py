"""From scores to the steps of a ranking: blocks of units that leave together, above every floor.

Example: a layer of 10 filters, in multiples of 4, with a floor of 2. The first block is the 2 least important
filters, which leaves 8, a multiple of 4. The others have 4 filters each. One more leaves 4; a third would leave 0,
which is below the floor, so it stays. The steps of the ranking are 10, 8, 4.

Dims of arrays: U units, G groups, V distinct label vectors, B blocks.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from legr.ranking.constraints import Constraints
from legr.ranking.footprints import Counts, Footprints
from legr.ranking.pins import pin
from legr.ranking.types import FloatArray, Ranking
from legr.ranking.whole_blocks import last_steps, leaving_branches
from legr.structure.types import BoolArray, readonly


def floor_of(total: int) -> int:
    """Filters that a layer of `total` keeps at least: a tenth, rounded up, and two (LeGR's reference)."""
    return min(total, max(2, -(-total // 10)))


def order_blocks(footprints: Footprints, scores: FloatArray, constraints: Constraints) -> Ranking:
    """Order the units of a network by score, least important first, in blocks that meet the constraints.

    Groups that share a layer are a family. Its first block brings all its layers to multiples of
    `constraints.multiple`; every other block is of one group, and as small as multiples allow. A family that
    cannot be brought to multiples is untouched. Blocks go by their mean score, a family's first block before its
    others; one that would break a floor never goes.

    Args:
        scores: importance of every unit, float64[U].

    Raises:
        SettingsError: the network has no such layers, or cannot have a pinned count.
    """
    constraints.check(footprints.structure)
    if not footprints.structure.groups:
        return Ranking(readonly([]), scores, readonly([0]))
    pinned = pin(footprints, constraints, scores)
    left = footprints.lengths - footprints.taken(pinned.removed)
    room = _Room(left, spare=left - _floors(footprints, constraints))
    families = _families(footprints, pinned.free, room.spare)
    blocks = _cut_families(footprints, families, scores, room, constraints.multiple)
    sequence = _by_score(blocks)
    sequence = sequence[_affordable(footprints, blocks, sequence, room.spare)]
    blocks, sequence = _with_last_steps(footprints, blocks, sequence, scores, constraints)
    order = np.concatenate((pinned.removed, blocks.units_in(sequence)))
    ends = len(pinned.removed) + np.concatenate(([0], np.cumsum(blocks.sizes[sequence])))
    return Ranking(readonly(order), scores, readonly(ends))


def _with_last_steps(
    footprints: Footprints, blocks: "_Blocks", sequence: Counts, scores: FloatArray, constraints: Constraints
) -> tuple["_Blocks", Counts]:
    """The blocks and their sequence, with the last step of every branch that may leave."""
    branches = leaving_branches(footprints, constraints)
    if not branches:
        return blocks, sequence
    steps = np.split(blocks.units_in(sequence), np.cumsum(blocks.sizes[sequence])[:-1]) if len(sequence) else []
    last = last_steps(branches, scores, steps, blocks.scores[sequence])
    numbers = len(blocks.sizes) + np.arange(len(last))
    means = np.array([scores[units].mean() for _, units in last])
    sizes, units = np.array([len(units) for _, units in last]), np.concatenate([units for _, units in last])
    joined = _join([blocks, _Blocks(np.full(len(last), -1), sizes, means, units)])
    return joined, np.insert(sequence, [place for place, _ in last], numbers)


class _Room(NamedTuple):
    """Positions of each label vector, int64[V] each."""

    left: Counts  # after pins
    spare: Counts  # those of them that may go: the others are below the floor


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Some blocks; those of one group stand in the order in which they leave.

    Example: a group 0 of which units 4, 7, 1, 3 leave in pairs, and a group 1 of which unit 9 leaves alone:
    `groups` [0, 0, 1], `sizes` [2, 2, 1], `units` [4, 7, 1, 3, 9], `starts` [0, 2, 4].
    """

    groups: Counts  # int64[B]; -1 - f for the first block of the family f
    sizes: Counts  # int64[B], units of each block
    scores: FloatArray  # float64[B], mean score of each block
    units: Counts  # int64[sum of sizes], those of all blocks, one after another

    @property
    def starts(self) -> Counts:
        """Where the units of each block begin in `units`, int64[B]."""
        starts: Counts = np.cumsum(self.sizes) - self.sizes
        return starts

    def units_in(self, sequence: Counts) -> Counts:
        """The units of a sequence of blocks, one block after another.

        Example (see above): of the blocks [2, 0] these are units[[4, 0, 1]] = [9, 4, 7].
        """
        sizes = self.sizes[sequence]  # [1, 2]
        new_starts = np.cumsum(sizes) - sizes  # [0, 1]
        moved_by = np.repeat(self.starts[sequence] - new_starts, sizes)  # [4, -1, -1]
        units: Counts = self.units[np.arange(sizes.sum()) + moved_by]
        return units


_NO_UNITS = np.zeros(0, dtype=np.int64)
_NO_BLOCKS = _Blocks(_NO_UNITS, _NO_UNITS, np.zeros(0), _NO_UNITS)


def _join(parts: list[_Blocks]) -> _Blocks:
    if not parts:
        return _NO_BLOCKS
    return _Blocks(
        np.concatenate([part.groups for part in parts]),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.units for part in parts]),
    )


# -- floors and families ---------------------------------------------------------------------------------------


def _floors(footprints: Footprints, constraints: Constraints) -> Counts:
    """For each label vector, how many positions stay at least, int64[V]."""
    floors = np.ones(len(footprints.lengths), dtype=np.int64)
    for layer in footprints.structure.layers:
        floors[footprints.vector_of[layer.name]] = floor_of(layer.total)
    chosen: dict[int, int] = {}  # of layers that share a vector, the highest floor
    for name, floor in constraints.floors.items():
        vector = footprints.vector_of[name]
        chosen[vector] = max(floor, chosen.get(vector, 1))
    floors[list(chosen)] = list(chosen.values())
    return floors


def _families(footprints: Footprints, free: BoolArray, spare: Counts) -> Counts:
    """Number the groups so that those that must be cut together have one number, int64[G]; -1 is not free.

    Together: groups in one layer's filters, or in a label vector that they could exhaust between them.
    """
    families = np.where(free, np.cumsum(free) - 1, -1)
    inside = (footprints.positions > 0) & free[:, None]  # bool[G, V]
    room = np.where(inside, spare // np.maximum(footprints.positions, 1), footprints.sizes[:, None])  # units
    most = np.clip(room.min(axis=1), 0, footprints.sizes)  # units that each group could lose by itself, int64[G]
    exhausted = (most * free) @ footprints.positions > spare  # bool[V]
    for vector in np.flatnonzero((exhausted | footprints.is_scored) & (inside.sum(axis=0) > 1)).tolist():
        together = np.unique(families[inside[:, vector]])
        families[np.isin(families, together)] = together[0]
    return families


# -- cutting ---------------------------------------------------------------------------------------------------


def _cut_families(footprints: Footprints, families: Counts, scores: FloatArray, room: _Room, multiple: int) -> _Blocks:
    """Cut the units of every family into blocks.

    Args:
        families: of each group, as `_families` numbers them, int64[G].
    """
    by_score = np.argsort(scores, kind="stable")
    family_of = families[footprints.group_of[by_score]]  # of each unit in that order
    by_family = by_score[np.argsort(family_of, kind="stable")]  # family after family, each by score
    bounds = np.searchsorted(np.sort(family_of), np.arange(families.max() + 2))  # where each family begins, and the end
    return _join(
        [
            part
            for start, end in pairwise(bounds.tolist())
            for part in _cut_family(footprints, by_family[start:end], scores, room, multiple)
        ]
    )


def _cut_family(footprints: Footprints, units: Counts, scores: FloatArray, room: _Room, multiple: int) -> list[_Blocks]:
    """Cut the units of a family, given by score, into blocks: for each group, then the family's first block."""
    if not len(units):
        return []
    first = _first_block(footprints, units, room, multiple) if multiple > 1 else _NO_UNITS
    if first is None:
        return []
    groups = footprints.group_of[units]
    members = np.flatnonzero(np.bincount(groups)).tolist()
    spare = room.spare - footprints.taken(first)
    later = []
    for group in members:
        left = units[(groups == group) & ~np.isin(units, first)]
        blocks = _cut_group(footprints, group, left, scores, spare, multiple)
        if blocks is not None:
            later.append(blocks)
    if not len(first):
        return later
    score = min(float(scores[first].mean()), *(float(blocks.scores[0]) for blocks in later), np.inf)
    return [*later, _Blocks(np.array([-1 - members[0]]), np.array([len(first)]), np.array([score]), first)]


def _cut_group(
    footprints: Footprints, group: int, units: Counts, scores: FloatArray, spare: Counts, multiple: int
) -> _Blocks | None:
    """Cut the units of one group, given by score, into blocks of one size; None where not even one can go."""
    positions = footprints.positions[group]
    inside = np.flatnonzero(positions)  # vectors that the group stands in
    per_unit = positions[inside[footprints.is_scored[inside]]]  # filters of each layer that go with one unit
    size = int((multiple // np.gcd(per_unit, multiple)).max(initial=1))  # the fewest units that leave multiples again
    n_blocks = min(len(units), int((spare[inside] // positions[inside]).min())) // size
    if n_blocks <= 0:
        return None
    units = units[: n_blocks * size]
    means = scores[units].reshape(n_blocks, size).mean(axis=1)
    return _Blocks(np.full(n_blocks, group), np.full(n_blocks, size), means, units)


def _first_block(footprints: Footprints, units: Counts, room: _Room, multiple: int) -> Counts | None:
    """The least important units of a family that bring all its layers to multiples; None where none do."""
    groups = footprints.group_of[units].tolist()
    rows = {group: footprints.positions[group] for group in set(groups)}
    needs = {group: [(v, int(row[v])) for v in np.flatnonzero(row).tolist()] for group, row in rows.items()}
    layers = {vector for need in needs.values() for vector, _ in need if footprints.is_scored[vector]}
    left, spare = room.left.tolist(), room.spare.tolist()
    removed: list[int] = []
    for unit, group in zip(units.tolist(), groups, strict=True):
        if all(left[vector] % multiple == 0 for vector in layers):
            break
        if all(spare[vector] >= count for vector, count in needs[group]):
            for vector, count in needs[group]:
                left[vector] -= count
                spare[vector] -= count
            removed.append(unit)
    return np.array(removed, dtype=np.int64) if all(left[vector] % multiple == 0 for vector in layers) else None


# -- the sequence ----------------------------------------------------------------------------------------------


def _by_score(blocks: _Blocks) -> Counts:
    """The blocks in the order of their turns, int64[B]: by mean score; a family's first block before its others."""
    first_units = blocks.units[blocks.starts]
    is_later = blocks.groups >= 0
    sequence = np.lexsort((first_units, is_later, blocks.scores))  # the last key counts most
    return _restore_order_in_groups(sequence, blocks.groups)


def _restore_order_in_groups(sequence: Counts, groups: Counts) -> Counts:
    """The same sequence of groups, with the blocks of each group in their own order.

    Rounding can make the mean of a block smaller than that of an earlier one, where all their scores are equal.

    Example: groups [0, 0, 1], sequence [1, 2, 0]. In turn these are blocks of the groups 0, 1, 0. The blocks of
    group 0 are 0 and 1, and its turns the first and the last: [0, 2, 1].
    """
    turns = np.argsort(groups[sequence], kind="stable")  # of group 0, then of group 1: [0, 2, 1]
    restored = np.empty_like(sequence)
    restored[turns] = np.argsort(groups, kind="stable")  # blocks of group 0, then of group 1: [0, 1, 2]
    return restored


def _affordable(footprints: Footprints, blocks: _Blocks, sequence: Counts, spare: Counts) -> BoolArray:
    """Which blocks of a sequence leave, bool[len(sequence)].

    A block leaves if, at its turn, every label vector that it stands in can spare its positions.
    """
    leaves = np.ones(len(sequence), dtype=bool)
    scarce = np.flatnonzero(footprints.taken(blocks.units) > spare)  # vectors that cannot spare all blocks, S of them
    if not len(scarce):
        return leaves
    needs = _needs(footprints, blocks, scarce)[sequence]  # int64[len(sequence), S]
    still_spare = spare[scarce]
    for turn in np.flatnonzero(needs.any(axis=1)).tolist():
        need = needs[turn]
        if (need <= still_spare)[need > 0].all():
            still_spare = still_spare - need
        else:
            leaves[turn] = False
    return leaves


def _needs(footprints: Footprints, blocks: _Blocks, vectors: Counts) -> Counts:
    """Positions that each block takes in each of some label vectors, int64[B, len(vectors)]."""
    is_first = blocks.groups < 0  # of several groups
    needs: Counts = blocks.sizes[:, None] * footprints.positions[:, vectors][np.where(is_first, 0, blocks.groups)]
    starts = blocks.starts
    for block in np.flatnonzero(is_first).tolist():
        units = blocks.units[starts[block] : starts[block] + blocks.sizes[block]]
        needs[block] = footprints.taken(units)[vectors]
    return needs
