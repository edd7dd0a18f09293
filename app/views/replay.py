"""The search as it happened: the loss of the best candidate so far, and what of each layer it keeps, played back.

It does not know how a search works. Maps come from its journal; what they keep is ranked anew at the budget asked for.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from app import state
from app.charts.style import COLOURS, PLOTLY_CONFIG, style
from legr.ranking.budget import BudgetCurve
from legr.search.replay import Frame, frames
from legr.study.store import Study

FRAMES = 60  # at most: of a long search, evenly spread, the first and the last among them
_FRAME_MS = 350


def chosen(found: Sequence[Frame]) -> list[Frame]:
    """Moments that are played."""
    places = np.unique(np.linspace(0, len(found) - 1, min(FRAMES, len(found))).round().astype(int))
    return [found[place] for place in places.tolist()]


def replay_info(study: Study, found: Sequence[Frame], budget: float) -> pd.DataFrame:
    """What the best candidate keeps of each layer at a budget, moment by moment.

    Returns:
        One row a moment: candidate, passes, best, then one column a layer with its filters.
    """
    rows, last, kept = [], None, []
    for moment in found:
        if moment.affine is not last:  # most candidates are no better than the best before them
            curve = BudgetCurve(study.structure, study.ranker.rank(moment.affine, study.constraints))
            keep = curve.at(macs=max(budget, curve.floor))
            last, kept = moment.affine, [int(keep.kept(layer.labels).sum()) for layer in study.structure.layers]
        rows.append((moment.candidate, moment.passes, moment.best, *kept))
    names = [layer.name for layer in study.structure.layers]
    return pd.DataFrame(rows, columns=["candidate", "passes", "best", *names])


def replay_figure(info: pd.DataFrame, totals: Sequence[int], identity: float) -> go.Figure:
    """Loss and filters of the last moment, with frames from the first to it, a button that plays them, and a slider."""
    layers = list(info.columns[3:])
    figure = make_subplots(rows=1, cols=2, column_widths=[0.38, 0.62], horizontal_spacing=0.08)
    line = {"x": info["passes"], "y": info["best"], "mode": "lines", "line": {"shape": "hv", "width": 1.5}}
    figure.add_scatter(**line, line_color=COLOURS["original"], name="best loss", hoverinfo="skip", row=1, col=1)
    figure.add_scatter(mode="markers", marker={"size": 12, "color": COLOURS["learned"]}, name="now", row=1, col=1)
    figure.add_bar(x=layers, marker_color=COLOURS["learned"], name="kept", row=1, col=2)
    figure.add_bar(x=layers, marker_color=COLOURS["removed"], name="removed", row=1, col=2)
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
    style(figure, 400, barmode="stack", bargap=0.12, showlegend=False)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 10, "b": 90})
    lowest, highest = min(float(info["best"].min()), identity), max(float(info["best"].max()), identity)
    room = 0.08 * (highest - lowest or 1)
    figure.update_xaxes(title="passes over the images", fixedrange=True, row=1, col=1)
    figure.update_yaxes(title="best loss so far", range=[lowest - room, highest + room], fixedrange=True, row=1, col=1)
    figure.update_xaxes(tickangle=-90, tickfont={"size": 9}, fixedrange=True, row=1, col=2)
    figure.update_yaxes(title="filters", range=[0, 1.02 * max(totals)], fixedrange=True, row=1, col=2)
    _add_controls(figure, info)
    return figure


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
                "y": -0.34,
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
                "x": 0.16,
                "len": 0.84,
                "y": -0.22,
                "pad": {"t": 0},
                "active": len(info) - 1,
                "currentvalue": {"prefix": "candidate ", "font": {"size": 12}},
                "steps": [
                    {"label": str(number), "method": "animate", "args": [[str(number)], show]}
                    for number in info["candidate"]
                ],
            }
        ],
    )


def show_replay(study: Study, journal: Path | None, key: str) -> None:
    """The search of a journal, at the budget that the dial stands at; nothing where there is nothing to play.

    Args:
        key: of the chart; another one for each on a page.
    """
    if journal is None or not journal.exists():
        return
    budget = max(state.budget_percent() / 100, state.curve(study, "identity").floor)
    info = _replay(str(study.path), str(journal), journal.stat().st_mtime_ns, state.stamp(study), budget)
    if len(info) < 2:
        return
    totals = [layer.total for layer in study.structure.layers]
    st.markdown(f"**The best candidate so far, at {100 * budget:.4g} % of the MACs**")
    alt = f"Loss of the best of {info['candidate'].iloc[-1] + 1} candidates, and filters that it keeps of each layer."
    st.plotly_chart(replay_figure(info, totals, info["best"].iloc[0]), key=key, config=PLOTLY_CONFIG, alt=alt)


@st.cache_data(max_entries=8, show_spinner=False)
def _replay(study: str, journal: str, written: int, stamp: state.Stamp, budget: float) -> pd.DataFrame:
    return replay_info(Study.open(study), chosen(frames(Path(journal))), budget)
