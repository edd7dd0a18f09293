"""The replay of a search: the best loss so far, and what the best candidate keeps of each layer, frame by frame."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from legr.charts.style import COLOURS, REMOVED, style
from legr.escape import in_html
from legr.ranking.budget import BudgetCurve
from legr.search.replay import Frame
from legr.study.store import Study

MAX_FRAMES = 60
_FRAME_MS = 350
_HEIGHT, _STACKED_HEIGHT = 420, 720  # pixels, of the charts side by side, and one above the other
_ABOVE, _BELOW = 10, 140  # pixels around them
_SLIDER_BELOW, _BUTTONS_BELOW = 54, 162  # pixels below the axes
_NAMES = 28  # more, where names of layers stand above the number of the map


def thin_out(frames: Sequence[Frame]) -> list[Frame]:
    """At most MAX_FRAMES frames, evenly spread, among them the first and the last."""
    indices = np.unique(np.linspace(0, len(frames) - 1, min(MAX_FRAMES, len(frames))).round().astype(int))
    return [frames[index] for index in indices.tolist()]


def replay_table(study: Study, frames: Sequence[Frame], budget: float) -> pd.DataFrame:
    """What the best candidate keeps of each layer at a budget.

    Args:
        budget: fraction of the original's MACs.

    Returns:
        One row a frame: candidate, passes, best, then one column a layer with the filters kept.
    """
    rows, last, kept = [], None, []
    for frame in frames:
        if frame.affine is not last:  # most candidates do not improve on the best one
            curve = BudgetCurve(study.structure, study.ranker.rank(frame.affine, study.constraints))
            keep = curve.at(macs=max(budget, curve.floor))
            last, kept = frame.affine, [int(keep.kept(layer.labels).sum()) for layer in study.structure.layers]
        rows.append((frame.candidate, frame.passes, frame.best, *kept))
    names = [layer.name for layer in study.structure.layers]
    return pd.DataFrame(rows, columns=["candidate", "passes", "best", *names])


def replay_figure(info: pd.DataFrame, totals: Sequence[int], identity: float) -> go.Figure:
    """Loss and filters at the last frame, with buttons and a slider that show all frames.

    Args:
        totals: filters of each layer in the original network.
        identity: loss of the identity map, the first candidate.
    """
    layers = [in_html(name) for name in info.columns[3:]]
    figure = make_subplots(rows=1, cols=2, column_widths=[0.38, 0.62], horizontal_spacing=0.08)
    line = {"x": info["passes"], "y": info["best"], "mode": "lines", "line": {"shape": "hv", "width": 1.5}}
    figure.add_scatter(**line, line_color=COLOURS["original"], name="best loss", hoverinfo="skip", row=1, col=1)
    figure.add_scatter(mode="markers", marker={"size": 12, "color": COLOURS["learned"]}, name="now", row=1, col=1)
    figure.add_bar(x=layers, marker_color=COLOURS["learned"], name="kept", row=1, col=2)
    figure.add_bar(x=layers, marker=REMOVED, name="removed", row=1, col=2)
    frames = []
    for row in info.itertuples(index=False):
        kept = np.array(row[3:])
        data = [
            go.Scatter(x=[row.passes], y=[row.best]),
            go.Bar(y=kept.tolist()),
            go.Bar(y=(np.array(totals) - kept).tolist()),
        ]
        frames.append(go.Frame(data=data, traces=[1, 2, 3], name=str(row.candidate)))
    figure.frames = frames
    for trace, last in zip(figure.data[1:], frames[-1].data, strict=True):
        trace.update(last.to_plotly_json())
    style(figure, _HEIGHT, barmode="stack", bargap=0.12, showlegend=False)
    figure.update_layout(margin={"l": 8, "r": 8, "t": _ABOVE, "b": _BELOW})
    lowest, highest = min(float(info["best"].min()), identity), max(float(info["best"].max()), identity)
    room = 0.08 * (highest - lowest or 1)
    figure.update_xaxes(title="passes over the images", fixedrange=True, row=1, col=1)
    figure.update_yaxes(title="best loss so far", range=[lowest - room, highest + room], fixedrange=True, row=1, col=1)
    figure.update_xaxes(tickangle=-90, tickfont={"size": 9}, fixedrange=True, row=1, col=2)
    figure.update_yaxes(title="filters", range=[0, 1.02 * max(totals)], fixedrange=True, row=1, col=2)
    _add_controls(figure, info)
    figure.update_layout(meta={"narrow": _stacked(figure)})
    return figure


def _stacked(figure: go.Figure) -> dict[str, Any]:
    """What of the layout is different in a narrow window: the loss stands above the filters."""
    axes = {name: {"domain": [0.0, 1.0]} for name in ("xaxis", "xaxis2")}
    menu, slider = figure.layout.updatemenus[0].to_plotly_json(), figure.layout.sliders[0].to_plotly_json()
    return {
        **axes,
        "yaxis": {"domain": [0.62, 1.0]},
        "yaxis2": {"domain": [0.0, 0.42]},
        "height": _STACKED_HEIGHT,
        "updatemenus": [{**menu, "y": _below(_BUTTONS_BELOW + _NAMES, _STACKED_HEIGHT)}],
        "sliders": [{**slider, "y": _below(_SLIDER_BELOW + _NAMES, _STACKED_HEIGHT)}],
    }


def _below(pixels: int, height: int) -> float:
    """A place below the axes, as Plotly counts it: in heights of what the margins leave."""
    return -pixels / (height - _ABOVE - _BELOW)


def _add_controls(figure: go.Figure, info: pd.DataFrame) -> None:
    still = {"mode": "immediate", "transition": {"duration": 0}}
    play = {"frame": {"duration": _FRAME_MS, "redraw": True}, "fromcurrent": True, **still}
    show = {"frame": {"duration": 0, "redraw": True}, **still}
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0,
                "y": _below(_BUTTONS_BELOW, _HEIGHT),
                "xanchor": "left",
                "yanchor": "middle",
                "pad": {"r": 8},
                "showactive": False,
                "buttons": [
                    {"label": "Play", "method": "animate", "args": [None, play]},
                    {"label": "Pause", "method": "animate", "args": [[None], show]},
                ],
            }
        ],
        sliders=[
            {
                "x": 0,
                "len": 1,
                "y": _below(_SLIDER_BELOW, _HEIGHT),
                "pad": {"t": 0},
                "active": len(info) - 1,
                "currentvalue": {"prefix": "map ", "font": {"size": 12}},
                "steps": [
                    {"label": str(number), "method": "animate", "args": [[str(number)], show]}
                    for number in info["candidate"]
                ],
            }
        ],
    )
