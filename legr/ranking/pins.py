"""Pinned layers and removed blocks: which units leave before the first step."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from legr.errors import SettingsError
from legr.ranking.constraints import Constraints
from legr.ranking.footprints import Counts, Footprints
from legr.ranking.types import FloatArray
from legr.ranking.whole_blocks import removed_units
from legr.structure.types import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Pinned:
    """What pins and exclusions settle before a ranking begins."""

    removed: Counts  # int64[units that leave at once], least important first
    free: BoolArray  # bool[G]; groups whose units are still to be ranked


def pin(footprints: Footprints, constraints: Constraints, scores: FloatArray) -> Pinned:
    """Remove the blocks that are to go, and the lowest ranked units of every pinned layer until it has its count.

    No label vector is ever emptied: where everything in it is pinned, its most important unit stays.

    Raises:
        SettingsError: a layer cannot have the count it is pinned to.
    """
    excluded = footprints.groups_in(constraints.excluded)
    order = np.argsort(scores, kind="stable")
    whole = removed_units(footprints, constraints)
    settled, removed = excluded.copy(), order[whole[order]]
    settled[footprints.group_of[removed]] = True
    pinned_groups = footprints.groups_in(constraints.pins) & ~excluded
    stay = _units_that_stay(footprints, pinned_groups, order) if constraints.pins else set()
    settled_layers = list(constraints.excluded)
    for layer in footprints.structure.layers:
        if layer.name not in constraints.pins:
            continue
        vector = footprints.vector_of[layer.name]
        open_groups = (footprints.positions[:, vector] > 0) & ~settled
        units = [unit for unit in order[open_groups[footprints.group_of[order]]].tolist() if unit not in stay]
        sizes = footprints.positions[footprints.group_of[units], vector].tolist()
        left = layer.total - int(footprints.taken(removed)[vector])
        chosen = _first_that_sum_to(left - constraints.pins[layer.name], sizes)
        if chosen is None:
            raise SettingsError(_refusal(footprints, constraints, layer.name, sizes, left, settled_layers))
        removed = np.concatenate((removed, np.array([units[i] for i in chosen], dtype=np.int64)))
        settled |= open_groups
        settled_layers.append(layer.name)
    return Pinned(order[np.isin(order, removed)] if len(removed) else removed, ~settled)


def _units_that_stay(footprints: Footprints, pinned: BoolArray, order: Counts) -> set[int]:
    """For every label vector that pins alone could empty, its most important unit.

    Args:
        pinned: groups in pinned layers, bool[G].
        order: units, least important first, int64[U].
    """
    stay: set[int] = set()
    has_unprunable = footprints.lengths > footprints.sizes @ footprints.positions  # bool[V]
    has_others = (footprints.positions[~pinned] > 0).any(axis=0)  # units that no pin removes
    at_risk = ~has_others & ~has_unprunable & (footprints.lengths > 0)
    for vector in sorted(np.flatnonzero(at_risk).tolist(), key=lambda v: int(footprints.lengths[v])):
        units = order[(footprints.positions[:, vector] > 0)[footprints.group_of[order]]].tolist()
        if stay.isdisjoint(units):
            stay.add(units[-1])
    return stay


def _reachable_sums(sizes: Sequence[int]) -> list[int]:
    """For each suffix of `sizes`, what some of its members can add up to: bit n is set where n can be reached."""
    sums = [1]
    for size in reversed(sizes):
        sums.append(sums[-1] | sums[-1] << size)
    return sums[::-1]


def _first_that_sum_to(total: int, sizes: Sequence[int]) -> list[int] | None:
    """Places of members that add up to `total`, each as early as the rest allows; None where none do."""
    sums = _reachable_sums(sizes)
    if total < 0 or not sums[0] >> total & 1:
        return None
    chosen = []
    for place, (size, rest) in enumerate(zip(sizes, sums[1:], strict=True)):
        if size <= total and rest >> (total - size) & 1:
            chosen.append(place)
            total -= size
    return chosen


def _refusal(
    footprints: Footprints,
    constraints: Constraints,
    layer: str,
    sizes: Sequence[int],
    left: int,
    settled_layers: Sequence[str],
) -> str:
    """Why a layer with `left` channels cannot have the pinned count, once `settled_layers` have theirs."""
    pinned, sums = constraints.pins[layer], _reachable_sums(sizes)[0]
    counts = sorted(left - size for size in range(left + 1) if sums >> size & 1)
    place = bisect_left(counts, pinned)
    remedy = "pin it to " + " or ".join(str(count) for count in counts[max(0, place - 1) : place + 1])
    groups = footprints.groups_in([layer])
    sharing = next((name for name in settled_layers if (footprints.groups_in([name]) & groups).any()), None)
    if sharing is not None:
        how = f"pinned to {constraints.pins[sharing]}" if sharing in constraints.pins else "excluded"
        reason = f"it shares channels with {sharing}, which is {how}"
    elif pinned < counts[0]:
        reason = f"{counts[0]} of its channels always stay"
    else:
        reason = f"its channels leave in lumps of {' and '.join(map(str, sorted(set(sizes))))}"
    return f"{layer} cannot be pinned to {pinned}, because {reason}; {remedy}"
