"""The frontier of accuracy over cost: a table of its points, and what is told of each."""

from collections.abc import Iterator
from typing import Literal

import pandas as pd

from legr.charts.measurements import Measurements, Reading, percent_of
from legr.charts.style import CAPTIONS
from legr.escape import in_html
from legr.study.latency import Conditions
from legr.study.records import RANKINGS, Point
from legr.study.sized import SizedNetwork
from legr.study.supernets import SupernetPoint
from legr.training.calibration import Calibration
from legr.words import plural

Axis = Literal["macs", "params", "latency"]
AXES: tuple[Axis, ...] = ("macs", "params", "latency")
AXIS_CAPTIONS: dict[Axis, str] = {"macs": "MACs", "params": "Parameters", "latency": "Latency"}
PLAIN, EARLIER, TOGETHER, SIZED = "plain-", "earlier", "together", "sized"  # see `frontier_points`


def frontier_points(measured: Measurements) -> pd.DataFrame:
    """Every measured point of the frontier, with all its costs.

    Returns:
        Columns series (a ranking, the same with "plain-" in front for networks without the
        constraints, "together" for those of a supernet, "sized" for those with images of another height, "finetuned",
        "earlier" for fine-tuned networks to which no ranking leads today, "original"), ranking, keep (its kept set; ""
        where it is not known), percent (of the MACs that leads to it), macs (millions), params (thousands), latency
        (ms; NaN where there is none), latency_measured, top1_percent, best (whether it is the training whose weights
        are used, of several of one network), hover (lines of text; the first is its name), opens (the ranking in which
        a click opens it), run (its key, where a click opens that); "" where there is none; height (of its images,
        pixels), shared (whether it has the weights of a supernet). The rows of a series are in the order of rising
        MACs; the original comes last.
    """
    points: list[tuple[str, Point]] = [(name, p) for name in RANKINGS for p in measured.own_line(name)]
    points += [(f"{PLAIN}{name}", p) for name in RANKINGS for p in measured.plain_line(name) if p.ranking == name]
    last: list[tuple[str, Point]] = [("finetuned" if measured.order_of(p) else EARLIER, p) for p in measured.finetuned]
    last += [("original", measured.original)] if measured.original else []
    rows = [
        *(_row(series, point, measured) for series, point in points),
        *_of_supernets(measured),
        *_of_other_sizes(measured),
        *(_row(series, point, measured) for series, point in last),
    ]
    return pd.DataFrame(rows, columns=[
        "series", "ranking", "keep", "percent", "macs", "params", "latency", "latency_measured", "top1_percent",
        "best", "hover", "opens", "run", "height", "shared",
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


def _row(series: str, point: Point, measured: Measurements) -> dict[str, object]:
    latency = _latency(series, point, measured)
    opens, run = _target(series, point, measured)
    return {
        "series": series,
        "ranking": (measured.order_of(point) if point.finetuned else None) or point.ranking,
        "best": _is_best(point, measured),
        "hover": "\n".join(_told(series, point, latency, measured)),
        "opens": opens,
        "run": run,
        **_figures(point, latency, measured.height),
    }


def _of_supernets(measured: Measurements) -> Iterator[dict[str, object]]:
    """The points of supernets but for the whole network, which keeps its own weights; as rows of the table."""
    for ranking in (name for name in RANKINGS if name in measured.supernets):
        run = measured.supernets[ranking]
        for point in sorted(run.points, key=lambda point: point.macs):
            if point.macs_fraction < 1:
                latency = _latency_of_kept_set(point.keep_id, measured) or measured.latency_ms(ranking, point.macs)
                told = [*_costs_told(f"{CAPTIONS[ranking]}, trained together", point, latency)]
                told.append(f"one training of {plural(run.epochs, 'epoch')} for all budgets")
                yield {
                    "series": TOGETHER,
                    "ranking": ranking,
                    "best": True,
                    "hover": "\n".join(told),
                    "opens": ranking,
                    "run": "",
                    **_figures(point, latency, measured.height, shared=True),
                }


def _of_other_sizes(measured: Measurements) -> Iterator[dict[str, object]]:
    """The networks with images of other heights; as rows of the table."""
    for network in sorted(measured.sized, key=lambda network: (RANKINGS.index(network.ranking), network.macs)):
        latency = measured.latency_with_size(network)
        weights = "trained together" if network.supernet else "as cut"
        name = f"{CAPTIONS[network.ranking]}, {weights}, images of {network.height} pixels"
        yield {
            "series": SIZED,
            "ranking": network.ranking,
            "best": True,
            "hover": "\n".join(_costs_told(name, network, latency, budget=True)),
            "opens": network.ranking,
            "run": "",
            **_figures(network, latency, network.height, shared=bool(network.supernet)),
        }


def _figures(
    point: Point | SupernetPoint | SizedNetwork, latency: Reading | None, height: int, *, shared: bool = False
) -> dict[str, object]:
    return {
        "height": height,
        "shared": shared,
        "keep": point.keep_id,
        "percent": percent_of(point.macs_fraction),
        "macs": point.macs / 1e6,
        "params": point.params / 1e3,
        "latency": latency.value if latency else float("nan"),
        "latency_measured": bool(latency and latency.measured),
        "top1_percent": 100 * point.top1,
    }


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
    if not point.finetuned:
        return measured_one or _predicted(point.keep_id, measured)
    known = measured.latency_of_network(point.keep_id) or measured_one or _predicted(point.keep_id, measured)
    order = measured.order_of(point)
    if known or series == EARLIER or order is None:
        return known
    return measured.latency_ms(order, point.macs)


def _latency_of_kept_set(keep_id: str, measured: Measurements) -> Reading | None:
    return measured.latency_of_network(keep_id) or _predicted(keep_id, measured)


def _predicted(keep_id: str, measured: Measurements) -> Reading | None:
    return measured.predicted.latency_of_network(keep_id) if measured.predicted else None


def _costs_told(
    name: str, point: Point | SupernetPoint | SizedNetwork, latency: Reading | None, *, budget: bool = False
) -> list[str]:
    """What the pointer shows of any point: its name, its accuracy, its costs.

    Args:
        budget: the fraction of the MACs is not that of its own costs, but of the budget that leads to it.
    """
    costs = f"{point.macs / 1e6:,.2f} M MACs, {point.params / 1e3:,.1f} k parameters"
    if latency:
        about = "" if latency.measured or latency.predicted else "~"
        costs += f", {about}{latency.value:.3g} ms{' predicted' if latency.predicted else ''}"
    return [
        f"{name}, {'budget ' if budget else ''}{100 * point.macs_fraction:.1f} %{'' if budget else ' of the MACs'}",
        f"top-1 {100 * point.top1:.2f} % on {point.images:,} test images",
        costs,
    ]


def _told(series: str, point: Point, latency: Reading | None, measured: Measurements) -> list[str]:
    """What the pointer shows of a point, line by line; the first is its name."""
    lines = _costs_told(_name(series, point, measured), point, latency)
    if latency and point.latency and point.latency.unsteady and point.latency.milliseconds == latency.value:
        lines[-1] += " (unsteady)"
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
    if series == "finetuned" and point.macs_fraction == 1:
        return f"{CAPTIONS['original']}, trained once more"
    if series == "finetuned":
        return f"{CAPTIONS[measured.order_of(point) or point.ranking]}, trained"
    without = ", without the constraints" if series.startswith(PLAIN) else ""
    return f"{CAPTIONS[series.removeprefix(PLAIN)]}, as cut{without}"
