"""The application: routes as data, one control connection, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from perc_server.call_processing.assets import Assets
from perc_server.call_processing.bridge import MAXIMUM_FRAME, Bridge
from perc_server.call_processing.config import CallProcessingConfig
from perc_server.call_processing.control import ControlClient
from perc_server.call_processing.rooms import Rooms
from perc_server.call_processing.signalling import Signalling
from perc_server.host_guard import HostGuard
from perc_server.problems import Problem, problem_response


def create_app(config: CallProcessingConfig) -> Starlette:
    """Call processing as an ASGI application; its lifespan keeps the control connection up."""
    rooms = Rooms()
    control = ControlClient(config.control, rooms.notify, rooms.end_all)
    signalling = Signalling(rooms, control, config.origin)
    assets = Assets(config)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(control.run())
        try:
            yield
        finally:
            task.cancel()

    return Starlette(
        routes=[
            Route("/", assets.page),
            Route("/config.json", assets.configuration),
            Route("/trust-anchors.pem", assets.trust_anchors),
            Route("/assets/{version}/{path:path}", assets.asset),
            Route("/start-conf", signalling.start_conference, methods=["POST"]),
            Route("/perc/offer", signalling.offer, methods=["POST"]),
            Route("/perc/leave", signalling.leave, methods=["POST"]),
            Route("/perc/end", signalling.end, methods=["POST"]),
            Route("/perc/events", signalling.events),
            WebSocketRoute("/perc/tunnel", Bridge(rooms, config.origin, config.tunnel_address).endpoint),
            Route("/perc/{room}", assets.page),
        ],
        middleware=[Middleware(HostGuard, origin=config.origin)],
        exception_handlers={Problem: problem_response, HTTPException: _no_such_route},
        lifespan=lifespan,
    )


def _no_such_route(_request: Request, error: Exception) -> Response:
    """What Starlette itself refuses, as the problem that it is to a program."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    response = Problem(status, status.name.lower().replace("_", "-"), f"{status.description}.").response()
    response.headers.update(error.headers or {})  # a 405 says what is allowed
    return response


async def serve(config: CallProcessingConfig) -> None:
    """Serves until the process is told to end."""
    await uvicorn.Server(server_config(config)).serve()


def server_config(config: CallProcessingConfig) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        create_app(config),
        host=config.host,
        port=config.port,
        ws="websockets-sansio",
        ws_max_size=MAXIMUM_FRAME,
        server_header=False,
        # Limits are for the connection's own address, not for one that anybody's header claims.
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
