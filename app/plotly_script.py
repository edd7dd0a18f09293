"""Plotly's own script as the installed package has it: browsers get it from the server, from where it lies.

The address names the version, so a browser may keep the script for good.
"""

from importlib.metadata import version
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

ADDRESS = f"plotly-{version('plotly')}.min.js"  # relative to the explorer's own
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


async def _script(request: Request) -> FileResponse:
    return FileResponse(str(files("plotly").joinpath("package_data/plotly.min.js")), headers=_FOR_GOOD)


ROUTE = Route(f"/{ADDRESS}", _script)
