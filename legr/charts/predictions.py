"""The predictions of two networks for one image: a table, a chart of it, and a sentence that compares the two."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from legr.charts.style import style
from legr.commands.questions import Prediction
from legr.escape import in_html

_MAX_LENGTH = 22  # characters of a class's name on an axis
_HEIGHT, _FONT = 190, 14


def predictions_table(predictions: Sequence[Prediction], label: int | None) -> pd.DataFrame:
    """A table of predictions in their order.

    Args:
        label: index of the right class; None where it is not known.

    Returns:
        Columns name, percent, right.
    """
    rows = [(prediction.name, 100 * prediction.probability, prediction.index == label) for prediction in predictions]
    return pd.DataFrame(rows, columns=["name", "percent", "right"])


def predictions_figure(info: pd.DataFrame, colour: str) -> go.Figure:
    """Horizontal bars from 0 to 100 %, the first prediction on top, the right class with a tick."""
    rows = list(range(len(info)))
    ticks = ["✓ " if right else "" for right in info["right"]]
    names = [f"{tick}{in_html(short(name))}" for tick, name in zip(ticks, info["name"], strict=True)]
    figure = go.Figure()
    figure.add_bar(
        x=info["percent"].tolist(),
        y=rows,
        orientation="h",
        marker={"color": colour},
        text=[f"{percent:.1f} %" for percent in info["percent"]],
        textposition="outside",
        textfont={"size": _FONT},
        cliponaxis=False,
        customdata=info["name"].map(in_html),
        hovertemplate="<b>%{customdata}</b><br>%{x:.2f} %<extra></extra>",
    )
    style(figure, _HEIGHT, showlegend=False, bargap=0.25)
    figure.update_layout(margin={"l": 8, "r": 60, "t": 4, "b": 8})
    figure.update_xaxes(range=[0, 100], visible=False, fixedrange=True)  # every bar says its value
    figure.update_yaxes(
        tickvals=rows,
        ticktext=names,
        range=[max(len(info), 3) - 0.5, -0.5],
        tickfont={"size": _FONT},
        fixedrange=True,
        automargin=True,
    )
    return figure


def verdict(
    original: Prediction,
    pruned: Prediction,
    label: int | None,
    label_name: str | None,
    reference: str = "the original",
) -> tuple[Literal["success", "warning", "info"], str]:
    """Whether two predictions agree, and which of them is right where this is known.

    Args:
        original: of the network that the pruned one is compared with.
        label: index of the right class; None where it is not known.
        reference: that network in words.

    Returns:
        The kind of message, and a sentence.
    """
    if original.index == pruned.index:
        if label is None:
            return "success", f"They agree: {original.name}."
        if original.index == label:
            return "success", f"Both are right: {original.name}."
        return "warning", f"Both are wrong: they say {original.name}, and it is {label_name}."
    if label is None:
        return "warning", f"They disagree: {_says(original, reference)}; {_says(pruned, 'the pruned network')}."
    if original.index == label:
        return "warning", (
            f"They disagree: {reference} is right with {original.name}; the pruned network says {pruned.name}."
        )
    if pruned.index == label:
        return "info", (
            f"They disagree: the pruned network is right with {pruned.name}; {reference} says {original.name}."
        )
    return "warning", (
        f"They disagree, and both are wrong: {reference} says {original.name}, the pruned network {pruned.name}; "
        f"it is {label_name}."
    )


def _says(prediction: Prediction, network: str) -> str:
    return f"{network} says {prediction.name} ({100 * prediction.probability:.1f} %)"


def short(name: str, max_length: int = _MAX_LENGTH) -> str:
    """A class's name, cut to fit an axis."""
    return name if len(name) <= max_length else f"{name[: max_length - 1].rstrip()}…"
