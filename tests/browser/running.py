"""The app as users start it, and a Chromium to look at it with: for tests, screenshots and benchmarks.

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
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 60.0


def chromium_path() -> str | None:
    """A Chromium on this machine: that of CHROMIUM, the system's, else Playwright's own."""
    path = os.environ.get("CHROMIUM") or next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        path = own if Path(own).is_file() else None
    return path


@contextmanager
def running_app(studies: Path, folder: Path = ROOT) -> Iterator[str]:
    """Start the app on a folder of studies; its address. Its log lies beside the folder.

    Args:
        folder: where the command is typed; this checkout by default.

    Raises:
        RuntimeError: it has ended, or does not answer.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", studies.parent / "server.log"
    command = [sys.executable, "-m", "legr", "app", "--port", str(port), "--studies", str(studies)]
    with open(log, "wb") as output:
        server = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the app does not answer: {log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


def server_of(url: str) -> psutil.Process:
    """The process that serves the pages."""
    port = urlsplit(url).port
    listening = (c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == port)
    return psutil.Process(next(c.pid for c in listening))


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
    except OSError:
        return False
    return True
