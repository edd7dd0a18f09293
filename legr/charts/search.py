"""Charts of a search and of the map it learned: each a table, and a figure that draws it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from legr.charts.style import COLOURS, style
from legr.escape import in_html
from legr.search.types import SearchProgress
from legr.study.records import Learned

_MAP_HEIGHT, _SEARCH_HEIGHT = 360, 280
_UPPER_HALF, _LOWER_HALF = [0.58, 1], [0, 0.46]  # of the plot's height; the names of the layers stand below
_LAYER_FONT = 10  # pixels: small, as every layer has its name
_NARROW = 8  # largest / smallest value of a range whose ticks stand at equal distances: 1, 2, 5 would leave one
_MOST_TICKS = 6  # of such a range
_FEW_DECADES = 2  # in which 1, 2, 5 still leave room between the ticks

# -- the learned map ---------------------------------------------------------------------------------------


def map_table(learned: Learned) -> pd.DataFrame:
    """The learned map: one row for each layer, with alpha and kappa."""
    return pd.DataFrame({"layer": learned.layers, "alpha": learned.alpha, "kappa": learned.kappa})


def map_figure(table: pd.DataFrame) -> go.Figure:
    """Alpha (logarithmic) above kappa, a marker a layer.

    Args:
        table: of `map_table`.
    """
    figure = go.Figure()
    shared: dict[str, Any] = {
        "mode": "markers",
        "marker": {"color": COLOURS["learned"], "size": 7},
        "x": table["layer"].map(in_html),
    }
    figure.add_scatter(
        y=table["alpha"], name="alpha", hovertemplate="<b>%{x}</b><br>alpha %{y:.3g}<extra></extra>", **shared
    )
    figure.add_scatter(
        y=table["kappa"],
        name="kappa",
        yaxis="y2",
        hovertemplate="<b>%{x}</b><br>kappa %{y:.3g}<extra></extra>",
        **shared,
    )
    style(figure, _MAP_HEIGHT, showlegend=False)
    identity = {
        "type": "line",
        "line": {"color": COLOURS["original"], "width": 1, "dash": "dot"},
        "x0": 0,
        "x1": 1,
        "xref": "paper",
    }
    figure.update_layout(
        xaxis={"tickangle": -90, "tickfont": {"size": _LAYER_FONT}, "anchor": "y2", "fixedrange": True},
        yaxis={
            "title": "alpha (log)",
            "type": "log",
            "domain": _UPPER_HALF,
            "fixedrange": True,
            "tickvals": log_ticks(table["alpha"].tolist()),
        },
        yaxis2={
            "title": "kappa",
            "domain": _LOWER_HALF,
            "anchor": "x",
            "fixedrange": True,
            "zeroline": False,
            "nticks": 5,
        },
        shapes=[
            {"y0": 1, "y1": 1, "yref": "y", **identity},
            {"y0": 0, "y1": 0, "yref": "y2", **identity},
        ],
    )
    return figure


def log_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers for a logarithmic axis: the wider the range, the fewer of them in each decade."""
    smallest, largest = min(values, default=1), max(values, default=1)
    if largest < _NARROW * smallest:
        return _even_ticks(smallest, largest)
    first, last = math.floor(math.log10(smallest)), math.ceil(math.log10(largest))  # decades
    return [digit * 10.0**decade for decade in range(first, last + 1) for digit in _digits(smallest, largest)]


def _even_ticks(smallest: float, largest: float) -> list[float]:
    """Round numbers at equal distances, from below the smallest to above the largest value."""
    least = (largest - smallest or smallest) / _MOST_TICKS
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(digit * decade for digit in (1, 2, 5, 10) if digit * decade >= least)
    first, last = math.floor(smallest / step), math.ceil(largest / step)
    return [float(f"{number * step:.6g}") for number in range(max(first, 1), last + 1)]


def _digits(smallest: float, largest: float) -> Sequence[int]:
    """First digits of the ticks."""
    if math.ceil(math.log10(largest)) - math.floor(math.log10(smallest)) <= _FEW_DECADES:
        return (1, 2, 5)
    return (1,)


# -- progress of a search ----------------------------------------------------------------------------------


def search_table(learned: Learned) -> pd.DataFrame:
    """A finished search, one row for each candidate: passes so far, best loss so far, loss of the identity."""
    return _search_table(learned.passes_spent, learned.best_losses, [learned.identity_loss] * len(learned.best_losses))


def running_search_table(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A search under way, with the columns of `search_table`.

    Args:
        history: of its job; after the search was resumed, it has only the candidates since then.
    """
    needed = ("done", "best_loss", "identity_loss")
    rows = [row for row in history if all(row.get(name) is not None for name in needed)]  # none while images load
    candidates = [SearchProgress.from_dict(row) for row in rows]
    return _search_table(
        [row["done"] for row in rows],
        [candidate.best_loss for candidate in candidates],
        [candidate.identity_loss for candidate in candidates],
    )


def _search_table(passes: Sequence[float], best: Sequence[float], identity: Sequence[float]) -> pd.DataFrame:
    return pd.DataFrame({"passes": passes, "best": best, "identity": identity})


def search_figure(table: pd.DataFrame, total_passes: float) -> go.Figure:
    """Best loss so far, beside the loss of the identity.

    Args:
        table: of `search_table` or `running_search_table`.
        total_passes: of the whole search; the axis spans them from the start.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=table["passes"],
        y=table["identity"],
        name="Plain norms",
        mode="lines",
        hoverinfo="skip",
        line={"color": COLOURS["identity"], "width": 2, "dash": "dot"},
    )
    figure.add_scatter(
        x=table["passes"],
        y=table["best"],
        name="Best so far",
        mode="lines",
        line={"color": COLOURS["learned"], "width": 2.5, "shape": "hv"},
        hovertemplate="pass %{x:.0f}<br>best loss %{y:.4f}<extra></extra>",
    )
    style(figure, _SEARCH_HEIGHT)
    figure.update_xaxes(title="passes over the images", range=[0, max(total_passes, 1)], fixedrange=True)
    figure.update_yaxes(title="loss on held-out images", fixedrange=True)
    return figure
