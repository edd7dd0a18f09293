"""Kept sets that find out what is wrong with a structure."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from legr.structure.branches import without
from legr.structure.copies import at_least_one
from legr.structure.types import BoolArray, IntArray, Keep, Structure

_SHARE_BESIDE_EMPTIED = 0.6  # of the units, in a thinned network of which branches are emptied
_SHARES_OF_HALVES = ((0.85, 0.1), (0.1, 0.85))  # kept in the front half of every layer, and in the back


def separating_kept_sets(structure: Structure) -> Iterator[Keep]:
    """Kept sets that separate every pair of units: at least one keeps one of the two and removes the other.

    For each bit of the unit number there are two: units with the bit, and units without it. Where a layer would
    be left empty a unit is put back; pairs that this leaves together are separated by further kept sets.
    """
    numbers = np.arange(structure.n_units)
    patterns = np.zeros(structure.n_units, dtype=np.int64)  # units with one pattern were kept by the same kept sets
    bits = max(structure.n_units - 1, 1).bit_length() if structure.n_units else 0
    by_bit = ((numbers >> bit & 1) != value for bit in range(bits) for value in (1, 0))
    for kept in chain(by_bit, (_halve(patterns) for _ in range(bits))):
        units = at_least_one(structure, kept)
        if not units.all():
            patterns[:] = np.unique(2 * patterns + units, return_inverse=True)[1]
            yield Keep(units)


def _halve(patterns: NDArray[np.int64]) -> BoolArray:
    """Keep every second one of the units that no kept set has separated yet, bool[U].

    Example: patterns [0, 1, 0, 0, 1]. Units 0, 2, 3 are not separated, nor are 1 and 4: keep 0 and 3, and 1.
    """
    order = np.argsort(patterns, kind="stable")  # [0, 2, 3, 1, 4]
    starts = np.searchsorted(patterns[order], patterns[order])  # where each pattern begins: [0, 0, 0, 3, 3]
    units = np.ones(len(patterns), dtype=bool)
    units[order] = (np.arange(len(order)) - starts) % 2 == 0  # [True, False, True, True, False]
    return units


def lopsided_kept_sets(structure: Structure) -> Iterator[Keep]:
    """Two kept sets: one keeps more of the front half of every layer than of its back, the other more of the back.

    A forward that takes halves or quarters of the channels, and relies on their being equal, is found out. Where layers
    share units, one of them may be left with halves as large.
    """
    if not structure.n_units:
        return
    depth = _position_in_layer(structure)
    for seed, (front, back) in enumerate(_SHARES_OF_HALVES):
        share = np.where(depth < 0.5, front, back)
        units = np.random.default_rng(seed).random(structure.n_units) < share
        for labels in sorted(structure.vectors, key=len):
            ends = labels[: len(labels) // 2], labels[len(labels) // 2 :]
            _tip(units, *(ends if front > back else reversed(ends)))
        yield Keep(at_least_one(structure, units))


def emptying_kept_sets(structure: Structure) -> Iterator[Keep]:
    """Kept sets that empty branches: all of them and nothing else, half of them in a thinned network, and one."""
    branches, rng = structure.branches, np.random.default_rng(0)
    if not branches:
        return
    whole = Keep(np.ones(structure.n_units, dtype=bool))
    yield without(whole, branches)
    thinned = Keep(at_least_one(structure, rng.random(structure.n_units) < _SHARE_BESIDE_EMPTIED))
    yield without(thinned, branches[::2])
    if len(branches) > 1:
        yield without(whole, branches[-1:])


def _tip(units: BoolArray, larger: IntArray, smaller: IntArray) -> None:
    """Keep more of one half of a layer than of the other, as far as units allow it."""
    keep = Keep(units)
    lacking = int(keep.kept(smaller).sum()) - int(keep.kept(larger).sum()) + 1
    for labels, kept in ((larger, True), (smaller, False)):
        free = np.unique(labels[labels > 0]) - 1
        changed = free[units[free] != kept][: max(lacking, 0)]
        units[changed] = kept
        lacking -= len(changed)


def _position_in_layer(structure: Structure) -> NDArray[np.float64]:
    """Where every unit lies among the channels of a layer, from 0 (first) to 1 (last), float64[U]."""
    positions = np.full(structure.n_units, 0.5)
    for labels in sorted(structure.vectors, key=len):  # longest last: shorter ones may be a part of it
        free = labels > 0
        positions[labels[free] - 1] = np.linspace(0.0, 1.0, len(labels))[free]
    return positions
