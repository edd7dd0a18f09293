"""Files that browsers get from the server beside Streamlit's pages: Plotly's script, and the dial's script and styles.

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

from app.joined_script import joined_script

DIAL = Path(__file__).parent / "budget_dial" / "frontend"
_SHEETS = ("style", "bar", "top", "figures", "frontier", "card", "along", "lineage", "tour")
_DIAL_FILES = {
    "index.js": (joined_script(DIAL / "index.js"), "text/javascript"),
    "card_mail.js": (joined_script(DIAL / "card_mail.js"), "text/javascript"),
    "along.js": (joined_script(DIAL / "along.js"), "text/javascript"),
    "lanes.js": (joined_script(DIAL / "lanes.js"), "text/javascript"),
    "lineage.js": (joined_script(DIAL / "lineage.js"), "text/javascript"),
    "figure.js": (joined_script(DIAL / "figure.js"), "text/javascript"),
    "dial.css": ("\n".join((DIAL / f"{name}.css").read_text(encoding="utf-8") for name in _SHEETS), "text/css"),
}
PLOTLY_ADDRESS = f"plotly-{version('plotly')}.min.js"
DIAL_ADDRESS = f"dial-{sha256(str(_DIAL_FILES).encode()).hexdigest()[:16]}"  # of the folder
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


def entry(script: str, what: str) -> str:
    """The script of a component, which leads on to one of the server's own files.

    Streamlit has addresses only for the files of installed components.

    Args:
        what: the component, for the error where the file is not served.
    """
    return f"""
const address = new URL("{DIAL_ADDRESS}/{script}", document.baseURI).href;
const {{ default: show }} = await import(address).catch(() => {{
  throw new Error("The {what} could not be loaded: start the explorer with `legr app`, then reload the page");
}});
export default show;
"""


async def _plotly(request: Request) -> Response:
    return FileResponse(str(files("plotly").joinpath("package_data/plotly.min.js")), headers=_FOR_GOOD)


async def _dial(request: Request) -> Response:
    if (name := request.path_params["name"]) not in _DIAL_FILES:
        return Response(status_code=404)
    text, kind = _DIAL_FILES[name]
    return Response(text, headers=_FOR_GOOD, media_type=kind)


ROUTES = [Route(f"/{PLOTLY_ADDRESS}", _plotly), Route(f"/{DIAL_ADDRESS}/{{name}}", _dial)]
