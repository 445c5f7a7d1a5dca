"""What call processing counts, as a scraper reads it: each counter moves for its reason."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from perc_server.call_processing import bridge as bridge_module
from perc_server.call_processing import control as control_module
from perc_server.call_processing.bridge import MAXIMUM_TUNNELS_PER_ADDRESS, Bridge
from perc_server.call_processing.control import ControlError
from perc_server.call_processing.counts import (
    BridgeEnd,
    BridgeRefusal,
    CallProcessingCounts,
    ConferenceEnd,
    ControlLoss,
    ControlOutcome,
    LimitKind,
    StreamEnd,
)
from perc_server.call_processing.event_stream import EventStream
from perc_server.call_processing.limits import OFFERS, PENDING_OFFERS, STARTS, STREAMS, Limits
from perc_server.call_processing.rooms import MAXIMUM_QUEUED_EVENTS, Rooms
from perc_server.certificates import DemoCertificates
from perc_server.problems import Problem
from tests.call_processing.stage import Server
from tests.call_processing.test_bridge import ORIGIN as BRIDGE_ORIGIN
from tests.call_processing.test_bridge import echo, serving
from tests.call_processing.test_control import Peer, connected
from tests.call_processing.test_signalling import (
    GOOD,
    OFFER,
    ORIGIN,
    OURS,
    START,
    Site,
    application,
    certificates,  # noqa: F401 - a fixture
    site,  # noqa: F401 - a fixture
)
from tests.media_distributor.waiting import until
from tests.observability.observing import labels_of, value


@pytest.fixture
def app(certificates: DemoCertificates, tmp_path: Path) -> Starlette:  # noqa: F811
    """Without a Media Distributor."""
    return application(certificates, 1, tmp_path)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


def total(app: Starlette, name: str, **labels: str) -> int:
    return int(value(app.state.metrics, f"perc_cp_{name}_total", **labels))


async def test_requests_are_counted_by_status_and_refusals_by_type(app: Starlette, client: httpx2.AsyncClient) -> None:
    assert (await client.get("/")).status_code == 200
    refusals: dict[str, Any] = {
        "not-found": client.get("/nowhere/at/all"),
        "method-not-allowed": client.delete("/start-conf"),
        "invalid-room": client.get("/perc/events?a+b"),
        "foreign-origin": client.post(START, content="{}", headers=OURS | {"Origin": "https://other.example"}),
        "not-json": client.post(START, content="{}", headers=OURS | {"Content-Type": "text/plain"}),
        "invalid": client.post(START, content="{}", headers=OURS),
        "too-large": client.post(START, content=" " * (1 << 20), headers=OURS),
        "not-live": client.post(OFFER, content=json.dumps(GOOD[OFFER]), headers=OURS),
        "unavailable": client.post(START, content=json.dumps(GOOD[START]), headers=OURS),
        "wrong-host": client.get("/", headers={"Host": "other.example"}),
    }
    for kind, request in refusals.items():
        answer = await request
        assert answer.json()["type"] == f"/problems/{kind}"
        assert total(app, "requests_refused", type=kind) == 1
        assert total(app, "requests", status=str(answer.status_code)) >= 1
    assert total(app, "requests", status="200") == 1
    assert total(app, "conferences_ended", reason="start-failed") == 1
    assert total(app, "control_requests", outcome="unavailable") == 1
    assert sum(int(total(app, "requests_refused", type=kind)) for kind in refusals) == len(refusals)


async def test_an_error_of_the_server_is_counted(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: object) -> None:
        raise RuntimeError("a fault")

    app.add_route("/failing", failing)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        assert (await client.get("/failing")).status_code == 500
    assert total(app, "requests_failed") == 1


async def test_a_client_that_leaves_within_its_body_is_counted(app: Starlette) -> None:
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/start-conf",
        "query_string": b"",
        "headers": [
            (b"host", b"perc.example:8000"),
            (b"origin", ORIGIN.encode()),
            (b"content-type", b"application/json"),
        ],
        "client": ("192.0.2.1", 1),
    }

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: object) -> None:
        raise AssertionError(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    assert total(app, "requests_abandoned") == 1


async def test_what_goes_well_is_counted(site: Site) -> None:  # noqa: F811
    assert total(site.app, "conferences_started") == 1
    assert total(site.app, "offers_answered") == 1
    assert total(site.app, "control_requests", outcome="answered") == 2
    assert value(site.app.state.metrics, "perc_cp_control_up") == 1
    assert value(site.app.state.metrics, "perc_cp_rooms", state="live") == 1


async def test_public_routes_do_not_show_metrics(app: Starlette, client: httpx2.AsyncClient) -> None:
    assert (await client.get("/metrics")).status_code == 404
    assert labels_of(app.state.metrics, "perc_cp_rooms") == {"waiting", "starting", "live", "interrupted"}


def test_each_limit_is_counted_by_its_kind() -> None:
    counts = CallProcessingCounts()
    limits = Limits(lambda: 0.0, counts)
    with contextlib.ExitStack() as pending:
        for kind, number, take in (
            (LimitKind.STARTS, STARTS, lambda: limits.start("192.0.2.1")),
            (LimitKind.STREAMS, STREAMS, lambda: limits.stream("192.0.2.1")),
            (LimitKind.PENDING_OFFERS, PENDING_OFFERS, lambda: pending.enter_context(limits.offer("192.0.2.1"))),
        ):
            for _ in range(number):
                take()
            assert counts.limits[kind] == 0
            with pytest.raises(Problem):
                take()
            assert counts.limits[kind] == 1
    for _ in range(OFFERS - PENDING_OFFERS - 1):
        with limits.offer("192.0.2.1"):
            pass
    with pytest.raises(Problem), limits.offer("192.0.2.1"):
        pass
    assert counts.limits[LimitKind.OFFERS] == 1
    assert counts.limits.total() == 4


async def test_conferences_are_counted_by_their_end() -> None:
    server = Server()
    first = await server.start()
    await server.start(claim=first["claim"])
    await server.end(first["claim"])
    await server.start()
    server.rooms.notify({"event": "ended", "conference": "salon", "reason": "key-distributor-gone"})
    await server.start()
    server.rooms.end_all()
    assert server.counts.conferences_started == 4
    assert server.counts.conferences_ended == {
        ConferenceEnd.RESTARTED: 1,
        ConferenceEnd.OWNER: 1,
        ConferenceEnd.MEDIA_DISTRIBUTOR: 1,
        ConferenceEnd.CONTROL_LOST: 1,
    }


async def test_an_event_stream_is_counted_by_its_end() -> None:
    counts, rooms = CallProcessingCounts(), Rooms()
    for number, reason in ((1, StreamEnd.PAGE), (MAXIMUM_QUEUED_EVENTS, StreamEnd.CUT_OFF)):
        room, page = rooms.subscribe("salon")
        stream = EventStream(page, lambda: None, counts)
        for _ in range(number):
            room.publish("step", {})
        gone = asyncio.Event()

        async def receive(gone: asyncio.Event = gone) -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(_: object) -> None:
            await asyncio.sleep(0)

        task = asyncio.create_task(stream({"type": "http"}, receive, send))  # type: ignore[arg-type]
        await until(lambda: counts.streams == 1)
        if reason is StreamEnd.PAGE:
            gone.set()
        await task
        assert counts.streams == 0
        assert counts.streams_ended[reason] == 1


async def test_control_requests_and_losses_are_counted(
    certificates: DemoCertificates,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts, peer = CallProcessingCounts(), Peer()
    monkeypatch.setattr(control_module, "REQUEST_TIMEOUT", 0.05)
    async with connected(certificates, peer, [], counts=counts) as client:
        await client.wait_connected()
        assert counts.control_up == 1
        await client.request("start-conference", conference="salon", fingerprint="…")
        with pytest.raises(ControlError):
            await client.request("offer", conference="salon")
        peer.writers[-1].write(b"rubbish\n")
        await until(lambda: counts.control_lost[ControlLoss.MALFORMED])
        await until(lambda: counts.control_up)
        with pytest.raises(ControlError, match="in time"):
            await client.request("silence")
        await until(lambda: counts.control_lost[ControlLoss.SILENT])
        await until(lambda: counts.control_up)
        peer.writers[-1].close()
        await until(lambda: counts.control_lost[ControlLoss.CLOSED])
    assert counts.control_requests == {
        ControlOutcome.ANSWERED: 1,
        ControlOutcome.REFUSED: 1,
        ControlOutcome.TIMEOUT: 1,
    }
    assert counts.control_up == 0


async def test_a_media_distributor_that_cannot_be_reached_is_counted(
    certificates: DemoCertificates,  # noqa: F811
) -> None:
    counts = CallProcessingCounts()
    async with connected(certificates, Peer(), [], pinned=certificates.authority, counts=counts) as client:
        with pytest.raises(ControlError):
            await client.request("offer", conference="salon")
        await until(lambda: counts.control_lost[ControlLoss.UNREACHABLE])
    assert counts.control_requests == {ControlOutcome.UNAVAILABLE: 1}


async def test_tunnels_through_the_bridge_are_counted_by_refusal_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, rooms = CallProcessingCounts(), Rooms()
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as md:
        md_port = md.sockets[0].getsockname()[1]
        rooms.open("salon").tunnel = ("md.localhost", md_port)
        app = Starlette(
            routes=[WebSocketRoute("/perc/tunnel", Bridge(rooms, BRIDGE_ORIGIN, "127.0.0.1", counts).endpoint)]
        )
        async with serving(app) as port:
            url = f"ws://127.0.0.1:{port}/perc/tunnel?md=md.localhost:"
            ours = Origin(BRIDGE_ORIGIN)
            for target, origin, reason in (
                (f"{url}{md_port}", Origin("https://other.example"), BridgeRefusal.FOREIGN_ORIGIN),
                (f"{url}1", ours, BridgeRefusal.NO_SUCH_TUNNEL),
            ):
                with pytest.raises(InvalidStatus):
                    await connect(target, origin=origin)
                assert counts.bridges_refused[reason] == 1
            open_ones = [await connect(f"{url}{md_port}", origin=ours) for _ in range(MAXIMUM_TUNNELS_PER_ADDRESS)]
            await until(lambda: counts.bridges == MAXIMUM_TUNNELS_PER_ADDRESS)
            with pytest.raises(InvalidStatus):
                await connect(f"{url}{md_port}", origin=ours)
            assert counts.bridges_refused[BridgeRefusal.TOO_MANY] == 1
            await open_ones[0].send(b"x" * 100)
            await open_ones[0].recv()
            assert counts.bridged_octets == 200
            for websocket in open_ones:
                await websocket.close()
            await until(lambda: counts.bridges_ended[BridgeEnd.PAGE] == MAXIMUM_TUNNELS_PER_ADDRESS)
            assert counts.bridges == 0
            monkeypatch.setattr(bridge_module, "MAXIMUM_OCTETS", 10)
            monkeypatch.setattr(bridge_module, "IDLE_TIMEOUT", 0.05)
            for data, end in ((b"x" * 11, BridgeEnd.TOO_MUCH), (b"", BridgeEnd.IDLE)):
                async with connect(f"{url}{md_port}", origin=ours) as websocket:
                    if data:
                        await websocket.send(data)
                    await until(lambda end=end: counts.bridges_ended[end])
            md.close()
            with contextlib.suppress(ConnectionClosed):
                async with connect(f"{url}{md_port}", origin=ours) as websocket:
                    await websocket.recv()
            await until(lambda: counts.bridges_refused[BridgeRefusal.UNREACHABLE])
