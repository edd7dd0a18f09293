"""Files that browsers get from the server beside Streamlit's pages: Plotly's script and the dial's.

Addresses name a version or what is in the files, so a browser may keep them for good. They are relative to the
explorer's own.
"""

from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

DIAL = Path(__file__).parent / "budget_dial" / "frontend"
_KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
}  # some systems know scripts as plain text, which browsers refuse
_DIAL_FILES = {path.name: path.read_bytes() for path in sorted(DIAL.iterdir()) if path.suffix in _KINDS}
PLOTLY_ADDRESS = f"plotly-{version('plotly')}.min.js"
DIAL_ADDRESS = f"dial-{sha256(b''.join(_DIAL_FILES.values())).hexdigest()[:16]}"  # of the folder
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


async def _plotly(request: Request) -> Response:
    return FileResponse(str(files("plotly").joinpath("package_data/plotly.min.js")), headers=_FOR_GOOD)


async def _dial(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _DIAL_FILES:
        return Response(status_code=404)
    return Response(_DIAL_FILES[name], headers=_FOR_GOOD, media_type=_KINDS[Path(name).suffix])


ROUTES = [Route(f"/{PLOTLY_ADDRESS}", _plotly), Route(f"/{DIAL_ADDRESS}/{{name}}", _dial)]
