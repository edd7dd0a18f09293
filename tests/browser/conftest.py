"""What tests in a real browser get: the app as users start it, on a studies folder of its own, and a Chromium.

It does not know pages.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.demo_study import add_finetuned, make_study
from tests.browser.running import chromium_path, running_app


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
