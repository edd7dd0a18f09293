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
from legr.structure.types import Keep, LatencyModel, Layer, Structure


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
    structure: Structure, keep: Keep, filters: LayerFilters, device: LatencyModel | None = None
) -> CostsByCount:
    """Costs for each number of filters that a layer could keep, in the order in which its filters leave.

    Args:
        keep: the kept set of the budget.
        filters: of the layer, by the ranking; one filter stays at least.
        device: predicts latency.
    """
    layer = next(layer for layer in structure.layers if layer.name == filters.layer)
    units, sizes = _units_in_order(layer, filters)
    restored = keep.units.copy()
    restored[units] = True
    whole = counts_of(structure, Keep(restored))
    footprints = Footprints(structure)
    taken = footprints.positions[footprints.group_of[units]].cumsum(axis=0).T  # [V, units]
    counts = whole - np.concatenate((np.zeros_like(whole), taken), axis=1)
    kept = layer.total - np.concatenate(([0], np.cumsum(sizes)))
    possible = kept > 0
    counts, kept = counts[:, possible][:, ::-1], kept[possible][::-1]
    macs, params = totals(structure, counts)
    return CostsByCount(kept, macs, params, device.milliseconds(counts) if device else None)


def _units_in_order(layer: Layer, filters: LayerFilters) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Units of a layer, the first to leave first, and how many of its filters each has."""
    labels = layer.labels[filters.numbers]
    units = list(dict.fromkeys((labels[labels > 0] - 1).tolist()))
    of_unit = np.bincount(layer.labels, minlength=max(units, default=0) + 2)
    return np.array(units, dtype=np.int64), of_unit[np.array(units, dtype=np.int64) + 1]
