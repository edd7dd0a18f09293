"""What two networks answer to one image: a table, a chart of it, and a sentence about the two.

It does not know how they are asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts.style import style

Answer = Mapping[str, Any]  # class (its place), name, probability
_LONGEST = 22  # letters of a class's name on an axis
_HEIGHT, _FONT = 280, 14


def answers_info(answers: Sequence[Answer], label: int | None) -> pd.DataFrame:
    """Predictions, the most probable first.

    Args:
        label: place of the right class; None where it is not known.

    Returns:
        Columns name, percent, right.
    """
    rows = [(answer["name"], 100 * answer["probability"], answer["class"] == label) for answer in answers]
    return pd.DataFrame(rows, columns=["name", "percent", "right"])


def answers_figure(info: pd.DataFrame, colour: str) -> go.Figure:
    """Horizontal bars from 0 to 100 %, the most probable class on top, the right one ticked off."""
    places = list(range(len(info)))
    names = [f"{'✓ ' if right else ''}{short(name)}" for name, right in zip(info["name"], info["right"], strict=True)]
    figure = go.Figure()
    figure.add_bar(
        x=info["percent"].tolist(),
        y=places,
        orientation="h",
        marker={"color": colour},
        text=[f"{percent:.1f} %" for percent in info["percent"]],
        textposition="outside",
        textfont={"size": _FONT},
        cliponaxis=False,
        customdata=info["name"],
        hovertemplate="<b>%{customdata}</b><br>%{x:.2f} %<extra></extra>",
    )
    style(figure, _HEIGHT, showlegend=False, bargap=0.25)
    figure.update_layout(margin={"l": 8, "r": 60, "t": 4, "b": 8})
    figure.update_xaxes(title="probability, %", range=[0, 100], dtick=25, fixedrange=True)
    figure.update_yaxes(
        tickvals=places,
        ticktext=names,
        range=[max(len(info), 3) - 0.5, -0.5],
        tickfont={"size": _FONT},
        fixedrange=True,
        automargin=True,
    )
    return figure


def verdict(original: Answer, pruned: Answer, label: str | None, right: int | None) -> tuple[str, str]:
    """Whether two first answers agree, and which is right where that is known.

    Args:
        label: name of the right class.
        right: its place.

    Returns:
        "success", "warning" or "info", and a sentence.
    """
    one, other = original["name"], pruned["name"]
    agree = original["class"] == pruned["class"]
    if right is None:
        if agree:
            return "success", f"They agree: {one}."
        return "warning", f"They disagree: {_sure(original, 'the original')}; {_sure(pruned, 'the pruned network')}."
    if agree:
        if original["class"] == right:
            return "success", f"Both are right: {one}."
        return "warning", f"Both are wrong: they say {one}, and it is {label}."
    if original["class"] == right:
        return "warning", f"They disagree: the original is right with {one}; the pruned network says {other}."
    if pruned["class"] == right:
        return "info", f"They disagree: the pruned network is right with {other}; the original says {one}."
    return "warning", (
        f"They disagree, and both are wrong: the original says {one}, the pruned network {other}; it is {label}."
    )


def short(name: str, longest: int = _LONGEST) -> str:
    """A class's name, short enough for an axis."""
    return name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"


def _sure(answer: Answer, who: str) -> str:
    return f"{who} says {answer['name']} ({100 * answer['probability']:.1f} %)"
