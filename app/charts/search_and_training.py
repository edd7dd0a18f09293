"""Charts of a search and of a training: each a table that tests read, and a thin figure that draws it.

They do not know pages or files. Colours are the same on every chart of every page.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts.style import CAPTIONS, COLOURS, style
from legr.study.records import Learned

# -- the learned map ---------------------------------------------------------------------------------------


def map_info(learned: Learned) -> pd.DataFrame:
    """The learned map: one row a layer with alpha and kappa."""
    return pd.DataFrame({"layer": learned.layers, "alpha": learned.alpha, "kappa": learned.kappa})


def map_figure(info: pd.DataFrame) -> go.Figure:
    """Alpha (logarithmic) and kappa of each layer, one above the other."""
    figure = go.Figure()
    shared: dict[str, Any] = {
        "mode": "markers",
        "marker": {"color": COLOURS["learned"], "size": 7},
        "x": info["layer"],
    }
    figure.add_scatter(
        y=info["alpha"], name="alpha", hovertemplate="<b>%{x}</b><br>alpha %{y:.3g}<extra></extra>", **shared
    )
    figure.add_scatter(
        y=info["kappa"],
        name="kappa",
        yaxis="y2",
        hovertemplate="<b>%{x}</b><br>kappa %{y:.3g}<extra></extra>",
        **shared,
    )
    style(figure, 430, showlegend=False)
    dotted = {
        "line": {"color": COLOURS["original"], "width": 1, "dash": "dot"},
        "x0": 0,
        "x1": 1,
        "xref": "paper",
    }
    figure.update_layout(
        xaxis={"tickangle": -90, "tickfont": {"size": 10}, "anchor": "y2", "fixedrange": True},
        yaxis={
            "title": "alpha (log)",
            "type": "log",
            "domain": [0.58, 1],
            "fixedrange": True,
            "tickvals": log_ticks(info["alpha"]),
        },
        yaxis2={"title": "kappa", "domain": [0, 0.46], "anchor": "x", "fixedrange": True, "zeroline": False},
        shapes=[
            {"type": "line", "y0": 1, "y1": 1, "yref": "y", **dotted},
            {"type": "line", "y0": 0, "y1": 0, "yref": "y2", **dotted},
        ],
    )
    return figure


def log_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers for a logarithmic axis: 1, 2, 5 within two decades, decades beyond."""
    low, high = math.floor(math.log10(min(values, default=1))), math.ceil(math.log10(max(values, default=1)))
    steps = (1, 2, 5) if high - low <= 2 else (1,)
    return [step * 10.0**decade for decade in range(low, high + 1) for step in steps]


# -- progress of a search and of a training ----------------------------------------------------------------


def search_info(learned: Learned) -> pd.DataFrame:
    """Best loss after each candidate, at the passes it took until then, beside the identity's."""
    return pd.DataFrame({"passes": learned.spent, "best": learned.trace, "identity": learned.identity_loss})


def search_info_of_history(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The same from a running job's history; a resumed search has no rows for what was done before."""
    rows = [row for row in history if row.get("best_loss") is not None]
    return pd.DataFrame(
        {
            "passes": [row["done"] for row in rows],
            "best": [row["best_loss"] for row in rows],
            "identity": [row.get("identity_loss") for row in rows],
        }
    )


def search_figure(info: pd.DataFrame, passes: float, height: int = 280) -> go.Figure:
    """Best loss so far; the axis spans the whole search from the start."""
    figure = go.Figure()
    figure.add_scatter(
        x=info["passes"],
        y=info["identity"],
        name=CAPTIONS["identity"],
        mode="lines",
        hoverinfo="skip",
        line={"color": COLOURS["identity"], "width": 2, "dash": "dot"},
    )
    figure.add_scatter(
        x=info["passes"],
        y=info["best"],
        name="Best so far",
        mode="lines" if len(info) > 1 else "markers",
        line={"color": COLOURS["learned"], "width": 2.5, "shape": "hv"},
        hovertemplate="pass %{x:.0f}<br>best loss %{y:.4f}<extra></extra>",
    )
    style(figure, height)
    figure.update_xaxes(title="passes over the images", range=[0, max(passes, 1)], fixedrange=True)
    figure.update_yaxes(title="loss on held-out images", fixedrange=True)
    return figure


def training_info(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Loss and held-out accuracy (per cent) after each epoch, counted from 1."""
    rows = [row for row in history if row.get("loss") is not None]
    return pd.DataFrame(
        {
            "epoch": [row.get("done", number) for number, row in enumerate(rows, 1)],
            "loss": [row["loss"] for row in rows],
            "heldout_percent": [_percent(row.get("heldout_top1")) for row in rows],
        }
    )


def training_figure(info: pd.DataFrame, epochs: int) -> go.Figure:
    """Training loss (left axis) and held-out accuracy (right axis) after each epoch."""
    figure = go.Figure()
    figure.add_scatter(
        x=info["epoch"],
        y=info["loss"],
        name="training loss",
        mode="lines+markers",
        line={"color": COLOURS["original"], "width": 2},
        hovertemplate="epoch %{x}<br>loss %{y:.4f}<extra></extra>",
    )
    figure.add_scatter(
        x=info["epoch"],
        y=info["heldout_percent"],
        name="held-out top-1",
        yaxis="y2",
        mode="lines+markers",
        line={"color": COLOURS["finetuned"], "width": 2.5},
        hovertemplate="epoch %{x}<br>held-out top-1 %{y:.2f} %<extra></extra>",
    )
    style(figure, 300)
    figure.update_layout(
        xaxis={
            "title": "epoch",
            "range": [0.5, max(epochs, 1) + 0.5],
            "dtick": max(1, epochs // 10),
            "fixedrange": True,
        },
        yaxis={"title": "training loss", "fixedrange": True, "range": [0, 1.08 * max(info["loss"], default=1.0)]},
        yaxis2={
            "title": "held-out top-1, %",
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "fixedrange": True,
            "range": _around(info["heldout_percent"]),
            "tickformat": ".1f",
            "tickmode": "auto",
        },
    )
    return figure


def runs_figure(runs: Sequence[tuple[str, pd.DataFrame]]) -> go.Figure:
    """Held-out accuracy of several runs after each epoch; each with its name."""
    figure = go.Figure()
    for name, info in runs:
        figure.add_scatter(
            x=info["epoch"],
            y=info["heldout_percent"],
            name=name,
            mode="lines+markers",
            hovertemplate="epoch %{x}<br>held-out top-1 %{y:.2f} %<extra>%{fullData.name}</extra>",
        )
    style(figure, 300)
    figure.update_xaxes(title="epoch", fixedrange=True, rangemode="tozero")
    figure.update_yaxes(title="held-out top-1, %", fixedrange=True, tickformat=".1f")
    return figure


def _around(percent: pd.Series) -> list[float]:
    """A range of accuracies with some room on both sides."""
    known = percent.dropna()
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 100.0)
    return [max(0.0, low - 5), min(100.5, high + 5)]


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
