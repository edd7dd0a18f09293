"""The charts of a report: the frontier with the network marked, what each layer keeps, accuracy class by class."""

import pandas as pd
import plotly.graph_objects as go

from legr.charts.comparison import classes_figure, classes_table, most_changed
from legr.charts.frontier import Axis, frontier_points
from legr.charts.frontier_figure import frontier_figure
from legr.charts.frontier_lines import ranges
from legr.charts.measurements import Reading
from legr.charts.predictions import short
from legr.charts.style import COLOURS, LAYOUT, REMOVED, style
from legr.escape import in_html
from legr.report.network import ShownNetwork
from legr.study.comparison import Comparison

_AXIS: Axis = "macs"  # every network has a place on it
_BARS_HEIGHT, _LAYER_FONT = 300, 9


def frontier_chart(network: ShownNetwork) -> go.Figure | None:
    """Accuracy against MACs of all measured networks, this one marked; None where nothing was measured."""
    points = frontier_points(network.measured)
    if points.empty:
        return None
    lowest, _ = ranges(points, network.ranking, whole=False).y
    is_below = network.top1 is not None and 100 * network.top1.value < lowest
    figure = frontier_figure(network.measured, _AXIS, network.ranking, whole=is_below)
    figure.update_traces(cliponaxis=False)  # on paper, where the chart is less high, labels reach beyond it
    if network.top1:
        figure.add_scatter(
            x=[network.cost.macs / 1e6],
            y=[100 * network.top1.value],
            name="This network",
            mode="markers+text",
            text=["<b>this network</b>"],
            textposition="top left",
            textfont={"color": COLOURS[network.ranking]},
            cliponaxis=False,
            marker={"symbol": "circle-open", "size": 18, "color": COLOURS[network.ranking], "line": {"width": 3}},
            hovertemplate=f"<b>This network</b><br>{_told(network.top1)} %{{y:.1f}} %<extra></extra>",
        )
    return figure


def _told(top1: Reading) -> str:
    return "top-1" if top1.measured else "top-1 about"


def layers_table(network: ShownNetwork) -> pd.DataFrame:
    """What each layer keeps, in order of execution.

    Returns:
        Columns layer, kept, total (filters).
    """
    layers = network.study.structure.layers
    return pd.DataFrame(
        {
            "layer": [layer.name for layer in layers],
            "kept": network.layers.kept[0].tolist(),
            "total": [layer.total for layer in layers],
        }
    )


def layers_chart(info: pd.DataFrame, colour: str) -> go.Figure:
    """Stacked bars, a layer each: kept filters below, removed ones above."""
    figure, rows = go.Figure(), list(range(len(info)))
    removed = info["total"] - info["kept"]
    told = [
        [in_html(name), kept, total]
        for name, kept, total in zip(info["layer"], info["kept"].tolist(), info["total"].tolist(), strict=True)
    ]
    whole = {"color": colour, "line": {"width": 0}}
    for name, heights, marker in (("Kept", info["kept"], whole), ("Removed", removed, REMOVED)):
        figure.add_bar(
            x=rows,
            y=heights.tolist(),
            name=name,
            marker=marker,
            customdata=told,
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} of %{customdata[2]} filters<extra></extra>",
        )
    style(figure, _BARS_HEIGHT)
    figure.update_layout(template="none", barmode="stack", bargap=0.18)
    figure.update_xaxes(
        tickvals=rows,
        ticktext=[in_html(short(name)) for name in info["layer"]],
        tickangle=-90,
        tickfont={"size": _LAYER_FONT},
        automargin=True,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(title="filters", automargin=True, fixedrange=True)
    return figure


def classes_chart(comparison: Comparison, classes: tuple[str, ...], colour: str) -> go.Figure:
    """Accuracy of each class of both networks; of many classes those that change most."""
    figure = classes_figure(most_changed(classes_table(comparison, classes)), colour)
    figure.update_layout(template="none", **{name: LAYOUT[name] for name in ("margin", "legend")})
    figure.update_xaxes(automargin=True)
    figure.for_each_trace(lambda trace: trace.update(name="This network") if trace.name == "Pruned" else None)
    return figure
