"""What becomes of each HTTP request: counted by status and refusal, logged with a code; shared by both HTTP servers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Identifying, Kind, identifying
from perc_server.observability.logs import Log, Value
from perc_server.observability.metrics import Metrics
from perc_server.problems import Problem, ProblemKind

_log = Log(__name__)


class Handler(Enum):
    """What answers a request that no route is for."""

    NONE = "no handler"


@dataclass(slots=True)
class RequestCounts:
    """Requests of one server since its start."""

    answered: Counter[int] = field(default_factory=Counter)
    """By status."""
    refused: Counter[ProblemKind] = field(default_factory=Counter)
    failed: int = 0
    abandoned: int = 0

    def show(self, metrics: Metrics, prefix: str) -> None:
        """Add the metric families, whose names begin with `prefix`."""
        metrics.totals(f"{prefix}_requests_total", "HTTP requests answered, by status.", "status", self.answered)
        metrics.totals(
            f"{prefix}_requests_refused_total",
            "HTTP requests refused, by the type of the problem document.",
            "type",
            self.refused,
            ProblemKind,
        )
        metrics.total(f"{prefix}_requests_failed_total", "HTTP requests that an error ended.", lambda: self.failed)
        metrics.total(
            f"{prefix}_requests_abandoned_total",
            "HTTP requests whose client left before the body was complete.",
            lambda: self.abandoned,
        )

    def refuse(self, connection: HTTPConnection, problem: Problem) -> None:
        """Count and log a refusal."""
        self.refused[problem.kind] += 1
        log_of(connection).info(
            LogCode.REQUEST_REFUSED, "%d %s for %s", problem.status, problem.kind, client_of(connection)
        )


class RequestLog:
    """ASGI middleware: a log for each request, and its end."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        log = scope["perc.log"] = _log.of("request")
        path = identifying(Kind.PATH, scope["path"])

        def handler() -> Value:
            endpoint: Value = scope.get("endpoint", Handler.NONE)
            return endpoint

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts.answered[message["status"]] += 1
                log.debug(LogCode.REQUEST_ANSWERED, "%d by %s for %s", message["status"], handler(), path)
            await send(message)

        try:
            await self._app(scope, receive, counting)
        except ClientDisconnect:
            self._counts.abandoned += 1
            log.debug(LogCode.REQUEST_ABANDONED, "the client of %s left within %s", handler(), path)
        except Exception:
            self._counts.failed += 1
            log.exception(LogCode.REQUEST_FAILED, "an error ended %s for %s", handler(), path)
            raise


def log_of(connection: HTTPConnection) -> Log:
    """Return the log of this request."""
    log = connection.scope.get("perc.log")
    return log if isinstance(log, Log) else _log


def client_of(connection: HTTPConnection) -> Identifying:
    """Return the address of the client, for a log line."""
    return identifying(Kind.ADDRESS, connection.client.host if connection.client else "")
