"""What the networks of a table take on a device that has a profile, predicted, and told in little.

A layer's time changes only where its channel counts do, so it is told by runs. How the layers' times become a network's
differs from network to network; that is one number each, which a browser multiplies them by.
"""

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from app.budget_dial.types import PredictedData, RoundingData
from legr.ranking.budget import BudgetCurve, CurveTable
from legr.structure.latency import LatencyTable
from legr.structure.types import Structure

_TICK_MS = 1e-4  # in which times of layers are told
_WORTH = 0.03  # a rounding that gains less on its best budget is not offered


def predicted_times(
    structure: Structure, networks: CurveTable, device: LatencyTable, *, by_layer: bool
) -> PredictedData:
    """Predict the networks of a table.

    Args:
        by_layer: the time of every layer as well.
    """
    latency = device.milliseconds(networks.counts)
    told: PredictedData = {"latency": _rounded(latency), "layers": [], "unit": [], "original": []}
    alone = device.features(networks.counts)[0]
    if not by_layer or not alone.all():  # a table without layers has no shares
        return told
    layers = _of_layers(structure, device, networks.counts) * (alone / latency)
    whole = np.array([[len(labels)] for labels in structure.vectors], dtype=np.int64)
    return {
        **told,
        "layers": [value_runs(row) for row in np.rint(layers / _TICK_MS).astype(np.int64).tolist()],
        "unit": [float(f"{unit:.5g}") for unit in (_TICK_MS * latency / alone).tolist()],
        "original": _rounded(_of_layers(structure, device, whole)[:, 0]),
    }


def rounding_of(
    multiple: int, rounded: BudgetCurve, percents: list[float], latency: list[float], device: LatencyTable
) -> RoundingData | None:
    """What a ranking in multiples takes at the budgets of a table; None where that is hardly less at any of them.

    Args:
        rounded: the budget curve of the ranking in multiples.
        percents: budgets, per cent of the original's MACs.
        latency: what the networks of the table take, milliseconds.
    """
    within = [percent for percent in percents if percent / 100 >= rounded.floor]
    networks = rounded.table([percent / 100 for percent in within])
    below = [None] * (len(percents) - len(within))
    told: list[float | None] = [*below, *_rounded(device.milliseconds(networks.counts))]
    gains = [1 - own / other for own, other in zip(told, latency, strict=True) if own is not None]
    if max(gains, default=0.0) < _WORTH:
        return None
    return {"multiple": multiple, "latency": told, "macs": [*below, *networks.macs.tolist()]}


def value_runs(values: list[int]) -> list[int]:
    """Values as each, then how many times in a row it comes."""
    return [number for value, run in groupby(values) for number in (value, len(list(run)))]


def _of_layers(structure: Structure, device: LatencyTable, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Milliseconds of every layer whose filters can be ranked, with what follows it, float64[L, T]."""
    timed = device.by_layer(counts)
    rows = np.zeros((len(structure.layers), counts.shape[1]))
    for row, layer in zip(rows, structure.layers, strict=True):
        for time, part in zip(timed, device.layers, strict=True):
            if part.parameter is not None and part.parameter == layer.parameter:
                row += time
    return rows


def _rounded(milliseconds: NDArray[np.float64]) -> list[float]:
    return [round(value, 4) for value in milliseconds.tolist()]
