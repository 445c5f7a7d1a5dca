"""The one host that an HTTP server answers for: its own origin's.

Without this, a name that an attacker's DNS points here would be this server's origin to a browser (DNS rebinding).
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from perc_server.problems import Problem, ProblemKind
from perc_server.request_log import RequestCounts


class HostGuard:
    """Refuses requests and WebSockets for any other host."""

    def __init__(self, app: ASGIApp, origin: str, counts: RequestCounts) -> None:
        self._app = app
        self._host = urlsplit(origin).netloc
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        if scope["type"] != "lifespan":
            connection = HTTPConnection(scope)
            if connection.headers.get("host", "").lower() != self._host:
                detail = "This server does not serve that host."
                problem = Problem(HTTPStatus.MISDIRECTED_REQUEST, ProblemKind.WRONG_HOST, detail)
                self._counts.refuse(connection, problem)
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)
