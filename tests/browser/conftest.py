"""What tests in a real browser get: the app as users start it, on a studies folder of its own, and a tab of a Chromium.

It does not know pages.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from tests.app.demo_study import add_finetuned, make_study
from tests.browser.running import OPTIONS, chromium_path, running_app

PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium on this machine."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium is installed: none is on the PATH, and CHROMIUM names none")
    return path


@pytest.fixture
def app_url(tmp_path: Path) -> Iterator[str]:
    """Address of a freshly started app whose studies folder holds one study, "demo"."""
    add_finetuned(make_study(tmp_path / "studies" / "demo"))
    with running_app(tmp_path / "studies") as url:
        yield url


@pytest.fixture
def page(chromium: str, request: pytest.FixtureRequest) -> Iterator[sync_api.Page]:
    """A page in a browser; at its end, nothing of ours has been complained about in its console."""
    if "app_url" in request.fixturenames:
        request.getfixturevalue("app_url")  # started before the page, so stopped after it: no calls into the void
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        yield page
        browser.close()
    assert not complaints


def is_complaint(said: sync_api.ConsoleMessage) -> bool:
    """An error of ours: Streamlit itself asks for its own files below the page's name first, in vain."""
    return said.type == "error" and "/_stcore/" not in said.location["url"]
