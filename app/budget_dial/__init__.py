"""The budget dial: a slider with figures and charts that follow it in the browser, without asking the server.

Python is told of a budget once the user lets go of the slider, and of any other choice at once.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from app.browser_files import DIAL_ADDRESS, PLOTLY_ADDRESS
from app.budget_dial.types import DialData

#: Streamlit has addresses only for the files of installed components; so its script leads on to the server's own.
_ENTRY = f"""
const address = new URL("{DIAL_ADDRESS}/index.js", document.baseURI).href;
const {{ default: dial }} = await import(address).catch(() => {{
  throw new Error("The dial could not be loaded: start the explorer with `legr app`, then reload the page");
}});
export default dial;
"""

_mount = st.components.v2.component(
    "legr.budget_dial",
    html='<section class="budget-dial"></section>',
    js=_ENTRY,
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
