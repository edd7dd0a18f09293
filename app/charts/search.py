"""Charts of a search and of the map it learned: each a table, and a figure that draws it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts.style import CAPTIONS, COLOURS, style
from legr.study.records import Learned

# -- the learned map ---------------------------------------------------------------------------------------


def map_info(learned: Learned) -> pd.DataFrame:
    """The learned map: one row for each layer, with alpha and kappa."""
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
            "tickvals": log_ticks(info["alpha"].tolist()),
        },
        yaxis2={"title": "kappa", "domain": [0, 0.46], "anchor": "x", "fixedrange": True, "zeroline": False},
        shapes=[
            {"type": "line", "y0": 1, "y1": 1, "yref": "y", **dotted},
            {"type": "line", "y0": 0, "y1": 0, "yref": "y2", **dotted},
        ],
    )
    return figure


def log_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers for a logarithmic axis: 1 to 9 for a narrow range, 1, 2, 5 up to two decades, else the decades."""
    smallest, largest = min(values, default=1), max(values, default=1)
    low, high = math.floor(math.log10(smallest)), math.ceil(math.log10(largest))
    steps = tuple(range(1, 10)) if largest < 4 * smallest else (1, 2, 5) if high - low <= 2 else (1,)
    return [step * 10.0**decade for decade in range(low, high + 1) for step in steps]


# -- progress of a search ----------------------------------------------------------------------------------


def search_info(learned: Learned) -> pd.DataFrame:
    """A finished search: best loss after each candidate, the passes until then, and the loss of the identity."""
    return pd.DataFrame({"passes": learned.spent, "best": learned.trace, "identity": learned.identity_loss})


def search_info_of_history(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The same from the history of a running job; of a resumed search, only since it was resumed."""
    rows = [row for row in history if row.get("best_loss") is not None]
    return pd.DataFrame(
        {
            "passes": [row["done"] for row in rows],
            "best": [row["best_loss"] for row in rows],
            "identity": [row.get("identity_loss") for row in rows],
        }
    )


def search_figure(info: pd.DataFrame, passes: float, height: int = 280) -> go.Figure:
    """Best loss so far.

    Args:
        passes: of the whole search; the axis spans them from the start.
    """
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
