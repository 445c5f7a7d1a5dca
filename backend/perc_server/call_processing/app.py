"""The application: routes as data, one control connection, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
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
from perc_server.call_processing.counts import CallProcessingCounts
from perc_server.call_processing.rooms import Rooms, RoomState
from perc_server.call_processing.signalling import Signalling
from perc_server.host_guard import HostGuard
from perc_server.observability.codes import LogCode
from perc_server.observability.listener import shown
from perc_server.observability.logs import Log
from perc_server.observability.metrics import Metrics
from perc_server.problems import Problem, ProblemKind
from perc_server.request_log import RequestCounts, RequestLog

log = Log(__name__)


def create_app(config: CallProcessingConfig) -> Starlette:
    """Return call processing as an ASGI application, whose lifespan keeps the control connection up.

    `app.state.metrics` is what it counts.
    """
    counts = CallProcessingCounts()
    rooms = Rooms(counts)
    control = ControlClient(config.control, rooms.notify, rooms.end_all, counts)
    signalling = Signalling(rooms, control, config.origin, counts)
    assets = Assets(config)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(control.run())
        try:
            yield
        finally:
            task.cancel()

    app = Starlette(
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
            WebSocketRoute("/perc/tunnel", Bridge(rooms, config.origin, config.tunnel_address, counts).endpoint),
            Route("/perc/{room}", assets.page),
        ],
        middleware=[
            Middleware(RequestLog, counts=counts.requests),
            Middleware(HostGuard, origin=config.origin, counts=counts.requests),
        ],
        exception_handlers=dict.fromkeys((Problem, HTTPException), _refusing(counts.requests)),
        lifespan=lifespan,
    )
    app.state.metrics = _metrics(counts, rooms)
    return app


def _metrics(counts: CallProcessingCounts, rooms: Rooms) -> Metrics:
    metrics = Metrics()
    counts.show(metrics)
    metrics.gauges(
        "perc_cp_rooms",
        "Rooms with a conference, or with somebody who waits for one.",
        "state",
        {state.value: partial(rooms.in_state, state) for state in RoomState if state is not RoomState.ENDED},
    )
    return metrics


def _refusing(counts: RequestCounts) -> Callable[[Request, Exception], Response]:
    """Return Starlette's exception handler: everything that is refused is a problem document to a program."""

    def refuse(request: Request, error: Exception) -> Response:
        problem = error if isinstance(error, Problem) else _unknown_route(error)
        counts.refuse(request, problem)
        response = problem.response()
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})  # a 405 says what is allowed
        return response

    return refuse


def _unknown_route(error: Exception) -> Problem:
    """Return what Starlette itself refuses as a problem."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    kinds = {
        HTTPStatus.NOT_FOUND: ProblemKind.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED: ProblemKind.METHOD_NOT_ALLOWED,
    }
    return Problem(status, kinds.get(status, ProblemKind.OTHER), f"{status.description}.")


async def serve(config: CallProcessingConfig) -> None:
    """Serve until the process is told to end."""
    app = create_app(config)
    async with shown(app.state.metrics, config.metrics):
        log.info(LogCode.STARTED, "call processing starts on port %d", config.port)
        await uvicorn.Server(server_config(config, app)).serve()


def server_config(config: CallProcessingConfig, app: Starlette | None = None) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        app or create_app(config),
        host=config.host,
        port=config.port,
        ws="websockets-sansio",
        ws_max_size=MAXIMUM_FRAME,
        server_header=False,
        # Limits are for the connection's own address, not for one that anybody's header claims.
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        # `RequestLog` writes a line for each request, without its address and path; records of uvicorn go through
        # this process's handler, from level warning on.
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
