"""The address on which a server shows its metrics: `GET /metrics` in HTTP/1.1, and nothing else.

It is no part of the public server, so that a deployment decides by address who can read it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

from perc_server.observability.codes import LogCode
from perc_server.observability.logs import Log
from perc_server.observability.metrics import Metrics

MAXIMUM_HEAD = 8192
"""Octets of a request; Prometheus sends a few hundred."""

MAXIMUM_CONNECTIONS = 16
"""Connections at once; a few scrapers have one each."""

TIMEOUT = 5.0
"""Seconds for one request and its answer."""

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class MetricsAddress:
    """Where metrics are shown; port 0 lets the system choose one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> MetricsAddress:
        """Read HOST:PORT or [IPv6]:PORT; `ValueError` for anything else."""
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError("an IPv6 address must be in brackets")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
            raise ValueError("expected HOST:PORT")
        return cls(host, int(port))

    def later(self, number: int) -> MetricsAddress:
        """Return the address whose port is that much higher."""
        return MetricsAddress(self.host, self.port + number)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class MetricsListener:
    """Between `open` and `close`."""

    def __init__(self, metrics: Metrics, address: MetricsAddress) -> None:
        self._metrics = metrics
        self._address = address
        self._server: asyncio.Server | None = None
        self._connections = 0

    async def open(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(
            self._accept, self._address.host, self._address.port, limit=MAXIMUM_HEAD
        )
        port: int = self._server.sockets[0].getsockname()[1]
        log.info(LogCode.METRICS_LISTENING, "metrics are shown on port %d", port)
        return port

    def close(self) -> None:
        """Stop listening; a request under way is still answered."""
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= MAXIMUM_CONNECTIONS:
                async with asyncio.timeout(TIMEOUT):
                    writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
        except asyncio.LimitOverrunError:
            writer.write(_response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client is gone, or too slow: there is nobody to answer
        finally:
            self._connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, head: bytes) -> bytes:
        words = head.partition(b"\r\n")[0].split(b" ")
        if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            return _response(HTTPStatus.BAD_REQUEST)
        if words[1].partition(b"?")[0] != b"/metrics":
            return _response(HTTPStatus.NOT_FOUND)
        if words[0] != b"GET":
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow: GET",))
        body, content_type = self._metrics.exposition()
        return _response(HTTPStatus.OK, (f"Content-Type: {content_type}",), body)


def _response(status: HTTPStatus, headers: tuple[str, ...] = (), body: bytes = b"") -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        *headers,
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


@contextlib.asynccontextmanager
async def shown(metrics: Metrics, address: MetricsAddress | None) -> AsyncIterator[int | None]:
    """Show the metrics meanwhile, and yield the port; do nothing without an address."""
    if address is None:
        yield None
        return
    listener = MetricsListener(metrics, address)
    port = await listener.open()
    try:
        yield port
    finally:
        listener.close()
