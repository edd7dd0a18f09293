"""Colours, captions and layout that every chart shares."""

from typing import Any

import plotly.graph_objects as go

# Each stands out from the backgrounds of both themes (3:1), and the rankings from each other for the colour-blind.
COLOURS = {
    "learned": "#2f7de1",
    "learned-ms": "#7038f5",
    "identity": "#d06a10",
    "uniform": "#c0619f",
    "finetuned": "#2e9e6b",
    "earlier": "#6b7480",
    "original": "#7d8794",
    "removed": "rgba(130, 140, 155, 0.4)",  # within a line of "original"
}
REMOVED = {
    "color": COLOURS["removed"],
    "line": {"width": 1, "color": COLOURS["original"]},
}  # a bar: seen in both themes
SYMBOLS = {"learned-ms": "diamond", "learned": "circle", "identity": "square", "uniform": "triangle-up"}  # Plotly's
CAPTIONS = {
    "learned": "Learned",
    "learned-ms": "Learned (ms)",
    "identity": "Identity",
    "uniform": "Uniform",
    "finetuned": "Fine-tuned",
    "earlier": "Of an earlier ranking",
    "original": "Original",
}
HOVER = {
    "bgcolor": "white",
    "bordercolor": "#c4cad3",
    "font": {"color": "#1f2937", "size": 12},
    "align": "left",
}
LAYOUT: dict[str, Any] = {  # slim margins, the legend above, zoom kept while the data changes
    "margin": {"l": 8, "r": 8, "t": 30, "b": 8},
    "legend": {
        "orientation": "h",
        "yanchor": "bottom",
        "y": 1.01,
        "xanchor": "left",
        "x": 0,
        "traceorder": "normal",
    },
    "uirevision": "keep",
    "hovermode": "closest",
    "hoverlabel": HOVER,
}
HEIGHT = 380  # pixels, of the large charts
PLOTLY_CONFIG = {"displayModeBar": False, "scrollZoom": False}  # Plotly's own buttons are noise here
INK, PAPER = "#1c2430", "#ffffff"  # of a picture that is saved, whatever the theme
_TRANSPARENT = "rgba(0,0,0,0)"


def style(figure: go.Figure, height: int, **layout: Any) -> None:
    """Give a figure what all charts share."""
    figure.update_layout(height=height, **LAYOUT, **layout)


def bare(figure: go.Figure) -> go.Figure:
    """The figure without Plotly's own theme: a page gives it background, font and colour of lines."""
    apart = {"ticks": "outside", "ticklen": 6, "tickcolor": _TRANSPARENT}  # a label stands beside no number of a bar
    axis = {"automargin": True, "zeroline": False, **apart}
    plain = {"paper_bgcolor": _TRANSPARENT, "plot_bgcolor": _TRANSPARENT, "font": {"family": "inherit", "size": 12}}
    return go.Figure(figure).update_layout(
        template={"layout": {**plain, "xaxis": {**axis, "showgrid": False}, "yaxis": axis}}
    )


def page_layout() -> dict[str, Any]:
    """The layout of a chart that is drawn without Streamlit, which would set background and font of the theme."""
    font = {"family": "inherit", "size": 12}
    return {**LAYOUT, "height": HEIGHT, "paper_bgcolor": _TRANSPARENT, "plot_bgcolor": _TRANSPARENT, "font": font}
