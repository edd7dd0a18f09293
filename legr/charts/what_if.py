"""What the network of a budget would cost if one layer kept another number of filters. No torch.

Dims of arrays: N numbers of filters that the layer could keep.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legr.charts.layer_filters import LayerFilters
from legr.ranking.footprints import Footprints
from legr.ranking.types import FloatArray
from legr.structure.cost import counts_of, totals
from legr.structure.types import Keep, LatencyModel, Structure


@dataclass(frozen=True, slots=True, eq=False)
class CostsByCount:
    """Costs of the whole network for each number of filters of one layer; all other layers stay as they are.

    Filters of other layers that leave together with those of this one come and go with them.

    Attributes:
        kept: int64[N], rising.
        macs, params: int64[N].
        latency_ms: float64[N], predicted; None: of no device.
    """

    kept: NDArray[np.int64]
    macs: NDArray[np.int64]
    params: NDArray[np.int64]
    latency_ms: FloatArray | None


def costs_by_count(
    structure: Structure,
    keep: Keep,
    filters: LayerFilters,
    kept: NDArray[np.int64] | None = None,
    device: LatencyModel | None = None,
) -> CostsByCount:
    """Costs for numbers of filters that a layer could keep, in the order in which its filters leave.

    Args:
        keep: the kept set of the budget.
        filters: of the layer, by the ranking; one filter stays at least.
        kept: int64[N], rising, some of `possible_numbers`; None: all of them.
        device: predicts latency.
    """
    units, _ = _units_in_order(filters)
    restored = keep.units.copy()
    restored[units] = True
    whole = counts_of(structure, Keep(restored))
    footprints = Footprints(structure)
    taken = footprints.positions[footprints.group_of[units]].cumsum(axis=0).T  # [V, units]
    counts = whole - np.concatenate((np.zeros_like(whole), taken), axis=1)
    possible = possible_numbers(filters)
    kept = possible if kept is None else kept
    counts = counts[:, : len(possible)][:, ::-1][:, np.searchsorted(possible, kept)]
    macs, params = totals(structure, counts)
    return CostsByCount(kept, macs, params, device.milliseconds(counts) if device else None)


def with_count(keep: Keep, filters: LayerFilters, kept: int) -> Keep:
    """The kept set in which a layer keeps another number of filters, those that the ranking would leave it.

    Args:
        kept: one of `possible_numbers`.
    """
    units, sizes = _units_in_order(filters)
    gone = int(np.searchsorted(np.cumsum(sizes), filters.layer.total - kept))
    found = keep.units.copy()
    found[units] = np.arange(len(units)) > gone if kept < filters.layer.total else True
    return Keep(found)


def possible_numbers(filters: LayerFilters) -> NDArray[np.int64]:
    """Numbers of filters that a layer could keep, int64[N], rising; filters of one unit leave together."""
    kept = filters.layer.total - np.concatenate(([0], np.cumsum(_units_in_order(filters)[1])))
    return kept[kept > 0][::-1]


def _units_in_order(filters: LayerFilters) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Units of a layer, the first to leave first, and how many of its filters each has."""
    layer = filters.layer
    labels = layer.labels[filters.numbers]
    units = list(dict.fromkeys((labels[labels > 0] - 1).tolist()))
    of_unit = np.bincount(layer.labels, minlength=max(units, default=0) + 2)
    return np.array(units, dtype=np.int64), of_unit[np.array(units, dtype=np.int64) + 1]
