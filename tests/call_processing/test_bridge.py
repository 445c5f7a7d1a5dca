"""The bridge between a WebSocket and the Media Distributor's port, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from perc_server.call_processing import bridge as module
from perc_server.call_processing.bridge import Bridge
from perc_server.call_processing.rooms import Rooms

ORIGIN = "http://localhost:8000"


@dataclass(frozen=True)
class Site:
    """A bridge, and an echo server where the Media Distributor would be."""

    bridge_port: int
    md_port: int

    def url(self, md: str | None = None) -> str:
        return f"ws://127.0.0.1:{self.bridge_port}/perc/tunnel?md={md or f'md.localhost:{self.md_port}'}"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, ws="websockets-sansio", log_config=None, ws_max_size=module.MAXIMUM_FRAME, lifespan="off")
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as md:
        md_port = md.sockets[0].getsockname()[1]
        rooms = Rooms()
        rooms.open("salon").tunnel = ("md.localhost", md_port)
        app = Starlette(routes=[WebSocketRoute("/perc/tunnel", Bridge(rooms, ORIGIN, "127.0.0.1").endpoint)])
        async with serving(app) as port:
            yield Site(port, md_port)


async def test_octets_pass_both_ways(site: Site) -> None:
    async with connect(site.url(), origin=Origin(ORIGIN)) as websocket:
        await websocket.send(b"\x16\x03\x01" + bytes(70_000))
        received = b""
        while len(received) < 70_003:
            received += await websocket.recv()  # type: ignore[operator]
        assert received == b"\x16\x03\x01" + bytes(70_000)


@pytest.mark.parametrize(
    "md",
    [
        "127.0.0.1:22",
        "localhost:22",
        "MD.localhost:{port}",
        "md.localhost:0{port}0",
        "md.localhost",
        "md.localhost:",
        "md.localhost:-1",
        "md.localhost:{port}&md=md.localhost:{port}",
        "md.localhost:{port}/x",
        "md.localhost.:{port}",
    ],
)
async def test_any_other_address_is_refused_and_nothing_is_told(site: Site, md: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(site.url(md.format(port=site.md_port)), origin=Origin(ORIGIN))
    assert refused.value.response.status_code == 403
    assert refused.value.response.body in (b"", None)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8001", None])
async def test_a_page_of_another_origin_is_refused(site: Site, origin: str | None) -> None:
    with pytest.raises(InvalidStatus):
        await connect(site.url(), origin=Origin(origin) if origin else None)


async def test_tunnels_per_address_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_TUNNELS_PER_ADDRESS", 1)
    async with connect(site.url(), origin=Origin(ORIGIN)) as first:
        with pytest.raises(InvalidStatus):
            await connect(site.url(), origin=Origin(ORIGIN))
        await first.send(b"still served")
        assert await first.recv() == b"still served"
    async with connect(site.url(), origin=Origin(ORIGIN)) as next_one:
        await next_one.send(b"and again")
        assert await next_one.recv() == b"and again"


async def test_a_tunnel_that_carries_too_much_is_closed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_OCTETS", 1000)
    async with connect(site.url(), origin=Origin(ORIGIN)) as websocket:
        await websocket.send(bytes(1001))
        with pytest.raises(ConnectionClosed):
            await websocket.recv()


async def test_an_idle_tunnel_is_closed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_TIMEOUT", 0.01)
    async with connect(site.url(), origin=Origin(ORIGIN)) as websocket:
        with pytest.raises(ConnectionClosed):
            await websocket.recv()


async def test_text_ends_the_tunnel(site: Site) -> None:
    async with connect(site.url(), origin=Origin(ORIGIN)) as websocket:
        await websocket.send("not TLS")
        with pytest.raises(ConnectionClosed):
            await websocket.recv()


async def test_a_media_distributor_that_does_not_answer_is_a_plain_close() -> None:
    rooms = Rooms()
    rooms.open("salon").tunnel = ("md.localhost", 1)  # nothing listens on port 1
    app = Starlette(routes=[WebSocketRoute("/perc/tunnel", Bridge(rooms, ORIGIN, "127.0.0.1").endpoint)])
    async with serving(app) as port, connect(Site(port, 1).url(), origin=Origin(ORIGIN)) as websocket:
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (module.TRY_AGAIN_LATER, "")
