"""What tests in a real browser get: the app as users start it, on a studies folder of its own, and a Chromium.

It does not know pages.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.app.demo_study import add_finetuned, make_study

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 60.0


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium on this machine."""
    path = os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        path = own if Path(own).is_file() else None
    if path is None:
        pytest.skip(f"no Chromium is installed: none of {', '.join(NAMES)} is on the PATH, and CHROMIUM names none")
    return path


@pytest.fixture
def app_url(tmp_path: Path) -> Iterator[str]:
    """Address of a freshly started app whose studies folder holds one study, "demo"."""
    add_finetuned(make_study(tmp_path / "studies" / "demo"))
    port = _free_port()
    log = tmp_path / "server.log"
    with open(log, "wb") as output:
        command = [sys.executable, "-m", "legr", "app", "--port", str(port), "--studies", str(tmp_path / "studies")]
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, server, log)
        yield url
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the app has ended: {log.read_text(errors='replace')}"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not answer within {START_SECONDS:.0f} s: {log.read_text(errors='replace')}")
