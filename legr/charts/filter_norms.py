"""Norms of the filters that a network keeps of each layer, beside those of the removed ones."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from legr.charts.style import COLOURS, style
from legr.escape import in_html
from legr.ranking.order import Ranker
from legr.structure.cost import counts_of, stays
from legr.structure.types import Keep

_HEIGHT, _MOST_NAMES = 320, 30  # more names would not be legible
_PARTS = {"low": 0.0, "q1": 0.25, "median": 0.5, "q3": 0.75, "high": 1.0}


def norms_table(ranker: Ranker, keep: Keep) -> pd.DataFrame:
    """How the squared L2 norms of kept and of removed filters are spread over each layer.

    Returns:
        Columns layer, kept (bool), filters, and low, q1, median, q3, high; one row for each of the two kinds that a
        layer has.
    """
    structure, rows = ranker.structure, []
    counts = counts_of(structure, keep)
    for layer, norms in zip(structure.layers, ranker.norms.values, strict=True):
        left = keep.kept(layer.labels) & stays(structure, layer.parameter, counts)  # else it has gone with its block
        for kept in (True, False):
            found = norms[left == kept]
            if len(found):
                rows.append((layer.name, kept, len(found), *np.quantile(found, list(_PARTS.values())).tolist()))
    return pd.DataFrame(rows, columns=["layer", "kept", "filters", *_PARTS])


def norms_figure(table: pd.DataFrame, colour: str) -> go.Figure:
    """A box for each kind of filters of each layer: from the smallest norm to the largest, the middle half wide.

    Args:
        table: of `norms_table`.
        colour: of the kept ones.
    """
    least = table.loc[table["low"] > 0, "low"].min()  # of a logarithmic axis; a dead filter has none
    figure = go.Figure()
    for kept, name, shown in ((True, "kept", colour), (False, "removed", COLOURS["original"])):
        rows = table[table["kept"] == kept]
        rows = rows.assign(**{part: rows[part].clip(lower=least) for part in _PARTS})
        figure.add_box(
            x=rows["layer"].map(in_html),
            lowerfence=rows["low"],
            q1=rows["q1"],
            median=rows["median"],
            q3=rows["q3"],
            upperfence=rows["high"],
            name=name,
            marker={"color": shown},
            line={"width": 1},
        )
    style(figure, _HEIGHT, boxmode="group")
    layers = [in_html(name) for name in dict.fromkeys(table["layer"])]
    figure.update_xaxes(
        categoryarray=layers, showticklabels=len(layers) <= _MOST_NAMES, automargin=True, fixedrange=True
    )
    figure.update_yaxes(title="squared norm", type="log", automargin=True, fixedrange=True)
    return figure
