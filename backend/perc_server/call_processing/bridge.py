"""The bridge: a WebSocket on this side, the Media Distributor's tunnel port on the other, TLS between the ends.

A browser cannot open TCP. The bridge copies octets and sees ciphertext. It dials one configured address only, for a
HOST:PORT that is exactly what a live conference was given; a failure tells nothing about what is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from urllib.parse import parse_qs

from starlette.websockets import WebSocket, WebSocketDisconnect

from perc_server.addresses import network
from perc_server.call_processing.rooms import Rooms

MAXIMUM_TUNNELS_PER_ADDRESS = 8  # a page needs one, and another while it reconnects
MAXIMUM_FRAME = 1 << 17  # several TLS records; a page that sends more at once is not our Key Distributor
MAXIMUM_OCTETS = 1 << 28  # per direction; keys and SDP of a long conference with many joins are a few megabytes
IDLE_TIMEOUT = 600.0  # seconds; an association with a browser sends an SCTP heartbeat every 30
DIAL_TIMEOUT = 5.0  # seconds
READ_SIZE = 1 << 16

POLICY_VIOLATION = 1008  # RFC 6455, Section 7.4.1
TRY_AGAIN_LATER = 1013

logger = logging.getLogger(__name__)


class _LimitReached(Exception):
    """A tunnel was idle too long or carried too much."""


class Bridge:
    """Copies octets between Key Distributors in browsers and the Media Distributor."""

    def __init__(self, rooms: Rooms, origin: str, tunnel_address: str) -> None:
        self._rooms = rooms
        self._origin = origin
        self._tunnel_address = tunnel_address
        self._tunnels: Counter[str] = Counter()

    async def endpoint(self, websocket: WebSocket) -> None:
        """The WebSocket endpoint `/perc/tunnel?md=HOST:PORT`."""
        port = self._admit(websocket)
        client = network(websocket)
        if port is None or self._tunnels[client] >= MAXIMUM_TUNNELS_PER_ADDRESS:
            # Closing before accepting is a plain 403, whatever was wrong.
            await websocket.close(POLICY_VIOLATION)
            return
        self._tunnels[client] += 1
        try:
            await self._connect(websocket, port)
        finally:
            self._tunnels[client] -= 1
            self._tunnels += Counter()  # forget addresses that have none

    def _admit(self, websocket: WebSocket) -> int | None:
        """The port to dial, or None if this page may not have a tunnel there."""
        if websocket.headers.get("origin") != self._origin:
            return None
        values = parse_qs(websocket.url.query, strict_parsing=False, max_num_fields=2).get("md", [])
        host, _, port = values[0].rpartition(":") if len(values) == 1 else ("", "", "")
        if not (port.isascii() and port.isdigit() and len(port) <= 5):
            return None
        return int(port) if self._rooms.has_tunnel(host, int(port)) else None

    async def _connect(self, websocket: WebSocket, port: int) -> None:
        await websocket.accept()
        try:
            async with asyncio.timeout(DIAL_TIMEOUT):
                reader, writer = await asyncio.open_connection(self._tunnel_address, port)
        except (OSError, TimeoutError):
            await websocket.close(TRY_AGAIN_LATER)
            return
        try:
            await _copy_both(websocket, reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _copy_both(websocket: WebSocket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies until either side ends, then ends the other."""
    tasks = {asyncio.create_task(_upwards(websocket, writer)), asyncio.create_task(_downwards(websocket, reader))}
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, _LimitReached):
            logger.info("a tunnel reached a limit: %s", result)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await websocket.close()


async def _upwards(websocket: WebSocket, writer: asyncio.StreamWriter) -> None:
    total = 0
    while True:
        async with asyncio.timeout(IDLE_TIMEOUT):
            message = await websocket.receive()
        data = message.get("bytes")
        if message["type"] == "websocket.disconnect" or data is None:
            return
        total += len(data)
        if len(data) > MAXIMUM_FRAME or total > MAXIMUM_OCTETS:
            raise _LimitReached(f"{total} octets")
        writer.write(data)
        await writer.drain()


async def _downwards(websocket: WebSocket, reader: asyncio.StreamReader) -> None:
    total = 0
    while data := await reader.read(READ_SIZE):
        total += len(data)
        if total > MAXIMUM_OCTETS:
            raise _LimitReached(f"{total} octets")
        await websocket.send_bytes(data)
