"""Blocks of the network that leave whole: those that a user removes, and the last step of each of the others.

Example: of the layers of a block a ranking takes 28 of 32 filters and 14 of 16; the others are below their floors.
Where blocks may leave, its last step takes the 6 that are left, and with them all of its layers. It comes after the
other steps of the block, where the mean score of its units has its turn.

Dims of arrays: U units, G groups.
"""

from collections.abc import Sequence

import numpy as np

from legr.ranking.constraints import Constraints
from legr.ranking.footprints import Counts, Footprints
from legr.ranking.types import FloatArray
from legr.structure.branches import is_in
from legr.structure.types import BoolArray, Branch


def removed_units(footprints: Footprints, constraints: Constraints) -> BoolArray:
    """Units of the blocks that a user removes, bool[U]."""
    units = np.zeros(footprints.structure.n_units, dtype=bool)
    for branch in footprints.structure.branches:
        units[branch.units] = branch.name in constraints.removed_blocks
    return units


def leaving_branches(footprints: Footprints, constraints: Constraints) -> list[Branch]:
    """The branches that may have a last step: no layer of theirs is excluded or pinned."""
    structure = footprints.structure
    if not constraints.blocks:
        return []
    settled = {*constraints.kept_blocks, *constraints.removed_blocks}
    fixed = {*constraints.excluded, *constraints.pins}
    parameters = [layer.parameter for layer in structure.layers if layer.name in fixed]
    return [
        branch
        for branch, own in zip(structure.branches, structure.vectors_of_branches, strict=True)
        if branch.name not in settled
        and not any(is_in(branch, name) for name in parameters)
        and _empties_nothing_else(footprints, branch, own)
    ]


def _empties_nothing_else(footprints: Footprints, branch: Branch, own: Sequence[int]) -> bool:
    """Whether every other label vector that its units stand in has a position that never leaves."""
    groups = np.unique(footprints.group_of[branch.units])
    touched = footprints.positions[groups].sum(axis=0) > 0
    touched[list(own)] = False
    vectors = footprints.structure.vectors
    return all((vectors[place] == 0).any() for place in np.flatnonzero(touched).tolist())


def last_steps(
    branches: Sequence[Branch], scores: FloatArray, steps: Sequence[Counts], step_scores: FloatArray
) -> list[tuple[int, Counts]]:
    """The last step of each branch: before which of the steps it comes, and the units that it takes.

    Args:
        scores: importance of every unit, float64[U].
        steps: units of each step so far, in their order.
        step_scores: mean score of each of them.
    """
    step_of = np.full(len(scores), -1)
    for number, units in enumerate(steps):
        step_of[units] = number
    so_far = np.maximum.accumulate(step_scores) if len(steps) else step_scores
    found: list[tuple[int, Counts]] = []
    for branch in branches:
        units = branch.units.astype(np.int64)
        left: Counts = units[step_of[units] < 0]
        left = left[np.argsort(scores[left], kind="stable")]
        turn = int(np.searchsorted(so_far, scores[left].mean(), side="right"))
        found.append((max(turn, int(step_of[units].max()) + 1), left))
    return sorted(found, key=lambda pair: (pair[0], float(scores[pair[1]].mean())))
