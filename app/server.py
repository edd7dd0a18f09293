"""The process that serves the pages to browsers of this machine: Streamlit, with our own files beside them.

    python -m app.server PORT        in the explorer's folder; started by `legr app`

A thread imports what pages need before a browser asks. Without it, the first visitor of a fresh server waits for that.
"""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Thread

from streamlit.starlette import App

from app.browser_files import ROUTES
from app.front_page import routes
from app.guards import GUARDS, LOCAL
from legr.paths import explorer_folder

_DELAY_S = 0.1  # until the server listens


def preload() -> None:
    """Import what pages import, and make one Plotly figure: the first one takes as long as many later ones."""
    time.sleep(_DELAY_S)
    import plotly.graph_objects as go

    import app.budget_dial.view
    import app.views.job_panel
    import app.views.layers  # noqa: F401

    go.Figure().add_scatter(x=[0], y=[0]).update_layout(showlegend=False).to_plotly_json()


@asynccontextmanager
async def _preloading(server: App) -> AsyncIterator[None]:
    Thread(target=preload, daemon=True).start()
    yield


def main(port: int) -> None:
    """Serve the pages on a port until told to stop."""
    entry = explorer_folder() / "streamlit_app.py"
    sys.argv = [str(entry)]  # Streamlit looks for its settings beside the program, and imports from there
    served = [*ROUTES, *routes([page.stem for page in (entry.parent / "pages").glob("*.py")])]
    with suppress(KeyboardInterrupt):  # Ctrl-C
        App(entry, routes=served, lifespan=_preloading, middleware=GUARDS).run(config={"server.port": port, **LOCAL})


if __name__ == "__main__":
    main(int(sys.argv[1]))
