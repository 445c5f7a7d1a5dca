"""Start-conf again: for the owner whose page was reloaded, and for nobody else."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest

from perc_server.call_processing.rooms import RoomState
from perc_server.problems import Problem
from tests.call_processing.stage import Server, drain


@pytest.fixture
def server() -> Server:
    return Server()


async def test_the_claim_starts_another_generation(server: Server) -> None:
    first = await server.start()
    server.tunnel("up")
    server.tunnel("down")
    server.room.endpoints.add("somebody")
    drain(server.page)
    again = await server.start(claim=first["claim"])
    server.tunnel("up")
    assert again["claim"] == first["claim"]
    assert again["generation"] != first["generation"]
    assert server.control.asked == ["start-conference", "end", "start-conference"]
    assert server.states() == [("waiting", again["generation"]), ("live", again["generation"])]
    assert server.room.endpoints == set()


async def test_a_reload_is_faster_than_the_news_of_the_lost_tunnel(server: Server) -> None:
    first = await server.start()
    server.tunnel("up")
    again = await server.start(claim=first["claim"])
    assert again["generation"] != first["generation"]


@pytest.mark.parametrize("state", [RoomState.STARTING, RoomState.LIVE, RoomState.INTERRUPTED])
@pytest.mark.parametrize("claim", [{}, {"claim": None}, {"claim": "A" * 22}])
async def test_nobody_else_takes_a_room(server: Server, state: RoomState, claim: dict[str, Any]) -> None:
    first = await server.start()
    server.room.state = state
    with pytest.raises(Problem) as refused:
        await server.start(**claim)
    assert refused.value.status is HTTPStatus.CONFLICT
    assert server.control.asked == ["start-conference"]
    assert server.room.generation == first["generation"]


async def test_a_claim_ends_with_its_conference(server: Server) -> None:
    first = await server.start()
    server.rooms.notify({"event": "ended", "conference": "salon"})
    other = await server.start()
    assert other["claim"] != first["claim"]
    with pytest.raises(Problem):
        await server.start(claim=first["claim"])


@pytest.mark.parametrize("claim", ["", "short", "A" * 23, 7])
async def test_a_claim_that_is_none(server: Server, claim: object) -> None:
    with pytest.raises(Problem) as refused:
        await server.start(claim=claim)
    assert refused.value.status is HTTPStatus.BAD_REQUEST


async def test_a_restart_that_fails_ends_the_conference_for_those_who_wait(server: Server) -> None:
    first = await server.start()
    server.tunnel("up")
    server.control.fails = {"end": "no-such-conference", "start-conference": "full"}
    with pytest.raises(Problem):
        await server.start(claim=first["claim"])
    assert server.states()[-1][0] == "ended"
    assert server.room.state is RoomState.WAITING


async def test_a_page_that_is_reloaded_twice_at_once(server: Server) -> None:
    """Both restarts are at the Media Distributor at once: the later one's is the page that is there."""
    claim = (await server.start())["claim"]
    server.tunnel("up")
    drain(server.page)
    release = server.control.slow["start-conference"] = asyncio.Event()
    first, second = (asyncio.create_task(server.start(claim=claim)) for _ in range(2))
    while server.control.asked.count("start-conference") < 2:
        await asyncio.sleep(0)
    assert server.control.asked == ["start-conference", "end", "start-conference"], "the second waits for its turn"
    release.set()
    assert (await first)["generation"] != (await second)["generation"] == server.room.generation
    assert server.control.asked[3:] == ["end", "start-conference"]
    assert "ended" not in [state for state, _ in server.states()]
    assert (await second)["claim"] == claim


async def test_a_restart_that_fails_leaves_the_room_to_the_one_after_it(server: Server) -> None:
    claim = (await server.start())["claim"]
    release = server.control.slow["start-conference"] = asyncio.Event()
    server.control.fails["start-conference"] = "full"
    server.control.after = lambda: server.control.asked.count("start-conference") > 2 and server.control.fails.clear()
    first, second = (asyncio.create_task(server.start(claim=claim)) for _ in range(2))
    server.rooms.unsubscribe(server.room, server.page)
    while server.control.asked.count("start-conference") < 2:
        await asyncio.sleep(0)
    release.set()
    with pytest.raises(Problem):
        await first
    assert (await second)["generation"] == server.room.generation
    assert server.rooms.get("salon") is server.room


async def test_the_news_of_the_old_conferences_end_does_not_end_the_new_one(server: Server) -> None:
    claim = (await server.start())["claim"]
    server.control.slow["end"] = asyncio.Event()
    restart = asyncio.create_task(server.start(claim=claim))
    while server.control.asked[-1] != "end":
        await asyncio.sleep(0)
    server.rooms.notify({"event": "ended", "conference": "salon"})
    server.control.slow["end"].set()
    await restart
    server.tunnel("up")
    assert server.states()[-1] == ("live", server.room.generation)


async def test_a_conference_that_ends_as_it_begins_has_not_started(server: Server) -> None:
    server.control.after = server.rooms.end_all
    with pytest.raises(Problem) as refused:
        await server.start()
    assert refused.value.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert server.room.tunnel is None


async def test_only_the_owner_is_told_the_claim(server: Server) -> None:
    first = await server.start()
    server.tunnel("up")
    told = json.dumps([event.data for event in drain(server.page)])
    assert first["claim"] not in told
    assert first["claim"] not in repr(server.room)
