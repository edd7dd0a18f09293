"""A chart on a page, drawn by the one copy of Plotly that the dial uses too; Streamlit would load another."""

import plotly.graph_objects as go
import streamlit as st

from app.browser_files import PLOTLY_ADDRESS, entry
from legr.charts.style import PLOTLY_CONFIG, bare

_mount = st.components.v2.component(
    "legr.chart",
    html='<div class="bd-figure"></div>',
    js=entry("figure.js", "chart"),
    isolate_styles=False,  # Plotly's own styles have to reach its charts
)


def show_chart(figure: go.Figure, key: str, alt: str) -> None:
    """Show a chart; where nothing of it changes, it stays as the user left it.

    Args:
        alt: what it shows, in words.
    """
    data = {"figure": bare(figure).to_json(), "config": PLOTLY_CONFIG, "alt": alt, "plotly": PLOTLY_ADDRESS}
    _mount(key=key, data=data)
