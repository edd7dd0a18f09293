"""Which branches a kept set empties, and what leaves with them: numpy only.

A branch is emptied where a layer of its own has no filter left; then all of its layers leave, and nothing is added to
its shortcut. Dims of arrays: V distinct label vectors, T kept sets.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from legr.structure.types import BoolArray, Branch, Keep, Structure

Counts = NDArray[np.int64]


def emptied_branches(structure: Structure, keep: Keep) -> tuple[Branch, ...]:
    """The branches of which a layer has no filter left."""
    return tuple(
        branch
        for branch, places in zip(structure.branches, structure.vectors_of_branches, strict=True)
        if any(not keep.kept(structure.vectors[place]).any() for place in places)
    )


def without(keep: Keep, branches: Iterable[Branch]) -> Keep:
    """A kept set that keeps nothing of some branches."""
    units = keep.units.copy()
    for branch in branches:
        units[branch.units] = False
    return Keep(units)


def is_in(branch: Branch, parameter: str) -> bool:
    """Whether a parameter leaves with a branch."""
    return parameter in branch.parameters


def problem_with_layers(structure: Structure, keep: Keep) -> str:
    """What is wrong with a kept set that empties layers, in words; "" where all of them leave with their branch."""
    leave = np.zeros(structure.n_units + 1, dtype=bool)  # by label
    for branch in emptied_branches(structure, keep):
        left = int(keep.units[branch.units].sum())
        if left:
            return (
                f"keep must leave none of a branch or something of each of its layers, got one that empties a layer of "
                f"{branch.name} and keeps {left} other units of it; remove these as well"
            )
        leave[branch.units + 1] = True
    if any(not keep.kept(labels).any() and not leave[labels].all() for labels in structure.vectors):
        return "keep must leave a channel of every layer, got one that empties a layer; keep one of its units"
    return ""


def vectors_around(structure: Structure, parameter: str) -> tuple[int, ...]:
    """Label vectors of the branch that a parameter is in, places in `Structure.vectors`; none outside of branches."""
    return structure.branch_of_parameter.get(parameter, ())


def vectors_around_op(structure: Structure, number: int) -> tuple[int, ...]:
    """The same for one of the structure's operations."""
    return structure.branch_of_op.get(number, ())


def freed_by_branches(structure: Structure, counts: Counts) -> dict[int, Counts]:
    """Bytes that emptied branches free in live sets, int64[T] by the number of the live set.

    Args:
        counts: positions that each of T kept sets leaves of each distinct label vector, int64[V, T].
    """
    freed: dict[int, Counts] = {}
    for branch, places in zip(structure.branches, structure.vectors_of_branches, strict=True):
        leaves: BoolArray = (counts[list(places)] == 0).any(axis=0)
        for number, labels, size in branch.activations:
            channels = 1 if labels is None else counts[structure.vector_index[labels.tobytes()]]
            freed[number] = freed.get(number, 0) + leaves * (size * channels)
    return freed
