"""Two networks on all test images: tables of where they differ, and charts of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from legr.charts.predictions import short
from legr.charts.style import CAPTIONS, COLOURS, style
from legr.escape import in_html
from legr.study.comparison import OUTCOMES, Comparison

MAX_CLASSES = 25  # on a chart: of more classes, those that change most
OUTCOME_CAPTIONS = {
    "both": "Both right",
    "only_original": "Only the original right",
    "only_pruned": "Only the pruned right",
    "neither": "Both wrong",
}
_FEWER, _MORE = "208, 99, 42", "47, 115, 200"  # red, green, blue of the colours orange and blue
_MAX_NUMBERED = 15  # classes: the cells of a larger confusion matrix are too small for a number


# -- outcomes ----------------------------------------------------------------------------------------------


def outcomes_table(comparison: Comparison) -> pd.DataFrame:
    """How often both networks, one or none is right.

    Returns:
        Columns outcome, caption, images, percent; four rows that add up to all test images.
    """
    counts, total = comparison.counts(), len(comparison.labels)
    rows = [(name, OUTCOME_CAPTIONS[name], counts[name], 100 * counts[name] / total) for name in OUTCOMES]
    return pd.DataFrame(rows, columns=["outcome", "caption", "images", "percent"])


class DifferingImage(NamedTuple):
    """A test image on which the two networks differ: a row of `differing_table`."""

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


def differing_table(comparison: Comparison, classes: Sequence[str]) -> pd.DataFrame:
    """Every test image on which the two networks differ, in the order of the test images.

    Returns:
        One column for each field of `DifferingImage`.
    """
    images = np.flatnonzero(comparison.differ)
    names = np.array(classes, dtype=object)
    picture_of = {int(image): picture for picture, image in enumerate(comparison.numbers)}
    labels = comparison.labels[images]
    table = {"number": images + 1, "label": names[labels]}
    for network, predictions in (("original", comparison.original), ("pruned", comparison.pruned)):
        table[network] = names[predictions.first[images]]
        table[f"{network}_percent"] = 100.0 * predictions.probabilities[images, 0]
        table[f"{network}_right"] = predictions.first[images] == labels
    table["outcome"] = np.array(OUTCOMES, dtype=object)[comparison.outcome()[images]]
    table["picture"] = np.array([picture_of.get(image, -1) for image in images.tolist()], dtype=int)
    return pd.DataFrame(table)


def differing_images(info: pd.DataFrame) -> list[DifferingImage]:
    """The rows of such a table."""
    return [DifferingImage(**row) for row in info.to_dict("records")]


# -- accuracy class by class -------------------------------------------------------------------------------


def classes_table(comparison: Comparison, classes: Sequence[str]) -> pd.DataFrame:
    """Accuracy of every class that has test images, the one that loses most first.

    Returns:
        Columns class, images, original_percent, pruned_percent, difference (points).
    """
    labels, n_classes = comparison.labels, len(classes)
    images = np.bincount(labels, minlength=n_classes)
    original, pruned = (
        100 * np.bincount(labels[predictions.first == labels], minlength=n_classes) / np.maximum(images, 1)
        for predictions in (comparison.original, comparison.pruned)
    )
    table = pd.DataFrame(
        {
            "class": list(classes),
            "images": images,
            "original_percent": original,
            "pruned_percent": pruned,
            "difference": pruned - original,
        }
    )
    return table[table["images"] > 0].sort_values("difference", kind="stable", ignore_index=True)


def most_changed(info: pd.DataFrame) -> pd.DataFrame:
    """The MAX_CLASSES rows of `classes_table` with the largest differences, in their order."""
    return info.loc[sorted(info["difference"].abs().sort_values(ascending=False, kind="stable").index[:MAX_CLASSES])]


def classes_figure(info: pd.DataFrame, colour: str) -> go.Figure:
    """A row for each class: two markers joined by a line, and at the right the difference in points."""
    rows = list(range(len(info)))
    figure = go.Figure()
    gaps = info.assign(gap=None)[["original_percent", "pruned_percent", "gap"]].to_numpy().ravel().tolist()
    figure.add_scatter(
        x=gaps,
        y=np.repeat(rows, 3).tolist(),
        mode="lines",
        line={"color": COLOURS["removed"], "width": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    for column, name, marker_colour in (
        ("original_percent", CAPTIONS["original"], COLOURS["original"]),
        ("pruned_percent", "Pruned", colour),
    ):
        figure.add_scatter(
            x=info[column],
            y=rows,
            name=name,
            mode="markers",
            marker={"color": marker_colour, "size": 10},
            customdata=list(zip(map(in_html, info["class"]), info["images"].tolist(), strict=True)),
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{name} %{{x:.1f}} % of %{{customdata[1]:,}}<extra></extra>",
        )
    low = 10 * np.floor(min(info["original_percent"].min(), info["pruned_percent"].min(), 90) / 10)
    room = 0.16 * (100 - low)
    figure.add_scatter(
        x=[100 + room] * len(rows),
        y=rows,
        mode="text",
        text=[_points(difference) for difference in info["difference"]],
        textposition="middle left",
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    style(figure, 90 + 24 * len(info))
    step = 10 if low >= 50 else 20
    figure.update_xaxes(
        title="accuracy, %; at the right the difference, points",
        range=[low - 0.02 * (100 - low), 100 + room],
        tickvals=np.arange(100, low - 1, -step).tolist(),
        fixedrange=True,
        zeroline=False,
    )
    names = [in_html(short(name)) for name in info["class"]]
    figure.update_yaxes(
        tickvals=rows, ticktext=names, range=[len(info) - 0.5, -0.5], fixedrange=True, automargin=True, zeroline=False
    )
    return figure


def _points(difference: float) -> str:
    return f"{difference:+.1f}".replace("-", "−") if abs(difference) >= 0.05 else "0"


# -- confusion matrix --------------------------------------------------------------------------------------


def confusion_change(comparison: Comparison, n_classes: int) -> NDArray[np.int64]:
    """The pruned network's confusion matrix minus the original's, int64[true class, predicted class], in images."""

    def confusion(predicted: NDArray[np.int32]) -> NDArray[np.int64]:
        cells = comparison.labels.astype(np.int64) * n_classes + predicted
        return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)

    return confusion(comparison.pruned.first) - confusion(comparison.original.first)


def confusion_table(comparison: Comparison, classes: Sequence[str]) -> pd.DataFrame:
    """`confusion_change` as a square table named by class; of more than MAX_CLASSES, those that change most."""
    change = confusion_change(comparison, len(classes))
    total = np.abs(change).sum(axis=0) + np.abs(change).sum(axis=1)
    chosen = np.sort(np.argsort(-total, kind="stable")[:MAX_CLASSES])
    names = [classes[index] for index in chosen]
    return pd.DataFrame(change[np.ix_(chosen, chosen)], index=names, columns=names)


def confusion_figure(info: pd.DataFrame, *, dark: bool) -> go.Figure:
    """A heat map of `confusion_table`: more often in blue, less often in orange, no change in the background's colour.

    Args:
        dark: whether the background is dark; the numbers in the cells are then white, else black.
    """
    values, n_classes = info.to_numpy(), len(info)
    numbered = n_classes <= _MAX_NUMBERED
    figure = go.Figure(_heat_map(info, showscale=not numbered))
    if numbered:
        figure.add_trace(_cell_numbers(values, "#ffffff" if dark else "#10161f"))
    style(figure, 130 + 26 * n_classes)
    names = [in_html(short(str(name), 14)) for name in info.index]
    axis = {
        "tickvals": list(range(n_classes)),
        "ticktext": names,
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
    figure.update_xaxes(title="predicted class", tickangle=-45, range=[-0.5, n_classes - 0.5], **axis)
    figure.update_yaxes(title="true class", range=[n_classes - 0.5, -0.5], **axis)
    return figure


def _heat_map(info: pd.DataFrame, *, showscale: bool) -> go.Heatmap:
    values, indices = info.to_numpy(), list(range(len(info)))
    limit = max(1, int(np.abs(values).max(initial=0)))
    names = [in_html(str(name)) for name in info.index]
    hover = [
        [f"{true}, taken for {predicted}: {_signed(value)}" for predicted, value in zip(names, row, strict=True)]
        for true, row in zip(names, values.tolist(), strict=True)
    ]
    return go.Heatmap(
        z=_signed_root(values).tolist(),
        x=indices,
        y=indices,
        zmin=-(limit**0.5),
        zmax=limit**0.5,
        colorscale=[
            [0, f"rgba({_FEWER}, 1)"],
            [0.5, f"rgba({_FEWER}, 0)"],
            [0.5, f"rgba({_MORE}, 0)"],
            [1, f"rgba({_MORE}, 1)"],
        ],
        showscale=showscale,
        colorbar=_colour_bar(limit),
        xgap=1,
        ygap=1,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _colour_bar(limit: int) -> dict[str, Any]:
    positive = [count for count in (limit // 4, limit) if count]
    ticks = [*(-count for count in positive), 0, *positive]
    return {
        "title": "images",
        "thickness": 12,
        "tickvals": _signed_root(np.array(ticks)).tolist(),
        "ticktext": [_signed(tick) for tick in ticks],
    }


def _cell_numbers(values: NDArray[np.int64], colour: str) -> go.Scatter:
    """The number in each cell; a heat map's own text is drawn as if the page were white."""
    indices = list(range(len(values)))
    return go.Scatter(
        x=indices * len(values),
        y=np.repeat(indices, len(values)).tolist(),
        mode="text",
        text=[_signed(value) if value else "" for value in values.ravel().tolist()],
        textfont={"color": colour},
        hoverinfo="skip",
        showlegend=False,
    )


def _signed_root(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """What colours encode: on a linear scale the diagonal, where most changes, would leave other cells pale."""
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed(value: int) -> str:
    return f"{value:+d}".replace("-", "−") if value else "0"
