"""The accuracy–cost frontier: a table of what is drawn, and the figure that draws it.

It does not know pages or files.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from app.charts import CAPTIONS, COLOURS, style
from app.measured import Conditions, Measurements
from legr.study.records import RANKINGS, Point

Axis = Literal["latency", "macs", "params"]
AXES: tuple[Axis, ...] = ("latency", "macs", "params")
AXIS_CAPTIONS: dict[Axis, str] = {"latency": "Latency", "macs": "MACs", "params": "Parameters"}


@dataclass(frozen=True)
class Here:
    """The network of the current budget; a figure that is not known is None."""

    ranking: str
    macs: int
    params: int
    latency_ms: float | None
    top1: float | None  # before fine-tuning, in [0, 1]

    def x(self, axis: Axis) -> float | None:
        """Its place on an axis."""
        return {"latency": self.latency_ms, "macs": self.macs / 1e6, "params": self.params / 1e3}[axis]


def frontier_info(measured: Measurements, axis: Axis) -> pd.DataFrame:
    """Every measured point of the frontier.

    Returns:
        Columns series ("learned", "identity", "uniform", "finetuned", "original"), x (ms, M MACs or thousand
        parameters), top1_percent, hover; a series' rows are in the order of rising MACs. Points that have
        no place on the axis are left out.
    """
    points: list[tuple[str, Point]] = [(name, p) for name in RANKINGS for p in measured.line(name)]
    points += [("finetuned", p) for p in measured.finetuned]
    points += [("original", measured.original)] if measured.original else []
    rows = [
        (series, x, 100 * point.top1, _hover(series, point, measured))
        for series, point in points
        if (x := _place(point, axis, measured)) is not None
    ]
    return pd.DataFrame(rows, columns=["series", "x", "top1_percent", "hover"])


def frontier_figure(info: pd.DataFrame, axis: Axis, conditions: Conditions | None, here: Here) -> go.Figure:
    """Lines of the rankings, fine-tuned points on top, the original, and where the budget stands now."""
    figure = go.Figure()
    for series in RANKINGS:
        rows, strong = info[info["series"] == series], series == here.ranking
        if len(rows):
            figure.add_scatter(
                x=rows["x"],
                y=rows["top1_percent"],
                name=CAPTIONS[series],
                mode="lines+markers",
                opacity=1 if strong else 0.55,
                line={"color": COLOURS[series], "width": 2.5 if strong else 1.5},
                marker={"size": 6 if strong else 4},
                customdata=rows["hover"],
                hovertemplate="%{customdata}<extra></extra>",
            )
    for name, symbol, size in (("finetuned", "diamond", 11), ("original", "star", 14)):
        rows = info[info["series"] == name]
        if len(rows):
            figure.add_scatter(
                x=rows["x"],
                y=rows["top1_percent"],
                name=CAPTIONS[name],
                mode="markers",
                customdata=rows["hover"],
                marker={"color": COLOURS[name], "size": size, "symbol": symbol},
                hovertemplate="%{customdata}<extra></extra>",
            )
    _mark(figure, here, axis)
    style(figure, 380)
    figure.update_xaxes(title=axis_title(axis, conditions), range=_span(info["x"], from_zero=True), fixedrange=True)
    figure.update_yaxes(title="top-1 accuracy, %", range=_span(info["top1_percent"]), fixedrange=True)
    return figure


def axis_title(axis: Axis, conditions: Conditions | None) -> str:
    """What an axis counts; latency says how it was taken."""
    if axis == "latency":
        return f"latency, ms ({conditions})" if conditions else "latency, ms"
    return "million MACs" if axis == "macs" else "thousand parameters"


def _place(point: Point, axis: Axis, measured: Measurements) -> float | None:
    if axis != "latency":
        return point.macs / 1e6 if axis == "macs" else point.params / 1e3
    latency = measured.latency_of(point)
    if latency is None and point.finetuned:  # fine-tuning changes values, not shapes: same structure, same latency
        reading = measured.latency_ms(point.ranking, point.macs)
        latency = reading.value if reading else None
    return latency


def _hover(series: str, point: Point, measured: Measurements) -> str:
    lines = [
        f"<b>{CAPTIONS[series]}, {100 * point.macs_fraction:.1f} % of the MACs</b>",
        f"top-1 {100 * point.top1:.2f} % on {point.images:,} test images",
        f"{point.macs / 1e6:,.2f} M MACs, {point.params / 1e3:,.1f} k parameters",
    ]
    if (latency := measured.latency_of(point)) is not None:
        lines.append(f"{latency:.3g} ms")
    if point.finetuned:
        lines.append(", ".join(f"{key}: {_plain(value)}" for key, value in point.finetuned.items() if _is_plain(value)))
    elif series != "original":
        lines.append("batch norm recalibrated" if point.recalibrated else "batch norm as in the original")
    return "<br>".join(line for line in lines if line)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _mark(figure: go.Figure, here: Here, axis: Axis) -> None:
    x = here.x(axis)
    if x is None:
        return
    colour = COLOURS[here.ranking]
    figure.add_vline(x=x, line={"color": colour, "width": 1, "dash": "dot"})
    if here.top1 is not None:
        figure.add_scatter(
            x=[x],
            y=[100 * here.top1],
            name="This budget",
            mode="markers",
            marker={"size": 17, "symbol": "circle-open", "color": colour, "line": {"width": 3}},
            hovertemplate=f"<b>This budget</b><br>about {100 * here.top1:.1f} % before fine-tuning<extra></extra>",
        )


def _span(values: pd.Series, from_zero: bool = False) -> list[float] | None:
    """A range around all measured values: it does not depend on the budget, so the chart stands still."""
    if values.empty:
        return None
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low or abs(high) or 1.0)
    return [0.0 if from_zero and low < 0.5 * high else low - room, high + room]
