"""The frontier of accuracy over cost: a table of its points, and the figure that draws them."""

from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from legr.charts.measurements import Measurements, Reading, percent_of
from legr.charts.style import CAPTIONS, COLOURS, HEIGHT, style
from legr.escape import in_html
from legr.study.records import RANKINGS, Conditions, FineTuning, Point
from legr.training.calibration import Calibration
from legr.words import plural

Axis = Literal["latency", "macs", "params"]
AXES: tuple[Axis, ...] = ("latency", "macs", "params")
PLAIN, EARLIER = "plain-", "earlier"  # see `frontier_table`
_RING = {"symbol": "diamond-open", "line": {"width": 1.5}}
_FIXED_AXIS = {"fixedrange": True, "automargin": True}
AXIS_CAPTIONS: dict[Axis, str] = {"latency": "Latency", "macs": "MACs", "params": "Parameters"}


def frontier_table(measured: Measurements, axis: Axis) -> pd.DataFrame:
    """Every measured point of the frontier.

    Returns:
        Columns series ("learned", "identity", "uniform", the same with "plain-" in front for networks without the
        constraints, "finetuned", "earlier" for fine-tuned networks to which no ranking leads today, "original"), x
        (ms, M MACs or thousand parameters), top1_percent, hover, percent (of the MACs), ranking, opens (the ranking in
        which a click opens it), run (its key, where a click opens that); "" where there is none. The rows of a series
        are in the order of rising MACs. Points without a value on the axis are left out.
    """
    points: list[tuple[str, Point]] = [(name, p) for name in RANKINGS for p in measured.line(name)]
    points += [(f"{PLAIN}{name}", p) for name in RANKINGS for p in measured.plain_line(name) if p.ranking == name]
    points += [("finetuned" if measured.order_of(p) else EARLIER, p) for p in measured.finetuned]
    points += [("original", measured.original)] if measured.original else []
    rows = [
        (
            series,
            x,
            100 * point.top1,
            _hover(series, point, measured),
            percent_of(point.macs_fraction),
            measured.order_of(point) or point.ranking if point.finetuned else point.ranking,
            *_target(series, point, measured),
        )
        for series, point in points
        if (x := _value(series, point, axis, measured)) is not None
    ]
    return pd.DataFrame(rows, columns=["series", "x", "top1_percent", "hover", "percent", "ranking", "opens", "run"])


def _target(series: str, point: Point, measured: Measurements) -> tuple[str, str]:
    """The ranking in which a click opens a network, and the run that it opens instead; "" where there is none."""
    if series == "finetuned":
        return measured.order_of(point) or "", ""
    if series == EARLIER:
        run = measured.run_of(point)
        return "", run.key if run and run.key in measured.openable else ""
    return ("" if series.startswith(PLAIN) else point.ranking), ""


def frontier_figure(info: pd.DataFrame, axis: Axis, conditions: Conditions | None, ranking: str) -> go.Figure:
    """A line for each ranking, the selected one strongest; above them fine-tuned networks and the original."""
    figure, mode = go.Figure(), "lines+markers" if _rises(info) else "markers"
    for series in RANKINGS:
        strong = series == ranking
        line = {"color": COLOURS[series], "width": 2.5 if strong else 1.5}
        look = {"mode": mode, "opacity": 1 if strong else 0.55, "line": line, "marker": {"size": 7 if strong else 5}}
        _draw(figure, CAPTIONS[series], info[info["series"] == series], look)
        plain = {**look, "opacity": 0.3, "line": {**line, "width": 1, "dash": "dot"}, "marker": {"size": 4}}
        _draw(figure, f"{CAPTIONS[series]}, without constraints", info[info["series"] == f"{PLAIN}{series}"], plain)
    tuned, earlier, original = (info[info["series"] == series] for series in ("finetuned", EARLIER, "original"))
    for name, rows, marker in (
        (CAPTIONS[EARLIER], earlier, {**_RING, "color": COLOURS[EARLIER], "size": 11}),
        *(_tuned(tuned, ranking) for ranking in reversed(RANKINGS)),
        (CAPTIONS["original"], original, {"color": COLOURS["original"], "symbol": "star", "size": 14}),
    ):
        _draw(figure, name, rows, {"mode": "markers", "marker": marker})
    best = pareto(info)
    if len(best) > 1:
        figure.add_scatter(
            x=best["x"],
            y=best["top1_percent"],
            name="Pareto",
            mode="lines",
            hoverinfo="skip",
            line={"color": COLOURS["original"], "width": 1, "shape": "hv", "dash": "dash"},
        )
    style(figure, HEIGHT)
    figure.update_xaxes(title=axis_title(axis, conditions), range=_span(info["x"], from_zero=True))
    figure.update_yaxes(title="top-1 accuracy, %", range=_span(info["top1_percent"]))
    figure.update_layout(template="none", xaxis=_FIXED_AXIS, yaxis=_FIXED_AXIS)
    return figure


def _draw(figure: go.Figure, name: str, rows: pd.DataFrame, look: dict[str, Any]) -> None:
    """Add a series, each mark with what the pointer shows of it and where a click leads; nothing where it is empty."""
    if len(rows):
        figure.add_scatter(
            x=rows["x"],
            y=rows["top1_percent"],
            name=name,
            customdata=rows[["hover", "percent", "opens", "run"]].to_numpy().tolist(),
            hovertemplate="%{customdata[0]}<extra></extra>",
            **look,
        )


def _tuned(info: pd.DataFrame, ranking: str) -> tuple[str, pd.DataFrame, dict[str, Any]]:
    """Name, rows and marker of the fine-tuned networks of one ranking.

    Those of other rankings than the learned one are rings, to be seen around a learned one at the same place.
    """
    rows = info[info["ranking"] == ranking]
    if ranking == "learned":
        return CAPTIONS["finetuned"], rows, {"color": COLOURS["finetuned"], "symbol": "diamond", "size": 11}
    return (
        f"{CAPTIONS['finetuned']}, {CAPTIONS[ranking].lower()}",
        rows,
        {**_RING, "color": COLOURS[ranking], "size": 14},
    )


def _rises(info: pd.DataFrame) -> bool:
    """Whether cost rises along every ranking; latency may not, and lines would tangle."""
    return all(info.loc[info["series"] == series, "x"].is_monotonic_increasing for series in RANKINGS)


def pareto(info: pd.DataFrame) -> pd.DataFrame:
    """The points that no other point beats in both cost and accuracy, by rising cost."""
    rows = info.sort_values(["x", "top1_percent"], ascending=[True, False])
    return rows[rows["top1_percent"] > rows["top1_percent"].cummax().shift(fill_value=-1.0)]


def axis_title(axis: Axis, conditions: Conditions | None) -> str:
    """The title of an axis; that of latency names the conditions."""
    if axis == "latency":
        return f"latency, ms ({in_html(str(conditions))})" if conditions else "latency, ms"
    return "million MACs" if axis == "macs" else "thousand parameters"


def _value(series: str, point: Point, axis: Axis, measured: Measurements) -> float | None:
    if axis != "latency":
        return point.macs / 1e6 if axis == "macs" else point.params / 1e3
    latency = _latency(series, point, measured)
    return latency.value if latency else None


def _latency(series: str, point: Point, measured: Measurements) -> Reading | None:
    """Latency of a point; of a fine-tuned network any that was measured of its kept set.

    Where there is none, and the network lies on the order of a ranking, the dial's value is shown: read between two
    measured networks of that ranking.
    """
    own = measured.latency_of(point)
    if not point.finetuned:
        return None if own is None else Reading(own, True)
    measured_one = measured.latency_of_network(point.keep_id) or (None if own is None else Reading(own, True))
    order = measured.order_of(point)
    if measured_one or series == EARLIER or order is None:
        return measured_one
    return measured.latency_ms(order, point.macs)


def _hover(series: str, point: Point, measured: Measurements) -> str:
    name = CAPTIONS[series.removeprefix(PLAIN)]
    if series == EARLIER:
        name = f"{CAPTIONS['finetuned']}, {name[:1].lower()}{name[1:]}"
    if series == "finetuned":
        name += f", {CAPTIONS[measured.order_of(point) or point.ranking].lower()} ranking"
    lines = [
        f"<b>{name}, {100 * point.macs_fraction:.1f} % of the MACs</b>",
        f"top-1 {100 * point.top1:.2f} % on {point.images:,} test images",
        f"{point.macs / 1e6:,.2f} M MACs, {point.params / 1e3:,.1f} k parameters",
    ]
    if latency := _latency(series, point, measured):
        lines.append(f"{'' if latency.measured else '~'}{latency.value:.3g} ms")
    if point.finetuned:
        settings = point.finetuned.settings
        teacher = ", taught by the original" if settings and settings.distill else ""
        lines.append(f"{plural(point.finetuned.epochs, 'epoch')}{teacher}, seed {settings.seed if settings else 0}")
        alike = ", ".join(f"{CAPTIONS[p.ranking].lower()} {100 * p.top1:.2f} %" for p in _alike(point, measured))
        lines.append(f"trained alike: {alike}" if alike else "")
    elif series != "original":
        on = f" on {Calibration.of(point.calibration).words}" if point.calibration else ""
        lines.append(f"batch norm recalibrated{on}" if point.recalibrated else "batch norm as in the original")
    if series.startswith(PLAIN):
        lines.append("without the constraints")
    if series == EARLIER:
        lines.append(f"of the {CAPTIONS[point.ranking].lower()} ranking before it or the constraints changed")
        _, run = _target(series, point, measured)
        lines.append("" if run else "its kept set or its weights are not stored, so it cannot be opened")
    return "<br>".join(line for line in lines if line)


def _alike(point: Point, measured: Measurements) -> list[Point]:
    """The networks of other rankings that were fine-tuned with the same settings at the same budget."""

    def training(p: Point) -> FineTuning | None:
        return p.finetuned and replace(p.finetuned, key="")

    others = [p for p in measured.finetuned if p.ranking != point.ranking and p.budget == point.budget]
    others = [p for p in others if bool(measured.order_of(p)) == bool(measured.order_of(point))]
    return sorted((p for p in others if training(p) == training(point)), key=lambda p: RANKINGS.index(p.ranking))


def _span(values: pd.Series, from_zero: bool = False) -> list[float] | None:
    """An axis range around all measured values; it does not depend on the budget, so the chart does not move."""
    if values.empty:
        return None
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low or abs(high) or 1.0)
    return [0.0 if from_zero and low < 0.5 * high else low - room, high + room]
