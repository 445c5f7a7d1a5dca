"""The bridge: a WebSocket on this side, the Media Distributor's tunnel port on the other, TLS between the ends.

A browser cannot open TCP. The bridge copies octets and sees ciphertext. It dials one configured address only, for a
HOST:PORT that is exactly what a live conference was given; a failure tells nothing about what is there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from urllib.parse import parse_qs

from starlette.websockets import WebSocket, WebSocketDisconnect

from perc_server.addresses import network
from perc_server.call_processing.counts import BridgeEnd, BridgeRefusal, CallProcessingCounts
from perc_server.call_processing.rooms import Rooms
from perc_server.observability.codes import LogCode
from perc_server.observability.logs import Log
from perc_server.request_log import client_of

MAXIMUM_TUNNELS_PER_ADDRESS = 8  # a page needs one, and another while it reconnects
MAXIMUM_FRAME = 1 << 17  # several TLS records; a page that sends more at once is not our Key Distributor
MAXIMUM_OCTETS = 1 << 28  # per direction; keys and SDP of a long conference with many joins are a few megabytes
IDLE_TIMEOUT = 600.0  # seconds; an association with a browser sends an SCTP heartbeat every 30
DIAL_TIMEOUT = 5.0  # seconds
READ_SIZE = 1 << 16

POLICY_VIOLATION = 1008  # RFC 6455, Section 7.4.1
TRY_AGAIN_LATER = 1013

log = Log(__name__)


class _LimitReached(Exception):
    """A tunnel was idle too long or carried too much."""

    def __init__(self, end: BridgeEnd) -> None:
        super().__init__(end)
        self.end = end


class Bridge:
    """Copies octets between Key Distributors in browsers and the Media Distributor."""

    def __init__(
        self, rooms: Rooms, origin: str, tunnel_address: str, counts: CallProcessingCounts | None = None
    ) -> None:
        self._rooms = rooms
        self._origin = origin
        self._tunnel_address = tunnel_address
        self._counts = counts or CallProcessingCounts()
        self._tunnels: Counter[str] = Counter()

    async def endpoint(self, websocket: WebSocket) -> None:
        """The WebSocket endpoint `/perc/tunnel?md=HOST:PORT`."""
        client = network(websocket)
        port = self._admit(websocket, client)
        if isinstance(port, BridgeRefusal):
            self._refuse(websocket, port)
            # Closing before accepting is a plain 403, whatever was wrong.
            await websocket.close(POLICY_VIOLATION)
            return
        self._tunnels[client] += 1
        try:
            await self._connect(websocket, port)
        finally:
            self._tunnels[client] -= 1
            self._tunnels += Counter()  # forget addresses that have none

    def _admit(self, websocket: WebSocket, client: str) -> int | BridgeRefusal:
        """Return the port to dial, or why this page may not have a tunnel there."""
        if websocket.headers.get("origin") != self._origin:
            return BridgeRefusal.FOREIGN_ORIGIN
        values = parse_qs(websocket.url.query, strict_parsing=False, max_num_fields=2).get("md", [])
        host, _, port = values[0].rpartition(":") if len(values) == 1 else ("", "", "")
        is_number = port.isascii() and port.isdigit() and len(port) <= 5
        if not (is_number and self._rooms.has_tunnel(host, int(port))):
            return BridgeRefusal.NO_SUCH_TUNNEL
        return int(port) if self._tunnels[client] < MAXIMUM_TUNNELS_PER_ADDRESS else BridgeRefusal.TOO_MANY

    def _refuse(self, websocket: WebSocket, reason: BridgeRefusal) -> None:
        self._counts.bridges_refused[reason] += 1
        log.info(LogCode.BRIDGE_REFUSED, "%s for %s", reason, client_of(websocket))

    async def _connect(self, websocket: WebSocket, port: int) -> None:
        await websocket.accept()
        try:
            async with asyncio.timeout(DIAL_TIMEOUT):
                reader, writer = await asyncio.open_connection(self._tunnel_address, port)
        except (OSError, TimeoutError):
            self._refuse(websocket, BridgeRefusal.UNREACHABLE)
            await websocket.close(TRY_AGAIN_LATER)
            return
        bridge = log.of("bridge")
        bridge.info(LogCode.BRIDGE_OPENED, "opened for %s", client_of(websocket))
        self._counts.bridges += 1
        end = BridgeEnd.PAGE
        try:
            end = await self._copy_both(websocket, reader, writer)
        finally:
            self._counts.bridges -= 1
            self._counts.bridges_ended[end] += 1
            bridge.info(LogCode.BRIDGE_CLOSED, "%s", end)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _copy_both(
        self, websocket: WebSocket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> BridgeEnd:
        """Copy until either side ends, then end the other; return why."""
        page = asyncio.create_task(self._upwards(websocket, writer))
        media_distributor = asyncio.create_task(self._downwards(websocket, reader))
        done, pending = await asyncio.wait({page, media_distributor}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        results = await asyncio.gather(page, media_distributor, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close()
        limits = (result.end for result in results if isinstance(result, _LimitReached))
        return next(limits, BridgeEnd.PAGE if page in done else BridgeEnd.MEDIA_DISTRIBUTOR)

    async def _upwards(self, websocket: WebSocket, writer: asyncio.StreamWriter) -> None:
        total = 0
        while True:
            try:
                async with asyncio.timeout(IDLE_TIMEOUT):
                    message = await websocket.receive()
            except TimeoutError:
                raise _LimitReached(BridgeEnd.IDLE) from None
            data = message.get("bytes")
            if message["type"] == "websocket.disconnect" or data is None:
                return
            total += len(data)
            self._counts.bridged_octets += len(data)
            if len(data) > MAXIMUM_FRAME:
                raise _LimitReached(BridgeEnd.TOO_LARGE)
            if total > MAXIMUM_OCTETS:
                raise _LimitReached(BridgeEnd.TOO_MUCH)
            writer.write(data)
            await writer.drain()

    async def _downwards(self, websocket: WebSocket, reader: asyncio.StreamReader) -> None:
        total = 0
        while data := await reader.read(READ_SIZE):
            total += len(data)
            self._counts.bridged_octets += len(data)
            if total > MAXIMUM_OCTETS:
                raise _LimitReached(BridgeEnd.TOO_MUCH)
            await websocket.send_bytes(data)
