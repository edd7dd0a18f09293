"""The process that serves the pages: Streamlit, and a thread that imports what pages need before a browser asks.

    python -m app.server run streamlit_app.py …        as `streamlit run`, started by `python -m legr app`

Without the thread, the first visitor of a fresh server waits for these imports.
"""

import time
from threading import Thread

from streamlit import runtime
from streamlit.runtime.runtime import RuntimeState
from streamlit.web import cli

_POLL_S = 0.02
_DELAY_S = 0.1  # until the server listens


def preload() -> None:
    """Import what pages import, and make one Plotly figure: the first one takes as long as many later ones."""
    while not (runtime.exists() and runtime.get_instance().state is not RuntimeState.INITIAL):
        time.sleep(_POLL_S)
    time.sleep(_DELAY_S)
    import plotly.graph_objects as go

    import app.budget_dial.view
    import app.views.job_panel
    import app.views.layers  # noqa: F401

    go.Figure().add_scatter(x=[0], y=[0]).update_layout(showlegend=False).to_plotly_json()


if __name__ == "__main__":
    Thread(target=preload, daemon=True).start()
    cli.main(prog_name="streamlit")
