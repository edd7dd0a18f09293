"""What keeps other web pages, and other machines, away from the explorer.

It answers this machine only, and only under this machine's name: else a page whose domain is turned to 127.0.0.1 would
speak to it as its own server. Its pages stand in no frame, and load nothing from elsewhere.
"""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.front_page import front_page

HOSTS = ["localhost", "127.0.0.1"]
#: Settings of Streamlit that no file and no environment variable can change.
LOCAL = {
    "server.address": "127.0.0.1",
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.xsrfCookieSameSite": "strict",
    "server.corsAllowedOrigins": [],
    "server.allowedHosts": HOSTS,
    "server.enableAgentApi": False,
}


def _inline_scripts() -> str:
    """Sources for a policy that allow the scripts within the front page, by their digests."""
    scripts = re.findall(r"<script>(.*?)</script>", front_page(), re.DOTALL)
    digests = (sha256(script.encode()).digest() for script in scripts)
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)


_POLICY = {
    "default-src": "'self'",
    "script-src": f"'self' blob: {_inline_scripts()}",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in _POLICY.items()),
    "X-Frame-Options": "DENY",  # for what does not know frame-ancestors
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """Refuses what does not come from the explorer's own pages, and gives every answer the headers above."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = reason_to_refuse(Headers(scope=scope)) if scope["type"] in ("http", "websocket") else None
        if refused:
            await PlainTextResponse(refused, 403)(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)


def reason_to_refuse(headers: Headers) -> str | None:
    """Why a request is refused; None where it is not.

    A browser says which page a request comes from wherever that could do harm. Programs say nothing.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
        return f"open the explorer as {' or '.join(HOSTS)}, with its port"
    if origin is not None and origin != f"http://{host}":
        return "the explorer answers its own pages only"
    return None


GUARDS = [Middleware(Guard)]
