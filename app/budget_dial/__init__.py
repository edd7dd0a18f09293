"""The budget dial: a slider with figures and charts that follow it in the browser, without a word to the server.

It does not know studies. Python hears of a budget when it is let go, and of a switch when it is turned.
"""

import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import streamlit as st

from legr.files import replacing

_HERE = Path(__file__).parent
_SCRIPTS = (
    "words.js",
    "elements.js",
    "charts.js",
    "lane_words.js",
    "lanes.js",
    "downloads.js",
    "dial.js",
)  # one script; each uses what stands above it
_PLOTLY = Path(__file__).parents[2] / "static" / f"plotly-{version('plotly')}.min.js"

_mount = st.components.v2.component(
    "legr.budget_dial",
    html='<section class="budget-dial"></section>',
    css=(_HERE / "style.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    isolate_styles=False,  # Plotly's own styles have to reach its charts
)


def budget_dial(data: Mapping[str, Any], key: str, on_view: Callable[[Mapping[str, Any]], None]) -> None:
    """Show the dial.

    Args:
        data: see `dial.js`; unchanged data is sent to a browser once only.
        on_view: hears what was chosen: budget (per cent), and whichever of held, by, lens, axis and go has changed. It
            comes from a browser, so anything may be in it.
    """

    def heard() -> None:
        view = st.session_state[key].get("view")
        if isinstance(view, Mapping):
            on_view(view)

    _mount(key=key, data={**data, "plotly": f"app/static/{_PLOTLY.name}"}, on_view_change=heard)


@st.cache_resource(show_spinner=False)
def serve_plotly() -> None:
    """Put the installed Plotly where the server hands it to browsers: nothing comes from elsewhere.

    Raises:
        OSError: the folder of the app cannot be written.
    """
    if not _PLOTLY.exists():
        with replacing(_PLOTLY) as partial:
            shutil.copyfile(str(files("plotly").joinpath("package_data/plotly.min.js")), partial)
