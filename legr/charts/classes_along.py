"""Accuracy of each class along the slider: a table, and a chart of it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from legr.charts.comparison import MAX_CLASSES
from legr.charts.predictions import short
from legr.charts.style import COLOURS, style
from legr.escape import in_html
from legr.study.along import PredictionsAlong

ALL_IMAGES = "all images"
_TICKS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
_NAMED = 3  # classes that lose most, by name on the chart


def listed_classes(along: PredictionsAlong, classes: Sequence[str]) -> list[int]:
    """Indices of the classes that have test images, the one that loses most in the mean of the networks first.

    Of more than `MAX_CLASSES` those that lose most.
    """
    top1 = along.top1_of_classes(len(classes))
    lost = np.nan_to_num(top1[0] - top1[1:].mean(axis=0), nan=-np.inf)
    order = np.argsort(-lost, kind="stable")
    return [int(place) for place in order if np.isfinite(lost[place])][:MAX_CLASSES]


def classes_along_table(along: PredictionsAlong, classes: Sequence[str]) -> pd.DataFrame:
    """A row for all images and one for every class that has some, the class that loses most first.

    Returns:
        Columns class, images, and for each network, the original first, its per cent of the MACs as text: top-1, %.
    """
    top1 = 100 * along.top1_of_classes(len(classes))
    images = np.bincount(along.labels, minlength=len(classes))
    lost = top1[0] - top1[1:].mean(axis=0)
    order = [int(place) for place in np.argsort(-np.nan_to_num(lost, nan=-np.inf), kind="stable") if images[place]]
    rows = [
        (ALL_IMAGES, len(along.labels), *(100 * along.top1)),
        *((classes[p], images[p], *top1[:, p]) for p in order),
    ]
    shares = [f"{100 * network.macs_fraction:.4g} %" for network in along.about.networks]
    return pd.DataFrame(rows, columns=["class", "images", *shares])


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
            hovertemplate=f"{in_html(short(classes[place]))}: %{{y:.1f}} % at %{{x:.3g}} % of the MACs<extra></extra>",
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
        hovertemplate=f"{ALL_IMAGES}: %{{y:.1f}} % at %{{x:.3g}} % of the MACs<extra></extra>",
    )
    ticks = [value for value in _TICKS if value >= percent[-1]]
    figure.update_xaxes(
        type="log", title="MACs, % of the original's", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks]
    )
    figure.update_yaxes(title="top-1, %")
    style(figure, height=340)
    figure.update_layout(showlegend=False)
    return figure
