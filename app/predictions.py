"""Latencies of a study's known networks, as a device's profile predicts them."""

from collections.abc import Callable, Iterator

import numpy as np

from legr.charts.measurements import Measurements, Predicted
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import UNCONSTRAINED
from legr.structure.types import Keep
from legr.study.device_profile import ProfiledDevice
from legr.study.kept_sets import keep_id, on_curve
from legr.study.known import kept_set_of
from legr.study.records import RankingName
from legr.study.store import Study


def predicted_of(
    study: Study, measured: Measurements, curve_of: Callable[[RankingName], BudgetCurve], device: ProfiledDevice
) -> Predicted:
    """Predict every network of which something was measured, and whose kept set is known.

    Args:
        curve_of: the budget curve of one of the study's rankings.
    """
    keeps = {keep_id(keep): keep for keep in _kept_sets(study, measured, curve_of)}
    vectors = study.structure.vectors
    counts = np.array([[np.count_nonzero(keep.kept(v)) for keep in keeps.values()] for v in vectors], dtype=np.int64)
    milliseconds = device.table.milliseconds(counts).round(4).tolist()
    return Predicted(device.profile.conditions, dict(zip(keeps, milliseconds, strict=True)))


def _kept_sets(study: Study, measured: Measurements, curve_of: Callable[[RankingName], BudgetCurve]) -> Iterator[Keep]:
    yield Keep(np.ones(study.structure.n_units, dtype=bool))
    curves = {name: curve_of(name) for name in study.rankings}
    plain = curves
    if measured.plain:
        rankings = {name: study.ranking(name, UNCONSTRAINED) for name in study.rankings}
        plain = {name: BudgetCurve(study.structure, ranking) for name, ranking in rankings.items()}
    lines = [(point, curves) for point in measured.points] + [(point, plain) for point in measured.plain]
    for point, of_ranking in lines:
        curve = next((curve for name, curve in of_ranking.items() if name == point.ranking), None)
        keep = on_curve(curve, point.macs, point.keep_id) if curve else None
        if keep is not None:
            yield keep
    for name, curve in curves.items():
        points = measured.supernets[name].points if name in measured.supernets else ()
        found = (on_curve(curve, point.macs, point.keep_id) for point in points)
        yield from (keep for keep in found if keep is not None)
    runs = (kept_set_of(study, run, curve_of) for run in measured.runs)
    yield from (keep for keep in runs if keep is not None)
