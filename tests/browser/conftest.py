"""What tests in a real browser get: the app as users start it, on a studies folder of its own, and a tab of a Chromium.

One server and one browser serve all tests of a run; each test has a study and a browser profile of its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from tests.app.demo_study import add_finetuned, make_study
from tests.browser.running import OPTIONS, chromium_path, running_app

PATIENCE_MS = 30_000


@pytest.fixture(scope="package")
def browser() -> Iterator[sync_api.Browser]:
    """A Chromium of this machine."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium is installed: none is on the PATH, and CHROMIUM names none")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def finished_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study with everything in it. Do not write to it."""
    path = tmp_path_factory.mktemp("finished") / "demo"
    add_finetuned(make_study(path))
    return path


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a running app, and its studies folder."""
    studies = tmp_path_factory.mktemp("server") / "studies"
    studies.mkdir()
    with running_app(studies) as url:
        yield url, studies


@pytest.fixture
def app_url(server: tuple[str, Path], finished_study: Path, tmp_path: Path) -> str:
    """Address of an app whose studies folder, tmp_path / "studies", holds one study, "demo"."""
    url, studies = server
    for left in studies.iterdir():
        shutil.rmtree(left)
    shutil.copytree(finished_study, studies / "demo")
    (tmp_path / "studies").symlink_to(studies)
    return url


@pytest.fixture
def page(browser: sync_api.Browser) -> Iterator[sync_api.Page]:
    """A page in a browser; at its end, nothing of ours has been complained about in its console."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
    yield page
    context.close()
    assert not complaints


def is_complaint(said: sync_api.ConsoleMessage) -> bool:
    """An error; none that a server cannot be reached, as tests stop it."""
    is_stopped = "/_stcore/" in said.location["url"] and "net::ERR_" in said.text
    return said.type == "error" and not is_stopped
