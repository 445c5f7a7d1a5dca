"""The control connection to the Media Distributor: requests and notifications as lines of JSON.

TLS 1.3 with both certificates pinned; the Media Distributor is in the configuration, none registers itself. A lost
connection fails the requests under way and is made again; the conferences of the old one are gone. It counts as lost,
too, if a request times out while nothing at all is heard: the other end may have gone without a word.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from itertools import count
from typing import Any

from perc_server.call_processing.config import ControlConfig
from perc_server.call_processing.counts import CallProcessingCounts, ControlLoss, ControlOutcome
from perc_server.keepalive import keep_alive
from perc_server.observability.codes import LogCode
from perc_server.observability.logs import Log

MAXIMUM_LINE = 1 << 18  # two SDPs of 64 KiB, escaped
CONNECT_TIMEOUT = 5.0  # seconds, for TCP and TLS
REQUEST_TIMEOUT = 20.0  # seconds; longer than the Media Distributor waits for a Key Distributor's signature
RECONNECT_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds; the last one repeats
QUIET_ATTEMPTS = 4  # to connect, before a warning: the servers of a deployment start at once

Notification = dict[str, Any]

_OUTCOMES = {"timeout": ControlOutcome.TIMEOUT, "unavailable": ControlOutcome.UNAVAILABLE}


class ControlError(Exception):
    """The Media Distributor refused, or could not be reached; `code` is the protocol's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def pinned_context(config: ControlConfig) -> ssl.SSLContext:
    """A client context that accepts exactly one certificate and presents exactly one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The pinned certificate is the only trust anchor: its name says nothing more.
    context.check_hostname = False
    context.load_verify_locations(cafile=config.media_distributor_certificate)
    context.load_cert_chain(config.certificate)
    return context


class ControlClient:
    """One connection to one Media Distributor, kept up by `run`."""

    def __init__(
        self,
        config: ControlConfig,
        on_notification: Callable[[Notification], None],
        on_lost: Callable[[], None],
        counts: CallProcessingCounts | None = None,
    ) -> None:
        self._config = config
        self._on_notification = on_notification
        self._on_lost = on_lost
        self._counts = counts or CallProcessingCounts()
        self._log = Log(__name__)
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._heard = 0
        """Lines read so far."""
        self._is_silent = False
        """Whether a request timed out on this connection while nothing was received."""

    async def run(self) -> None:
        """Connects, reads, and connects again, until it is cancelled."""
        attempt = 0
        while True:
            self._log = Log(__name__).of("control")
            self._is_silent = False
            loss = ControlLoss.UNREACHABLE
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    reader, self._writer = await asyncio.open_connection(
                        self._config.host, self._config.port, ssl=pinned_context(self._config), limit=MAXIMUM_LINE
                    )
                keep_alive(self._writer)
                attempt = 0
                self._up()
                loss = ControlLoss.FAILED
                await self._read(reader)
                self._note_loss(ControlLoss.CLOSED, None)
            except OSError as error:
                is_early = loss is ControlLoss.UNREACHABLE and attempt < QUIET_ATTEMPTS
                self._note_loss(loss, error, is_expected=is_early)
            except (ValueError, LookupError, TypeError) as error:
                self._note_loss(ControlLoss.MALFORMED, error)
            finally:
                self._lost()
            await asyncio.sleep(RECONNECT_DELAYS[min(attempt, len(RECONNECT_DELAYS) - 1)])
            attempt += 1

    async def wait_connected(self) -> None:
        """Returns once the connection is up."""
        await self._connected.wait()

    async def request(self, method: str, **params: object) -> dict[str, Any]:
        """The result of one request; `ControlError` for a refusal, a time-out or a lost connection."""
        try:
            result = await self._request(method, params)
        except ControlError as error:
            outcome = _OUTCOMES.get(error.code, ControlOutcome.REFUSED)
            self._counts.control_requests[outcome] += 1
            if outcome is not ControlOutcome.REFUSED:  # the Media Distributor logs what it refuses
                self._log.warning(LogCode.CONTROL_REQUEST_FAILED, "a request had the outcome %s", outcome)
            raise
        self._counts.control_requests[ControlOutcome.ANSWERED] += 1
        return result

    async def _request(self, method: str, params: dict[str, object]) -> dict[str, Any]:
        writer, heard = self._writer, self._heard
        if writer is None:
            raise ControlError("unavailable", "the Media Distributor cannot be reached")
        number = next(self._ids)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            # Escapes would make an SDP in another script up to three times as long, and the line too long.
            line = json.dumps({"id": number, "method": method, "params": params}, ensure_ascii=False)
            writer.write(line.encode() + b"\n")
            async with asyncio.timeout(REQUEST_TIMEOUT):
                return await future
        except TimeoutError:
            # A Media Distributor that is only busy says something about others meanwhile.
            if self._heard == heard:
                self._is_silent = True
                writer.transport.abort()
            raise ControlError("timeout", "the Media Distributor did not answer in time") from None
        finally:
            self._pending.pop(number, None)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            self._heard += 1
            message = json.loads(line)
            if not isinstance(message, dict):
                raise ValueError("a control message is not an object")  # noqa: TRY004 - the peer's fault, not a type's
            if "event" in message:
                self._on_notification(message)
            else:
                self._settle(message)

    def _settle(self, message: dict[str, Any]) -> None:
        future = self._pending.get(message.get("id", 0))
        if future is None or future.done():
            return
        if "error" in message:
            error = message["error"]
            future.set_exception(ControlError(str(error["code"]), str(error["detail"])))
        else:
            future.set_result(message["result"])

    def _up(self) -> None:
        self._counts.control_up = 1
        self._log.info(LogCode.CONTROL_CONNECTED, "connected to the Media Distributor")
        self._connected.set()

    def _note_loss(self, loss: ControlLoss, error: Exception | None, *, is_expected: bool = False) -> None:
        if self._is_silent:
            loss = ControlLoss.SILENT
        self._counts.control_lost[loss] += 1
        write = self._log.info if is_expected else self._log.warning
        if error is None:
            write(LogCode.CONTROL_LOST, "%s", loss)
        else:
            write(LogCode.CONTROL_LOST, "%s: %s", loss, error)

    def _lost(self) -> None:
        self._counts.control_up = 0
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._on_lost()
        self._connected.clear()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ControlError("unavailable", "the connection to the Media Distributor was lost"))
