"""The control port: call processing's one connection (control protocol).

TLS 1.3, and a certificate pinned on each side. A newer connection takes the place of an older one. What a connection
started ends with it: call processing keeps nothing that would outlive its connection either.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from perc.x509.fingerprint import Fingerprint
from perc_server.keepalive import keep_alive
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.counts import ControlEnd, MediaDistributorCounts
from perc_server.media_distributor.events import Event, Notify, as_message
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.requests import MAXIMUM_LINE, Request, read_id, read_request
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.observability.logs import Log

MAXIMUM_UNSENT = 8 << 20
"""Octets that call processing may leave unread before its connection is closed."""

MAXIMUM_REQUESTS = 200
"""Requests under way at once; the next one is read when one is done."""

log = Log(__name__)

Result = dict[str, Any]
Handler = Callable[[Request, Notify], Awaitable[Result]]


def pinned_context(config: MediaDistributorConfig) -> ssl.SSLContext:
    """A server context that accepts exactly one certificate and presents exactly one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cafile=config.control_peer_certificate)
    context.load_cert_chain(config.control_certificate)
    context.num_tickets = 0  # each connection shows its certificate
    return context


class ControlPort:
    """The listener, and the connection that is in charge."""

    def __init__(
        self,
        config: MediaDistributorConfig,
        handle: Handler,
        lost: Callable[[], None],
        counts: MediaDistributorCounts | None = None,
    ) -> None:
        self._config = config
        self._handle = handle
        self._lost = lost
        self._counts = counts or MediaDistributorCounts()
        pinned = load_pem_x509_certificate(config.control_peer_certificate.read_bytes())
        self._peer = Fingerprint.of(pinned.public_bytes(Encoding.DER))
        self._server: asyncio.Server | None = None
        self._current: ControlConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(
            self._accept,
            self._config.control_host,
            self._config.control_port,
            ssl=pinned_context(self._config),
            ssl_handshake_timeout=self._config.timeouts.handshake,
            limit=MAXIMUM_LINE,
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Listen no more; the connection ends."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        connection = ControlConnection(reader, writer, self._handle, self._counts)
        try:
            keep_alive(writer)
            presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if not self._peer.matches(Fingerprint.of(presented)):
                self._counts.control_ended[ControlEnd.CERTIFICATE] += 1
                connection.log.warning(LogCode.CONTROL_REFUSED, "a certificate that is not call processing's")
                return
            self._take_over(connection)
            await connection.serve()
            connection.end(ControlEnd.CLOSED)
        except OSError as error:
            connection.end(ControlEnd.FAILED, error)
        finally:
            if self._current is connection:
                self._current = None
                self._lost()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _take_over(self, connection: ControlConnection) -> None:
        self._counts.control_connected += 1
        connection.log.info(LogCode.CONTROL_CONNECTED, "call processing connected")
        older, self._current = self._current, connection
        if older is not None:
            self._lost()
            older.abort(ControlEnd.REPLACED)


class ControlConnection:
    """One connection: requests in, results and events out."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Handler,
        counts: MediaDistributorCounts,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handle = handle
        self._counts = counts
        self._why: ControlEnd | None = None
        self.log = log.of("control")
        self._slots = asyncio.Semaphore(MAXIMUM_REQUESTS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until the other side closes."""
        try:
            while line := await self._read_line():
                await self._slots.acquire()
                task = asyncio.create_task(self._answer(line))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()

    def notify(self, event: Event) -> None:
        """Send an event."""
        self._send(as_message(event))

    def end(self, reason: ControlEnd, error: Exception | None = None) -> None:
        """Count and log the end of the connection; why this side aborted it, if it did."""
        reason = self._why or reason
        self._counts.control_ended[reason] += 1
        if error is None:
            self.log.info(LogCode.CONTROL_LOST, "%s", reason)
        else:
            self.log.warning(LogCode.CONTROL_LOST, "%s: %s", reason, error)

    def abort(self, reason: ControlEnd) -> None:
        """End the connection at once."""
        self._why = self._why or reason
        self._writer.transport.abort()

    async def _read_line(self) -> bytes:
        while True:
            try:
                return await self._reader.readline()
            except ValueError:  # what asyncio raises for a line over its limit; the line's rest is read as another
                self._refuse(0, Refusal(Code.TOO_LARGE, f"a line of more than {MAXIMUM_LINE} octets"))

    async def _answer(self, line: bytes) -> None:
        number = read_id(line)
        try:
            result = await self._handle(read_request(line), self.notify)
            self._send({"id": number, "result": result})
        except Refusal as refusal:
            self._refuse(number, refusal)
        except Exception:  # whatever one request brings about, the conferences of all others go on
            self.log.exception(LogCode.CONTROL_REQUEST_FAILED, "an error ended control request %d", number)
            self._refuse(number, Refusal(Code.INVALID, "an error of the Media Distributor"))
        finally:
            self._slots.release()

    def _refuse(self, number: int, refusal: Refusal) -> None:
        self._counts.requests_refused[refusal.code] += 1
        self.log.info(LogCode.CONTROL_REQUEST_REFUSED, "%s: %s", refusal.code, identifying(Kind.DETAIL, refusal.detail))
        self._send({"id": number, "error": {"code": refusal.code, "detail": refusal.detail}})

    def _send(self, message: dict[str, Any]) -> None:
        if self._writer.transport.is_closing():
            return
        self._writer.write(json.dumps(message).encode() + b"\n")
        if self._writer.transport.get_write_buffer_size() > MAXIMUM_UNSENT:
            self.abort(ControlEnd.TOO_SLOW)
