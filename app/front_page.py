"""What a browser loads first: Streamlit's own page, with the explorer's title, description and icon in its head.

A browser that opens /learn asks for Streamlit's health below /learn first, in vain, unless the page says where the
server is.
"""

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Route

TITLE = "LeGR explorer"
ABOUT = "Prune a ConvNet to any budget by dragging a dial: cost, accuracy and latency follow."
ICON = Path(__file__).parent / "icon.svg"
_FRESH, _FOR_AN_HOUR = {"Cache-Control": "no-cache"}, {"Cache-Control": "public, max-age=3600"}
_REPLACED = {
    "<title>Streamlit</title>": f"""<title>{TITLE}</title>
    <meta name="description" content="{ABOUT}" />
    <script>window.__streamlit = {{ BACKEND_BASE_URL: location.origin }}</script>""",
    '<link rel="shortcut icon" href="./favicon.png" />': '<link rel="icon" type="image/svg+xml" href="./icon.svg" />',
}


def front_page() -> str:
    """The page's HTML; what this version of Streamlit writes otherwise stays as it is."""
    page = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    for theirs, ours in _REPLACED.items():
        page = page.replace(theirs, ours)
    return page


def routes(pages: list[str]) -> list[Route]:
    """Routes of the front page, which is the same for every page, and of the icon.

    Args:
        pages: their names in the address.
    """
    text = front_page()

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(text, headers=_FRESH)

    async def icon(request: Request) -> FileResponse:
        return FileResponse(ICON, headers=_FOR_AN_HOUR)

    return [Route("/icon.svg", icon), *(Route(f"/{name}", page) for name in ("", *pages))]
