"""Colours, captions and layout that every chart shares."""

from typing import Any

import plotly.graph_objects as go

COLOURS = {
    "learned": "#3b7ddd",
    "identity": "#e08a2c",
    "uniform": "#9a6fc4",
    "finetuned": "#2e9e6b",
    "original": "#7d8794",
    "removed": "rgba(130, 140, 155, 0.28)",
}
CAPTIONS = {
    "learned": "Learned",
    "identity": "Identity",
    "uniform": "Uniform",
    "finetuned": "Fine-tuned",
    "original": "Original",
}
HOVER = {
    "bgcolor": "white",
    "bordercolor": "#c4cad3",
    "font": {"color": "#1f2937", "size": 12},
    "align": "left",
}
PLOTLY_CONFIG = {"displayModeBar": False, "scrollZoom": False}  # Plotly's own buttons are noise here


def style(figure: go.Figure, height: int, **layout: Any) -> None:
    """What all charts share: slim margins, the legend above, zoom kept while the data changes."""
    legend = {
        "orientation": "h",
        "yanchor": "bottom",
        "y": 1.01,
        "xanchor": "left",
        "x": 0,
        "traceorder": "normal",
    }
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        legend=legend,
        uirevision="keep",
        hovermode="closest",
        hoverlabel=HOVER,
        **layout,
    )
