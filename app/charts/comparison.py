"""Two networks on all test images: tables of where they differ, and the charts of them.

They do not know pages or files.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts.predictions import short
from app.charts.style import CAPTIONS, COLOURS, style
from legr.study.comparison import OUTCOMES, Comparison

MOST = 25  # classes on a chart: of more, those that change most
OUTCOME_CAPTIONS = {
    "both": "Both right",
    "only_original": "Only the original right",
    "only_pruned": "Only the pruned right",
    "neither": "Both wrong",
}
_LESS, _MORE = "208, 99, 42", "47, 115, 200"  # orange, blue
_WRITTEN = 15  # classes up to which cells of the confusion have their number in them


# -- the counts --------------------------------------------------------------------------------------------


def outcomes_info(comparison: Comparison) -> pd.DataFrame:
    """Who is right, in four rows that add up to all test images: outcome, caption, images, percent."""
    counts, total = comparison.counts(), len(comparison.labels)
    rows = [(name, OUTCOME_CAPTIONS[name], counts[name], 100 * counts[name] / total) for name in OUTCOMES]
    return pd.DataFrame(rows, columns=["outcome", "caption", "images", "percent"])


class DifferingImage(NamedTuple):
    """A test image on which the two networks differ: a row of `differing_info`."""

    number: int  # among all test images, from 1
    label: str
    original: str  # the class that the original network predicts
    original_percent: float
    original_right: bool
    pruned: str
    pruned_percent: float
    pruned_right: bool
    outcome: str  # one of OUTCOMES
    picture: int  # index into `Comparison.pictures`; -1: not stored


def differing_info(comparison: Comparison, classes: Sequence[str]) -> pd.DataFrame:
    """Every test image on which the two networks differ, in the order of the test images.

    Returns:
        One column for each field of `DifferingImage`.
    """
    places = np.flatnonzero(comparison.differ)
    names = np.array(classes, dtype=object)
    kept = {int(number): place for place, number in enumerate(comparison.numbers)}
    labels = comparison.labels[places]
    table = {"number": places + 1, "label": names[labels]}
    for side, answers in (("original", comparison.original), ("pruned", comparison.pruned)):
        table[side] = names[answers.first[places]]
        table[f"{side}_percent"] = 100.0 * answers.probabilities[places, 0]
        table[f"{side}_right"] = answers.first[places] == labels
    table["outcome"] = np.array(OUTCOMES, dtype=object)[comparison.outcome()[places]]
    table["picture"] = np.array([kept.get(place, -1) for place in places.tolist()], dtype=int)
    return pd.DataFrame(table)


def differing_images(info: pd.DataFrame) -> list[DifferingImage]:
    """The rows of such a table."""
    return [DifferingImage(**row) for row in info.to_dict("records")]


# -- accuracy class by class -------------------------------------------------------------------------------


def classes_info(comparison: Comparison, classes: Sequence[str]) -> pd.DataFrame:
    """Accuracy of every class that has test images, what loses most first.

    Returns:
        Columns class, images, original_percent, pruned_percent, difference (points).
    """
    labels, n_classes = comparison.labels, len(classes)
    images = np.bincount(labels, minlength=n_classes)
    one, other = (
        100 * np.bincount(labels[answers.first == labels], minlength=n_classes) / np.maximum(images, 1)
        for answers in (comparison.original, comparison.pruned)
    )
    table = pd.DataFrame(
        {
            "class": list(classes),
            "images": images,
            "original_percent": one,
            "pruned_percent": other,
            "difference": other - one,
        }
    )
    return table[table["images"] > 0].sort_values("difference", kind="stable", ignore_index=True)


def most_changed(info: pd.DataFrame) -> pd.DataFrame:
    """Of a table of classes, the rows that change most, in its own order."""
    return info.loc[sorted(info["difference"].abs().sort_values(ascending=False, kind="stable").index[:MOST])]


def classes_figure(info: pd.DataFrame, colour: str) -> go.Figure:
    """Two marks a class, joined by a line, with the difference in points at its end."""
    places = list(range(len(info)))
    figure = go.Figure()
    gaps = info.assign(gap=None)[["original_percent", "pruned_percent", "gap"]].to_numpy().ravel().tolist()
    figure.add_scatter(
        x=gaps,
        y=np.repeat(places, 3).tolist(),
        mode="lines",
        line={"color": COLOURS["removed"], "width": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    for side, name, mark in (("original", CAPTIONS["original"], COLOURS["original"]), ("pruned", "Pruned", colour)):
        figure.add_scatter(
            x=info[f"{side}_percent"],
            y=places,
            name=name,
            mode="markers",
            marker={"color": mark, "size": 10},
            customdata=info[["class", "images"]].to_numpy().tolist(),
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{name} %{{x:.1f}} % of %{{customdata[1]:,}}<extra></extra>",
        )
    low = 10 * np.floor(min(info["original_percent"].min(), info["pruned_percent"].min(), 90) / 10)
    room = 0.16 * (100 - low)
    figure.add_scatter(
        x=[100 + room] * len(places),
        y=places,
        mode="text",
        text=[_points(value) for value in info["difference"]],
        textposition="middle left",
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    style(figure, 90 + 24 * len(info))
    step = 10 if low >= 50 else 20
    figure.update_xaxes(
        title="right answers, %; at the right the difference, points",
        range=[low - 0.02 * (100 - low), 100 + room],
        tickvals=np.arange(100, low - 1, -step).tolist(),
        fixedrange=True,
        zeroline=False,
    )
    names = [short(name) for name in info["class"]]
    figure.update_yaxes(
        tickvals=places, ticktext=names, range=[len(info) - 0.5, -0.5], fixedrange=True, automargin=True, zeroline=False
    )
    return figure


def _points(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0"


# -- confusions --------------------------------------------------------------------------------------------


def confusion_change(comparison: Comparison, n_classes: int) -> NDArray[np.int64]:
    """How often each class (row) is taken for each (column), pruned minus original, (n_classes, n_classes)."""

    def confusion(answered: NDArray[np.int32]) -> NDArray[np.int64]:
        cells = comparison.labels.astype(np.int64) * n_classes + answered
        return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)

    return confusion(comparison.pruned.first) - confusion(comparison.original.first)


def confusion_info(comparison: Comparison, classes: Sequence[str]) -> pd.DataFrame:
    """The change of confusions as a square table, named by class; of many classes, those that change most."""
    change = confusion_change(comparison, len(classes))
    moved = np.abs(change).sum(axis=0) + np.abs(change).sum(axis=1)
    chosen = np.sort(np.argsort(-moved, kind="stable")[:MOST])
    names = [classes[place] for place in chosen]
    return pd.DataFrame(change[np.ix_(chosen, chosen)], index=names, columns=names)


def confusion_figure(info: pd.DataFrame, *, dark: bool) -> go.Figure:
    """A heat map whose zero is the background: more often in blue, less often in orange.

    Args:
        dark: whether the background is; the numbers in the cells stand out from it and from both colours.
    """
    values, places = info.to_numpy(), list(range(len(info)))
    limit = max(1, int(np.abs(values).max(initial=0)))
    marks = [mark for mark in (limit // 4, limit) if mark]
    hover = [
        [f"{true}, taken for {answered}: {_signed(value)}" for answered, value in zip(info.columns, row, strict=True)]
        for true, row in zip(info.index, values.tolist(), strict=True)
    ]
    figure = go.Figure()
    figure.add_heatmap(
        z=_root(values).tolist(),
        x=places,
        y=places,
        zmin=-(limit**0.5),
        zmax=limit**0.5,
        colorscale=[
            [0, f"rgba({_LESS}, 1)"],
            [0.5, f"rgba({_LESS}, 0)"],
            [0.5, f"rgba({_MORE}, 0)"],
            [1, f"rgba({_MORE}, 1)"],
        ],
        showscale=len(places) > _WRITTEN,
        colorbar={
            "title": "images",
            "thickness": 12,
            "tickvals": _root(np.array([*(-mark for mark in marks), 0, *marks])).tolist(),
            "ticktext": [_signed(mark) if mark else "0" for mark in (*(-mark for mark in marks), 0, *marks)],
        },
        xgap=1,
        ygap=1,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )
    if len(places) <= _WRITTEN:  # a heat map's own text takes the page for white
        figure.add_scatter(
            x=places * len(places),
            y=np.repeat(places, len(places)).tolist(),
            mode="text",
            text=[_signed(value) if value else "" for value in values.ravel().tolist()],
            textfont={"color": "#ffffff" if dark else "#10161f"},
            hoverinfo="skip",
            showlegend=False,
        )
    style(figure, 130 + 26 * len(places))
    axis = {"tickvals": places, "fixedrange": True, "showgrid": False, "zeroline": False, "automargin": True}
    names = [short(str(name), 14) for name in info.index]
    figure.update_xaxes(title="answered", ticktext=names, tickangle=-45, range=[-0.5, len(places) - 0.5], **axis)
    figure.update_yaxes(title="true class", ticktext=names, range=[len(places) - 0.5, -0.5], **axis)
    return figure


def _root(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """What colours are by: else the diagonal, where most is lost, would leave all other cells pale."""
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed(value: int) -> str:
    return f"{value:+d}".replace("-", "−")
