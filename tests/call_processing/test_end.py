"""The end of a conference: the owner's word ends it, with or without a tunnel, and nobody else's does."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from perc_server.call_processing.rooms import RoomState
from perc_server.call_processing.schemas import MAXIMUM_BODY
from perc_server.problems import Problem
from tests.call_processing.stage import Server
from tests.call_processing.test_signalling import FINGERPRINT, Site, certificates, problem, site  # noqa: F401 - fixtures

NOBODYS = "A" * 22


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.parametrize("tunnel", [[], ["up"], ["up", "down"]], ids=["never came up", "is up", "was lost"])
async def test_the_owner_ends_the_conference(server: Server, tunnel: list[str]) -> None:
    claim = (await server.start())["claim"]
    for state in tunnel:
        server.tunnel(state)
    server.rooms.subscribe("salon")
    assert await server.end(claim) == HTTPStatus.NO_CONTENT
    assert server.control.asked == ["start-conference", "end"]
    assert server.states()[-1][0] == "ended"
    assert server.room.state is RoomState.WAITING
    assert not server.rooms.has_tunnel("md.localhost", 8443)
    assert (await server.start())["claim"] != claim


@pytest.mark.parametrize("room", ["salon", "nowhere"])
async def test_where_there_is_nothing_to_end_that_is_no_error(server: Server, room: str) -> None:
    assert await server.end(NOBODYS, room) == HTTPStatus.NO_CONTENT
    assert server.control.asked == []
    assert server.rooms.get("nowhere") is None
    assert "ended" not in [state for state, _ in server.states()]


async def test_saying_so_twice_is_no_error(server: Server) -> None:
    claim = (await server.start())["claim"]
    assert [await server.end(claim), await server.end(claim)] == [HTTPStatus.NO_CONTENT] * 2
    assert server.control.asked == ["start-conference", "end"]


@pytest.mark.parametrize("state", [RoomState.STARTING, RoomState.LIVE, RoomState.INTERRUPTED])
async def test_nobody_else_ends_it(server: Server, state: RoomState) -> None:
    await server.start()
    server.room.state = state
    with pytest.raises(Problem) as refused:
        await server.end(NOBODYS)
    assert (refused.value.status, refused.value.kind) == (HTTPStatus.FORBIDDEN, "not-owner")
    assert server.control.asked == ["start-conference"]
    assert server.room.state is state


async def test_a_claim_of_before_does_not_end_the_next_conference(server: Server) -> None:
    before = (await server.start())["claim"]
    await server.end(before)
    await server.start()
    with pytest.raises(Problem):
        await server.end(before)


async def test_a_conference_that_the_media_distributor_does_not_know_ends_all_the_same(server: Server) -> None:
    claim = (await server.start())["claim"]
    server.control.fails["end"] = "no-such-conference"
    assert await server.end(claim) == HTTPStatus.NO_CONTENT
    assert server.states()[-1][0] == "ended"


async def test_a_lost_control_connection_has_ended_it(server: Server) -> None:
    claim = (await server.start())["claim"]
    server.control.fails["end"] = "unavailable"
    server.control.after = server.rooms.end_all
    assert await server.end(claim) == HTTPStatus.NO_CONTENT
    assert [state for state, _ in server.states()].count("ended") == 1


async def test_a_media_distributor_that_does_not_answer_leaves_it_to_another_try(server: Server) -> None:
    claim = (await server.start())["claim"]
    server.control.fails["end"] = "timeout"
    with pytest.raises(Problem) as refused:
        await server.end(claim)
    assert refused.value.status is HTTPStatus.GATEWAY_TIMEOUT
    server.control.fails.clear()
    assert await server.end(claim) == HTTPStatus.NO_CONTENT


@pytest.mark.parametrize(
    ("change", "headers", "status"),
    [
        ({}, {"Origin": "http://evil.example"}, (403, "foreign-origin")),
        ({}, {"Content_Type": "text/plain"}, (415, "not-json")),
        ({"claim": "short"}, {}, (400, "invalid")),
        ({"claim": None}, {}, (400, "invalid")),
        ({"more": 1}, {}, (400, "invalid")),
        ({"version": 2}, {}, (400, "invalid")),
        ({"more": "x" * MAXIMUM_BODY}, {}, (413, "too-large")),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_no_request_of_our_page_is_refused(
    site: Site,  # noqa: F811
    change: dict[str, Any],
    headers: dict[str, str],
    status: tuple[int, str],
) -> None:
    refused = await site.post("/perc/end?salon", {"version": 1, "claim": NOBODYS} | change, **headers)
    assert problem(refused) == status
    await site.still_serves()


async def test_over_http(site: Site) -> None:  # noqa: F811
    start = {"version": 1, "room": "attic", "fingerprint": FINGERPRINT}
    claim = (await site.post("/start-conf", start)).json()["claim"]
    assert problem(await site.post("/perc/end?attic", {"version": 1, "claim": NOBODYS})) == (403, "not-owner")
    assert problem(await site.post("/start-conf", start)) == (409, "conflict")
    assert (await site.post("/perc/end?attic", {"version": 1, "claim": claim})).status_code == 204
    assert (await site.post("/start-conf", start)).status_code == 200
