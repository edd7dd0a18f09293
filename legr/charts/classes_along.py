"""Accuracy of each class along the slider: a table, and a chart of it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from legr.charts.comparison import MAX_CLASSES
from legr.charts.predictions import short
from legr.charts.style import COLOURS, style
from legr.escape import in_html
from legr.study.along import PredictionsAlong

ALL_IMAGES = "all images"
_HOVER = "%{customdata}: %{y:.1f} % at %{x:.3g} % of the MACs<extra></extra>"
_TICKS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
_NAMED = 3  # classes that lose most, by name on the chart


def listed_classes(along: PredictionsAlong, classes: Sequence[str]) -> list[int]:
    """Indices of the classes that are drawn: those that lose most, at most `MAX_CLASSES`; see `_by_loss`."""
    top1 = along.top1_of_classes(len(classes))
    return _by_loss(top1)[:MAX_CLASSES]


def _by_loss(top1: NDArray[np.float64]) -> list[int]:
    """Indices of the classes that have test images, the one that loses most in the mean of the networks first.

    Args:
        top1: float64[B, classes], of the original first; nan for a class without images.
    """
    lost = np.nan_to_num(top1[0] - top1[1:].mean(axis=0), nan=-np.inf)
    return [int(place) for place in np.argsort(-lost, kind="stable") if np.isfinite(lost[place])]


def classes_along_table(along: PredictionsAlong, classes: Sequence[str]) -> pd.DataFrame:
    """A row for all images and one for every class that has some, the class that loses most first.

    Returns:
        Columns class, images, and for each network, the original first, its per cent of the MACs as text: top-1, %.
    """
    top1 = 100 * along.top1_of_classes(len(classes))
    images = np.bincount(along.labels, minlength=len(classes))
    of_classes = ((classes[place], images[place], *top1[:, place]) for place in _by_loss(top1))
    rows = [(ALL_IMAGES, len(along.labels), *(100 * along.top1)), *of_classes]
    return pd.DataFrame(rows, columns=["class", "images", *_share_names(along)])


def _share_names(along: PredictionsAlong) -> list[str]:
    """Per cent of the MACs of each network, in as many digits as tell all of them apart."""
    percents = [100 * network.macs_fraction for network in along.about.networks]
    found = ([f"{percent:.{digits}g} %" for percent in percents] for digits in range(4, 18))
    return next(names for names in found if len(set(names)) == len(names))


def classes_along_figure(along: PredictionsAlong, classes: Sequence[str]) -> go.Figure:
    """A line for each listed class, thick for all images; those that lose most have their names beside them."""
    percent = [100 * network.macs_fraction for network in along.about.networks]
    top1 = 100 * along.top1_of_classes(len(classes))
    figure = go.Figure()
    for rank, place in enumerate(listed_classes(along, classes)):
        named = rank < _NAMED
        figure.add_scatter(
            x=percent,
            y=top1[:, place].tolist(),
            mode="lines",
            name=in_html(short(classes[place])),
            line={"width": 2 if named else 1, "color": COLOURS["finetuned"] if named else COLOURS["original"]},
            opacity=1 if named else 0.5,
            customdata=[in_html(short(classes[place]))] * len(percent),
            hovertemplate=_HOVER,
        )
        if named:
            figure.add_annotation(
                x=np.log10(percent[-1]),
                y=float(top1[-1, place]),
                text=in_html(short(classes[place])),
                showarrow=False,
                xanchor="right",
                xshift=-6,
            )
    figure.add_scatter(
        x=percent,
        y=(100 * along.top1).tolist(),
        mode="lines+markers",
        name=ALL_IMAGES,
        line={"width": 3, "color": COLOURS["learned"]},
        customdata=[ALL_IMAGES] * len(percent),
        hovertemplate=_HOVER,
    )
    named_at = float(100 * along.top1[-1])
    figure.add_annotation(
        x=np.log10(percent[-1]), y=named_at, text=f"<b>{ALL_IMAGES}</b>", showarrow=False, xanchor="right", xshift=-8
    )
    ticks = [value for value in _TICKS if value >= percent[-1]]
    figure.update_xaxes(
        type="log", title="MACs, % of the original's", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks]
    )
    figure.update_yaxes(title="top-1, %")
    style(figure, height=340)
    figure.update_layout(showlegend=False)
    return figure
