"""The frontier of accuracy over cost: a table of its points, and what is told of each."""

from typing import Literal

import pandas as pd

from legr.charts.measurements import Measurements, Reading, percent_of
from legr.charts.style import CAPTIONS
from legr.escape import in_html
from legr.study.latency import Conditions
from legr.study.records import RANKINGS, Point
from legr.training.calibration import Calibration
from legr.words import plural

Axis = Literal["macs", "params", "latency"]
AXES: tuple[Axis, ...] = ("macs", "params", "latency")
AXIS_CAPTIONS: dict[Axis, str] = {"macs": "MACs", "params": "Parameters", "latency": "Latency"}
PLAIN, EARLIER = "plain-", "earlier"  # see `frontier_points`


def frontier_points(measured: Measurements) -> pd.DataFrame:
    """Every measured point of the frontier, with all its costs.

    Returns:
        Columns series (a ranking, the same with "plain-" in front for networks without the
        constraints, "finetuned", "earlier" for fine-tuned networks to which no ranking leads today, "original"),
        ranking, keep (its kept set; "" where it is not known), percent (of the MACs), macs (millions), params
        (thousands), latency (ms; NaN where there is none), latency_measured, top1_percent, best (whether it is the
        training whose weights are used, of several of one network), hover (lines of text; the first is its name), opens
        (the ranking in which a click opens it), run (its key, where a click opens that); "" where there is none. The
        rows of a series are in the order of rising MACs; the original comes last.
    """
    points: list[tuple[str, Point]] = [(name, p) for name in RANKINGS for p in measured.own_line(name)]
    points += [(f"{PLAIN}{name}", p) for name in RANKINGS for p in measured.plain_line(name) if p.ranking == name]
    points += [("finetuned" if measured.order_of(p) else EARLIER, p) for p in measured.finetuned]
    points += [("original", measured.original)] if measured.original else []
    rows = []
    for series, point in points:
        latency = _latency(series, point, measured)
        rows.append(
            {
                "series": series,
                "ranking": (measured.order_of(point) if point.finetuned else None) or point.ranking,
                "keep": point.keep_id,
                "percent": percent_of(point.macs_fraction),
                "macs": point.macs / 1e6,
                "params": point.params / 1e3,
                "latency": latency.value if latency else float("nan"),
                "latency_measured": bool(latency and latency.measured),
                "top1_percent": 100 * point.top1,
                "best": _is_best(point, measured),
                "hover": "\n".join(_told(series, point, latency, measured)),
                **dict(zip(("opens", "run"), _target(series, point, measured), strict=True)),
            }
        )
    return pd.DataFrame(rows, columns=[
        "series", "ranking", "keep", "percent", "macs", "params", "latency", "latency_measured", "top1_percent",
        "best", "hover", "opens", "run",
    ])  # fmt: skip


def frontier_table(measured: Measurements, axis: Axis) -> pd.DataFrame:
    """The points that have a value on an axis, which is column x beside those of `frontier_points`."""
    points = frontier_points(measured)
    return points.assign(x=points[axis])[points[axis].notna()].reset_index(drop=True)


def axis_title(axis: Axis, conditions: Conditions | None, *, predicted: bool = False) -> str:
    """The title of an axis; that of latency names the conditions, and says whether some of it is predicted."""
    if axis == "latency":
        unit = "ms, predicted where not measured" if predicted else "ms"
        return f"latency, {unit} ({in_html(str(conditions))})" if conditions else f"latency, {unit}"
    return "million MACs" if axis == "macs" else "thousand parameters"


def pareto(table: pd.DataFrame) -> pd.DataFrame:
    """The points that no other point beats in both x and accuracy, by rising x."""
    rows = table.sort_values(["x", "top1_percent"], ascending=[True, False])
    return rows[rows["top1_percent"] > rows["top1_percent"].cummax().shift(fill_value=-1.0)]


def _is_best(point: Point, measured: Measurements) -> bool:
    """Whether a point is of the run that counts for its network: the best on held-out images, else the last."""
    network = measured.known.get(point.keep_id)
    if network is None or point.finetuned is None:
        return True
    if network.best_run:
        return network.best_run.key == point.finetuned.key
    return point == network.finetuned[-1]


def _target(series: str, point: Point, measured: Measurements) -> tuple[str, str]:
    """The ranking in which a click opens a network, and the run that it opens instead; "" where there is none."""
    if series == "finetuned":
        return measured.order_of(point) or "", ""
    if series == EARLIER:
        run = measured.run_of(point)
        return "", run.key if run and run.key in measured.openable else ""
    return ("" if series.startswith(PLAIN) else point.ranking), ""


def _latency(series: str, point: Point, measured: Measurements) -> Reading | None:
    """Latency of a point; of a fine-tuned network any that was measured of its kept set.

    Where there is none, it is predicted by the profile of the device. Without one, and where the network lies on the
    order of a ranking, the dial's value is shown: read between two measured networks of that ranking.
    """
    own = measured.latency_of(point)
    measured_one = None if own is None else Reading(own, True)
    predicted = measured.predicted.latency_of_network(point.keep_id) if measured.predicted else None
    if not point.finetuned:
        return measured_one or predicted
    known = measured.latency_of_network(point.keep_id) or measured_one or predicted
    order = measured.order_of(point)
    if known or series == EARLIER or order is None:
        return known
    return measured.latency_ms(order, point.macs)


def _told(series: str, point: Point, latency: Reading | None, measured: Measurements) -> list[str]:
    """What the pointer shows of a point, line by line; the first is its name."""
    lines = [
        f"{_name(series, point, measured)}, {100 * point.macs_fraction:.1f} % of the MACs",
        f"top-1 {100 * point.top1:.2f} % on {point.images:,} test images",
        f"{point.macs / 1e6:,.2f} M MACs, {point.params / 1e3:,.1f} k parameters",
    ]
    if latency:
        about = "" if latency.measured or latency.predicted else "~"
        lines[2] += f", {about}{latency.value:.3g} ms{' predicted' if latency.predicted else ''}"
        if point.latency and point.latency.unsteady and point.latency.milliseconds == latency.value:
            lines[2] += " (unsteady)"
    if point.finetuned:
        settings = point.finetuned.settings
        teacher = ", taught by the original" if settings and settings.distill else ""
        lines.append(f"{plural(point.finetuned.epochs, 'epoch')}{teacher}, seed {settings.seed if settings else 0}")
    elif series != "original":
        on = f" on {Calibration.of(point.calibration).words}" if point.calibration else ""
        lines.append(f"batch norm recalibrated{on}" if point.recalibrated else "batch norm as in the original")
    if series == EARLIER:
        lines.append(f"of the {CAPTIONS[point.ranking].lower()} ranking before it or the constraints changed")
        _, run = _target(series, point, measured)
        lines.append("" if run else "its kept set or its weights are not stored, so it cannot be opened")
    return [line for line in lines if line]


def _name(series: str, point: Point, measured: Measurements) -> str:
    if series == "original":
        return CAPTIONS[series]
    if series == EARLIER:
        return f"{CAPTIONS[EARLIER]}, trained"
    if series == "finetuned":
        return f"{CAPTIONS[measured.order_of(point) or point.ranking]}, trained"
    without = ", without the constraints" if series.startswith(PLAIN) else ""
    return f"{CAPTIONS[series.removeprefix(PLAIN)]}, as cut{without}"
