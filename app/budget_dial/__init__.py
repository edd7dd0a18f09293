"""The budget dial: a slider with figures and charts that follow it in the browser, without asking the server.

Python is told of a budget once the user lets go of the slider, and of any other choice at once.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from app.browser_files import PLOTLY_ADDRESS, entry
from app.budget_dial.types import DialData

_mount = st.components.v2.component(
    "legr.budget_dial",
    html='<section class="budget-dial"></section>',
    js=entry("index.js", "dial"),
    isolate_styles=False,  # Plotly's own styles have to reach its charts
)


def budget_dial(data: DialData, key: str, on_view: Callable[[Mapping[str, object]], None]) -> None:
    """Show the dial.

    Args:
        data: unchanged data is sent to a browser only once.
        on_view: called with what the user chose, a `ViewChange`; it comes from a browser, so it may hold anything.
    """

    def receive() -> None:
        view = st.session_state[key].get("view")
        if isinstance(view, Mapping):
            on_view(view)

    _mount(key=key, data={**data, "plotly": PLOTLY_ADDRESS}, on_view_change=receive)
