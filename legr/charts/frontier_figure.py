"""The frontier as a figure that needs no browser of ours: for reports and saved pages."""

from collections.abc import Sequence

import plotly.graph_objects as go

from legr.charts.frontier import Axis, axis_title, frontier_points, pareto
from legr.charts.frontier_lines import LEAST_ERROR, Line, frontier_lines, label_row, ranges
from legr.charts.measurements import Measurements
from legr.charts.style import CAPTIONS, COLOURS, HEIGHT, style
from legr.escape import in_html
from legr.study.records import RANKINGS, RankingName


def frontier_figure(
    measured: Measurements,
    axis: Axis,
    ranking: str,
    *,
    others: Sequence[RankingName] = RANKINGS,
    whole: bool = False,
    error: bool = False,
) -> go.Figure:
    """The trained networks of a ranking and, fainter, all as they were cut, with labels at the ends of the lines.

    Args:
        others: rankings that are shown beside it.
        whole: the whole range, not only networks that one would take.
        error: accuracy on a logarithmic scale of the error.
    """
    points, figure = frontier_points(measured), go.Figure()
    style(figure, HEIGHT)
    if points[axis].isna().all():
        return figure
    shown = ranges(points, ranking, whole=whole)
    lines = [line for line in frontier_lines(points) if line.ranking in ("", ranking, *others)]
    lines.sort(key=lambda line: (not line.ranking, line.ranking == ranking))  # its own above others
    height = {row: _height(points.at[row, "top1_percent"], error) for row in points.index}
    for line in lines:
        rows = [row for row in line.rows if points.at[row, axis] == points.at[row, axis]]  # NaN: no place on the axis
        label = label_row(points, line, axis, shown) if line.kind else None
        figure.add_scatter(
            x=[float(points.at[row, axis]) for row in rows],
            y=[height[row] for row in rows],
            name=line.name,
            text=[label_of(line, ranking, others) if row == label else "" for row in rows],
            textposition="bottom right" if line.ranking else "top left",
            hovertext=[_hover(points.at[row, "hover"]) for row in rows],
            hovertemplate="%{hovertext}<extra></extra>",
            **{**line.look, "mode": f"{line.look['mode']}+text"},
        )
    drawn = points.loc[sorted({row for line in lines for row in line.rows})]
    best = pareto(drawn.assign(x=drawn[axis]).dropna(subset=["x"]))
    figure.add_scatter(
        x=best["x"].tolist(), y=[height[row] for row in best.index], name="Pareto", mode="lines", hoverinfo="skip",
        line={"color": COLOURS["original"], "width": 1, "shape": "hv", "dash": "dot"},
    )  # fmt: skip
    figure.update_xaxes(title=axis_title(axis, measured.conditions), range=shown.x[axis])
    figure.update_yaxes(title="top-1 accuracy, %", range=shown.y)
    if error:
        ticks = [f"{100 - tick:.3g}" for tick in shown.ticks]
        figure.update_yaxes(
            type="log", range=shown.error, tickvals=shown.ticks, ticktext=ticks, title="top-1 accuracy, % (error: log)"
        )
    fixed = {"fixedrange": True, "automargin": True}
    figure.update_layout(template="none", showlegend=False, xaxis=fixed, yaxis=fixed)
    return figure


def label_of(line: Line, ranking: str, others: Sequence[str]) -> str:
    """What stands at the end of a line; it names the ranking where several are shown."""
    named = line.ranking and line.kind and {ranking, *others} != {ranking}
    return f"{CAPTIONS[line.ranking]}, {line.kind}" if named else line.kind


def _height(top1_percent: float, error: bool) -> float:
    return max(LEAST_ERROR, 100 - top1_percent) if error else float(top1_percent)


def _hover(text: str) -> str:
    name, *lines = map(in_html, text.split("\n"))
    return "<br>".join([f"<b>{name}</b>", *lines])
