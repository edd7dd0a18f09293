"""Files that browsers get beside Streamlit's pages: with the right kind, for good, and no others."""

import asyncio
import importlib.util
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from app import browser_files
from app.browser_files import DIAL, DIAL_ADDRESS, PLOTLY_ADDRESS, ROUTES
from app.joined_script import joined_script

SCRIPTS = ("index", "card_mail", "along", "lanes", "lineage", "figure")
KINDS = {**{f"{name}.js": "text/javascript" for name in SCRIPTS}, "dial.css": "text/css"}


def get(path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer."""
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Starlette(routes=ROUTES)(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent)


def test_script_and_styles_of_the_dial_are_kept_for_good() -> None:
    answers = {name: get(f"/{DIAL_ADDRESS}/{name}") for name in KINDS}
    for name, (status, headers, body) in answers.items():
        assert status == 200 and body
        assert headers["content-type"].split(";")[0] == KINDS[name]
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
    sheets = answers["dial.css"][2].decode()
    assert all(path.read_text(encoding="utf-8") in sheets for path in DIAL.glob("*.css"))
    for name in ("index.js", "figure.js"):
        assert answers[name][2].decode() == joined_script(DIAL / name)


def test_plotlys_script_is_the_packages_own() -> None:
    _, _, body = get(f"/{PLOTLY_ADDRESS}")
    assert body == files("plotly").joinpath("package_data/plotly.min.js").read_bytes()


@pytest.mark.parametrize("name", ["types.d.ts", "dial.js", "style.css", "../__init__.py", "..", ""])
def test_nothing_else_is_served(name: str) -> None:
    assert get(f"/{DIAL_ADDRESS}/{name}")[0] == 404


def test_another_script_has_another_address(tmp_path: Path) -> None:
    """Else a browser would keep the one before."""
    copy = tmp_path / "app" / "budget_dial" / "frontend"
    shutil.copytree(DIAL, copy)
    with (copy / "dial.js").open("a", encoding="utf-8") as script:
        script.write("// changed\n")
    source = tmp_path / "app" / "browser_files.py"
    shutil.copy(browser_files.__file__, source)
    spec = importlib.util.spec_from_file_location("copied_browser_files", source)
    assert spec is not None and spec.loader is not None
    copied = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copied)
    assert re.fullmatch(r"dial-[0-9a-f]{16}", copied.DIAL_ADDRESS)
    assert copied.DIAL_ADDRESS != DIAL_ADDRESS
