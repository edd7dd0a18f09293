"""How times of layers become the time of a network: three numbers, fitted to whole networks of the device."""

import numpy as np

from legr.structure.latency import Fit, FloatArray

_COLUMNS = ((0,), (0, 1), (0, 2), (0, 1, 2))  # of the features, in `Fit`'s order: the sum is always one of them


def fit_to(features: FloatArray, milliseconds: FloatArray) -> tuple[Fit, FloatArray]:
    """Fit, and say what each network is predicted by a fit to the others.

    Args:
        features: of `LatencyTable.features`, float64[N, 3].
        milliseconds: measured, float64[N].

    Returns:
        The fit whose predictions of networks that were left out are best, and those, float64[N].
    """
    best: tuple[float, tuple[int, ...], FloatArray] | None = None
    for columns in _COLUMNS:
        if len(milliseconds) <= len(columns) + 1:
            continue
        predicted = np.array([_left_out(features, milliseconds, columns, i) for i in range(len(milliseconds))])
        error = float(np.mean((predicted / milliseconds - 1) ** 2))
        weights = _weights(features, milliseconds, columns)
        if weights[0] > 0 and weights[1] >= 0 and weights[2] <= 0 and (best is None or error < best[0]):
            best = error, columns, predicted
    if best is None:  # too few networks, or none of it makes sense: their mean ratio
        scale = float(np.mean(milliseconds / features[:, 0]))
        return Fit(scale, 0.0, 0.0), np.asarray(scale * features[:, 0])
    scale, overhead, saved = _weights(features, milliseconds, best[1]).tolist()
    return Fit(scale, overhead, -saved), best[2]


def _weights(features: FloatArray, milliseconds: FloatArray, columns: tuple[int, ...]) -> FloatArray:
    """Weights of all features, 0 where one is not among the columns, that make relative errors least, float64[3]."""
    weights = np.zeros(features.shape[1])
    scaled = features[:, columns] / milliseconds[:, None]
    weights[list(columns)] = np.linalg.lstsq(scaled, np.ones(len(milliseconds)), rcond=None)[0]
    return weights


def _left_out(features: FloatArray, milliseconds: FloatArray, columns: tuple[int, ...], left_out: int) -> float:
    others = np.arange(len(milliseconds)) != left_out
    return float(features[left_out] @ _weights(features[others], milliseconds[others], columns))
