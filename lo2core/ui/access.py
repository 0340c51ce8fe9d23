"""Which requests the dashboard answers.

The dashboard has no log-in: whoever can send it requests can use it. Web pages of other origins can send requests to
this machine through the user's browser, directly or under a name that they let resolve to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit import config
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]*)?", re.IGNORECASE)
_CLOSED = re.compile(r".*/_stcore/metrics/*")

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "connect-src 'self' ws://{host} wss://{host}",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""A browser that follows these loads nothing from elsewhere, and shows nothing of the dashboard in other pages."""


class OwnRequestsOnly:
    """ASGI middleware that refuses requests to other hosts and from pages of other origins, and hides the metrics.

    The options ``server.allowedHosts`` and ``server.corsAllowedOrigins`` name the hosts and further origins. Streamlit
    itself checks them for its WebSocket only, and there accepts other ports of this machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := _refusal(headers, scope["path"]):
            status, reason = refusal
            refuse: ASGIApp = (
                PlainTextResponse(f"{reason}\n", status) if scope["type"] == "http" else WebSocketClose(1008, reason)
            )
            await refuse(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer[name] = value.format(host=headers["host"])
            await send(message)

        await self.app(_checked(scope), receive, send_protected)


PROTECTION = [Middleware(OwnRequestsOnly)]


def _refusal(headers: Headers, path: str) -> tuple[int, str] | None:
    """Status and reason, or None if the request is to be answered."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]) or not is_host_allowed(hosts[0]):
        names = ", ".join(config.get_option("server.allowedHosts"))
        return 403, f"The dashboard answers only requests to these hosts: {names} (option server.allowedHosts)."
    if any(not _is_own(origin, hosts[0]) for origin in headers.getlist("origin")):
        return 403, "The dashboard answers only requests from its own pages (option server.corsAllowedOrigins)."
    if not path.startswith("/"):
        return 400, "The target of a request has to be a path."
    return (404, "Not found.") if _CLOSED.fullmatch(path) else None


def _is_own(origin: str, host: str) -> bool:
    """Whether an origin is the requested host itself, port included, or allowed by option."""
    own = {f"{scheme}://{host}".lower() for scheme in ("http", "https")}
    return origin.lower() in own or is_allowed_origin(origin)


def _checked(scope: Scope) -> Scope:
    """A WebSocket's request without its origin: Streamlit would look up this machine's addresses to check it again."""
    if scope["type"] == "http":
        return scope
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"origin"]}
