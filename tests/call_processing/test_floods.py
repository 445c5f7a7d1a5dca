"""Floods from one address: it hears that it is too much, and nobody else hears anything of it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from perc_server.call_processing import limits as module
from perc_server.call_processing.event_stream import EventStream
from perc_server.problems import Problem
from tests.call_processing.stage import Server, request
from tests.call_processing.test_signalling import (  # noqa: F401 - fixtures
    GOOD,
    OFFER,
    ORIGIN,
    START,
    Site,
    certificates,
    problem,
    site,
)


def from_another_address(site: Site) -> httpx2.AsyncClient:  # noqa: F811
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(site.app, client=("192.0.2.7", 1)), base_url=ORIGIN)


@pytest.fixture(autouse=True)
def nothing_flows_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while a test runs, however long it takes."""
    monkeypatch.setattr(module, "OFFERS_PER_SECOND", 1e-6)
    monkeypatch.setattr(module, "STARTS_PER_SECOND", 1e-6)


@pytest.mark.parametrize(("path", "limit"), [(OFFER, module.OFFERS), (START, module.STARTS)])
async def test_a_flood_is_refused_and_others_are_served(site: Site, path: str, limit: int) -> None:  # noqa: F811
    for number in range(limit + 1):
        answer = await site.post(path, GOOD[path] | {"room": f"room-{number}"} if path == START else None)
        if answer.status_code != 200:
            break
    assert number >= limit - 5, "some were spent by the others of the story"
    assert problem(answer) == (429, "too-many")
    assert int(answer.headers["retry-after"]) > 0
    site.client = from_another_address(site)
    await site.still_serves()


@pytest.mark.parametrize("path", [OFFER, START])
async def test_another_site_does_not_use_up_what_its_visitors_have(site: Site, path: str) -> None:  # noqa: F811
    for _ in range(module.OFFERS + 1):
        refused = await site.post(path, Origin="http://evil.example")
        assert problem(refused) == (403, "foreign-origin")
    await site.still_serves()


async def test_an_address_has_so_many_offers_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PENDING_OFFERS", 3)
    server = Server()
    await server.start()
    server.tunnel("up")
    release = server.control.slow["offer"] = asyncio.Event()
    server.control.fails["offer"] = "refused"
    pending = [asyncio.create_task(server.offer()) for _ in range(3)]
    while server.control.asked.count("offer") < 3:
        await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await server.offer()
    assert refused.value.kind == "too-many"
    release.set()
    await asyncio.gather(*pending, return_exceptions=True)
    with pytest.raises(Problem, match="no") as refused:
        await server.offer()
    assert refused.value.kind == "refused", "those that were answered have made way"


class Listener:
    """A page that reads a stream, and goes."""

    def __init__(self, response: Any) -> None:
        self.heard: list[bytes] = []
        self._gone = asyncio.Event()
        self.task = asyncio.create_task(response({"type": "http"}, self._receive, self._send))

    async def gone(self) -> None:
        self._gone.set()
        await self.task

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.heard.append(message.get("body", b""))


async def test_a_stream_says_how_things_stand_and_ends_with_its_page() -> None:
    server = Server()
    listener = Listener(await server.signalling.events(request("attic")))
    while len(listener.heard) < 3:
        await asyncio.sleep(0)
    assert listener.heard[1] == b'event: state\ndata: {"state": "waiting", "generation": ""}\n\n'
    await listener.gone()
    assert server.rooms.get("attic") is None


async def test_streams_of_one_address_are_bounded_and_those_that_ended_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STREAMS", 2)
    server = Server()
    listeners = [Listener(await server.signalling.events(request("attic"))) for _ in range(2)]
    with pytest.raises(Problem) as refused:
        await server.signalling.events(request("cellar"))
    assert refused.value.kind == "too-many"
    assert server.rooms.get("cellar") is None
    await listeners[0].gone()
    again = await server.signalling.events(request("cellar"))
    assert isinstance(again, EventStream)
    for listener in (listeners[1], Listener(again)):
        await listener.gone()


async def test_a_page_that_is_gone_before_its_first_event_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STREAMS", 1)
    server = Server()

    async def send(_message: object) -> None:
        raise OSError("gone")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    for _ in range(3):
        response = await server.signalling.events(request("attic"))
        with pytest.raises(Exception):  # noqa: B017, PT011 - as the server's version has it
            await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert server.rooms.get("attic") is None


async def test_another_site_does_not_listen_for_its_visitors() -> None:
    server = Server()
    for where in ("cross-site", "same-site", "none"):
        with pytest.raises(Problem) as refused:
            await server.signalling.events(request("attic", sec_fetch_site=where))
        assert refused.value.kind == "foreign-origin"
    assert server.rooms.get("attic") is None


async def test_a_room_that_cannot_be_listened_to_costs_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAMS", 1)
    monkeypatch.setattr("perc_server.call_processing.rooms.MAXIMUM_SUBSCRIBERS", 1)
    server = Server()
    with pytest.raises(Problem, match="Too many pages"):
        await server.signalling.events(request("salon"))
    await Listener(await server.signalling.events(request("attic"))).gone()
