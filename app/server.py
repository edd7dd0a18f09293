"""The process that serves the pages: Streamlit, which reads ahead what they need while a browser is still loading.

    python -m app.server run streamlit_app.py …        as `streamlit run`, started by `python -m legr app`

It does not know a page. Without it the first visitor of a fresh server waits for imports that nobody needed until then.
"""

import time
from threading import Thread

from streamlit import runtime
from streamlit.runtime.runtime import RuntimeState
from streamlit.web import cli

_LOOK_EVERY_S = 0.02
_HEAD_START_S = 0.1  # the server begins to listen


def read_ahead() -> None:
    """Import what pages import, and let Plotly make a figure: its first one takes as long as all others together."""
    while not (runtime.exists() and runtime.get_instance().state is not RuntimeState.INITIAL):
        time.sleep(_LOOK_EVERY_S)
    time.sleep(_HEAD_START_S)
    import plotly.graph_objects as go

    import app.budget_dial.view
    import app.views.job_panel
    import app.views.layers  # noqa: F401

    go.Figure().add_scatter(x=[0], y=[0]).update_layout(showlegend=False).to_plotly_json()


if __name__ == "__main__":
    Thread(target=read_ahead, daemon=True).start()
    cli.main(prog_name="streamlit")
