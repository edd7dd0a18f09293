"""The frontier as the browser gets it: points and networks with all their costs, so that no switch asks the server."""

import math
from collections.abc import Iterable

from app.budget_dial.types import FrontierData, FrontierLine, FrontierRanges
from legr.charts.frontier import AXES, AXIS_CAPTIONS, axis_title, frontier_points
from legr.charts.frontier_lines import Ranges, frontier_lines, networks_of, ranges
from legr.charts.measurements import Measurements
from legr.charts.style import CAPTIONS
from legr.study.records import RANKINGS, RankingName


def frontier_data(measured: Measurements, ranking: RankingName) -> FrontierData | None:
    """What the browser draws of the measured points; None where nothing was measured.

    Args:
        ranking: whose networks the chart opens on; others are shown on demand.
    """
    points = frontier_points(measured)
    if points.empty:
        return None
    networks, network = networks_of(points)
    lines = frontier_lines(points)
    axes = [axis for axis in AXES if points[axis].notna().any()]
    return {
        "points": {
            "network": network,
            "top1": points["top1_percent"].round(3).tolist(),
            "told": points["hover"].tolist(),
        },
        "networks": {
            "ranking": networks["ranking"].tolist(),
            "percent": networks["percent"].tolist(),
            "macs": networks["macs"].round(4).tolist(),
            "params": networks["params"].round(3).tolist(),
            "latency": _known(networks["latency"]),
            "latency_measured": [int(measured) for measured in networks["latency_measured"]],
            "before": _known(networks["before"]),
            "together": _known(networks["together"]),
            "after": _known(networks["after"]),
            "opens": networks["opens"].tolist(),
            "run": networks["run"].tolist(),
            "height": networks["height"].tolist(),
        },
        "lines": [FrontierLine(name=a.name, kind=a.kind, ranking=a.ranking, rows=a.rows, look=a.look) for a in lines],
        "rankings": [(name, CAPTIONS[name]) for name in RANKINGS if any(line.ranking == name for line in lines)],
        "axes": [(axis, AXIS_CAPTIONS[axis]) for axis in axes],
        "titles": {axis: axis_title(axis, measured.conditions, predicted=bool(measured.predicted)) for axis in axes},
        "fit": _ranges(ranges(points, ranking, whole=False)),
        "whole": _ranges(ranges(points, ranking, whole=True)),
    }


def _ranges(shown: Ranges) -> FrontierRanges:
    return {"x": {axis: shown.x[axis] for axis in shown.x}, "y": shown.y, "error": shown.error, "ticks": shown.ticks}


def _known(values: Iterable[float]) -> list[float | None]:
    return [None if math.isnan(value) else round(float(value), 4) for value in values]
