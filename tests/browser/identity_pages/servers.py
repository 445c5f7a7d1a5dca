"""Servers for the identity tests: the page's site, two real identity providers, and one that does whatever a test says.

Each in a thread of its own, on a port of its own, under a host name of its own, since cookies ignore ports.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import uvicorn
from argon2.profiles import CHEAPEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from perc_server.call_processing.assets import CONTENT_TYPES, SECURITY_HEADERS
from perc_server.identity_provider.app import create_app
from perc_server.identity_provider.config import DemoAccount, IdentityProviderConfig
from tests.browser.site import EMPTY_PAGE, REPOSITORY

IDENTITY = REPOSITORY / "browser" / "identity"

Handler = Callable[[Request], Awaitable[Response]]


class Server:
    """A context manager that serves `make_app(origin)` at `http://HOST:PORT`, https with a certificate."""

    def __init__(self, host: str, make_app: Callable[[str], Starlette], certificate: Path | None = None) -> None:
        # asyncio turns Nagle's algorithm off only where the protocol is named; else each answer waits for 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.domain = f"{host}:{self._socket.getsockname()[1]}"
        self.origin = f"{'https' if certificate else 'http'}://{self.domain}"
        self.app = make_app(self.origin)
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, log_config=None, timeout_graceful_shutdown=1, ssl_certfile=certificate)
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.005)
            assert self._thread.is_alive(), "the server did not start"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = True
        self._thread.join()


def page_site(host: str = "localhost", certificate: Path | None = None) -> Server:
    """An empty page under production's policy, and browser/identity as the source has it."""
    routes = [Route("/", _page), Route("/identity/{path:path}", _module)]
    return Server(host, lambda _origin: Starlette(routes=routes), certificate)


class Clock:
    """The identity providers' clock: the real one, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def identity_provider(host: str, store: Path, clock: Clock, *names: str) -> Server:
    """A real identity provider, whose accounts have the password NAME-demo."""

    def make_app(origin: str) -> Starlette:
        accounts = tuple(DemoAccount(name, f"{name}-demo") for name in names)
        database = f"sqlite:///{store / host}.db"
        return create_app(
            IdentityProviderConfig(origin, database, demo_accounts=accounts, password_cost=CHEAPEST), clock
        )

    return Server(host, make_app)


class HostileProvider(Server):
    """Answers what `handlers` says for a path, and 404 otherwise."""

    def __init__(self, host: str, certificate: Path | None = None) -> None:
        self.handlers: dict[str, Handler] = {}
        super().__init__(host, lambda _origin: Starlette(routes=[Route("/{path:path}", self._answer)]), certificate)

    def serves_script(self, text: str) -> None:
        """The standard script alone, as a provider without a frame has it."""

        async def script(_request: Request) -> Response:
            return Response(text, media_type="text/javascript")

        self.handlers["/.well-known/idp-proxy/default"] = script

    def serves_frame(self, text: str) -> None:
        """A page of its own in the place of the frame."""

        async def frame(_request: Request) -> Response:
            return HTMLResponse(text)

        self.handlers["/.well-known/idp-proxy/default/frame"] = frame

    async def _answer(self, request: Request) -> Response:
        handler = self.handlers.get(request.url.path)
        if handler is None:
            raise HTTPException(404)
        return await handler(request)


async def _page(_request: Request) -> Response:
    return HTMLResponse(EMPTY_PAGE, headers=SECURITY_HEADERS)


async def _module(request: Request) -> Response:
    path = request.path_params["path"]
    # The sandbox has a policy of its own, and is of another origin than even its own scripts.
    headers = {} if path.startswith("sandbox/") else SECURITY_HEADERS
    return FileResponse(IDENTITY / path, headers=headers, media_type=CONTENT_TYPES[Path(path).suffix])
