"""Who the explorer answers: browsers of this machine, for its own pages."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streamlit import config

from app.guards import LOCAL, Guard
from tests.browser.running import running_app

HERE = "localhost:8501"


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    """What stands behind the guard."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("the page")(scope, receive, send)


def ask(host: str = HERE, origin: str | None = None, kind: str = "http") -> list[dict[str, Any]]:
    """What is sent to whoever asks for a page, or for a web socket."""
    sent: list[dict[str, Any]] = []
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
    scope = {
        "type": kind,
        "method": "PUT",
        "path": "/",
        "headers": headers,
        "extensions": {"websocket.http.response": {}},
    }

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.request" if kind == "http" else "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(_page)(scope, receive, send))
    return sent


def headers_of(sent: list[dict[str, Any]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_no_page_frames_the_explorer() -> None:
    for answer in (ask(), ask(host="evil.example")):
        assert headers_of(answer)["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers_of(answer)["content-security-policy"].split("; ")


def test_pages_load_nothing_from_elsewhere() -> None:
    policy = headers_of(ask())["content-security-policy"].split("; ")
    sources = {name: rest for name, _, rest in (part.partition(" ") for part in policy)}
    assert sources["default-src"] == "'self'"
    assert sources["img-src"] == sources["connect-src"] == "'self' data: blob:"
    assert not any(word in sources["script-src"] for word in ("unsafe-inline", "unsafe-eval", "http", "*"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501"])
def test_names_of_this_machine(host: str) -> None:
    assert ask(host)[1]["body"] == b"the page"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example", "192.168.0.7:80", ""])
def test_another_name_for_this_machine_is_refused(host: str) -> None:
    start, body = ask(host)
    assert start["status"] == 403
    assert body["body"] == b"open the explorer as localhost or 127.0.0.1, with its port"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:3000", f"https://{HERE}", "null", ""])
def test_other_pages_are_refused(origin: str) -> None:
    assert ask(origin=origin)[0]["status"] == 403
    assert ask(origin=origin, kind="websocket")[0] | {"headers": []} == {
        "type": "websocket.http.response.start",
        "status": 403,
        "headers": [],
    }


def test_its_own_pages_are_not() -> None:
    assert ask(origin=f"http://{HERE}")[1]["body"] == b"the page"
    assert ask(origin=f"http://{HERE}", kind="websocket") == [{"type": "websocket.accept"}]


def test_settings_name_what_streamlit_has() -> None:
    assert set(LOCAL) <= set(config._config_options_template)
    assert LOCAL["server.address"] == "127.0.0.1"


@pytest.mark.slow
def test_no_environment_variable_opens_it_to_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STREAMLIT_SERVER_ADDRESS", "STREAMLIT_BROWSER_SERVER_ADDRESS"):
        monkeypatch.setenv(name, "0.0.0.0")
    with running_app(tmp_path / "studies") as url:
        port = urlsplit(url).port
        listening = {
            c.laddr.ip for c in psutil.net_connections("inet") if c.status == "LISTEN" and c.laddr.port == port
        }
    assert listening == {"127.0.0.1"}
