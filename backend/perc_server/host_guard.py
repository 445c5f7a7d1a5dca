"""The one host that an HTTP server answers for: its own origin's.

Without this, a name that an attacker's DNS points here would be this server's origin to a browser (DNS rebinding).
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from perc_server.problems import Problem


class HostGuard:
    """Refuses requests and WebSockets for any other host."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._host = urlsplit(origin).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        if scope["type"] != "lifespan" and Headers(scope=scope).get("host", "").lower() != self._host:
            problem = Problem(HTTPStatus.MISDIRECTED_REQUEST, "wrong-host", "This server does not serve that host.")
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)
