"""Charts of fine-tuning: a table of the epochs of a run, and the figures that draw one run or several."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from legr.charts.style import COLOURS, style
from legr.escape import in_html
from legr.study.records import FineTuned
from legr.training.settings import NUMBERS, closest_recipe
from legr.words import plural

#: Colour and symbol of each run of several; runs beyond these have the same ones, and another dash.
_LOOKS = (
    ("finetuned", "circle"),
    ("learned", "square"),
    ("identity", "diamond"),
    ("uniform", "triangle-up"),
    ("earlier", "cross"),
)
_DASHES = ("solid", "dash", "dot")


def training_table(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
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
    """Held-out accuracy of several runs after each epoch; each with its name, and with a look that no other has."""
    figure = go.Figure()
    for number, (name, info) in enumerate(runs):
        again, place = divmod(number, len(_LOOKS))
        colour, symbol = _LOOKS[place]
        figure.add_scatter(
            x=info["epoch"],
            y=info["heldout_percent"],
            name=in_html(name),
            mode="lines+markers",
            line={"color": COLOURS[colour], "width": 2.5, "dash": _DASHES[again % len(_DASHES)]},
            marker={"symbol": symbol, "size": 7},
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


def training_description(run: FineTuned) -> str:
    """How a run was trained: its recipe and what differs from it."""
    if run.settings is None:
        return plural(run.epochs, "epoch")
    recipe, changes = closest_recipe(run.settings)
    words = [recipe]
    if "distill" in changes:
        words.append("with a teacher" if changes["distill"] else "no teacher")
    words += ["from weights trained together"] if run.supernet else []
    words += ["float16 weights"] if run.half else []
    if "epochs" in changes:
        words.append(plural(changes["epochs"], "epoch"))
    words += [f"{name}={changes[name]!r}" for name in NUMBERS if name in changes]
    return ", ".join(words + ([f"seed {changes['seed']}"] if "seed" in changes else []))
