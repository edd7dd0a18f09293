"""The page that a browser loads first: Streamlit's, with our head."""

from base64 import b64encode
from hashlib import sha256

from app.front_page import TITLE, front_page
from app.guards import HEADERS


def test_title_and_icon_are_the_explorers() -> None:
    page = front_page()
    assert page.count("<title>") == 1 and f"<title>{TITLE}</title>" in page
    assert 'href="./icon.svg"' in page and "favicon" not in page, "Streamlit has renamed what is replaced"
    assert '<meta name="description"' in page


def test_its_own_script_may_run() -> None:
    script = "window.__streamlit = { BACKEND_BASE_URL: location.origin }"
    assert f"<script>{script}</script>" in front_page()
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in HEADERS["Content-Security-Policy"]
