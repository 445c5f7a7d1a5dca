"""Start-conf again: for the owner whose page was reloaded, and for nobody else."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
from starlette.requests import Request

from perc_server.call_processing.control import ControlError
from perc_server.call_processing.rooms import Event, Rooms, RoomState, Subscriber
from perc_server.call_processing.signalling import Signalling
from perc_server.problems import Problem

ORIGIN = "http://localhost:8000"
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


class Control:
    """A Media Distributor that does what it is asked; `fails` is what it refuses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, str] = {}

    async def request(self, method: str, **_: object) -> dict[str, Any]:
        self.asked.append(method)
        if method in self.fails:
            raise ControlError(self.fails[method], "no")
        return {"host": "md.localhost", "port": 8443}


class Server:
    """Call processing with one room, and a page that listens."""

    def __init__(self) -> None:
        self.rooms = Rooms()
        self.control = Control()
        self.signalling = Signalling(self.rooms, self.control, ORIGIN)  # type: ignore[arg-type]
        self.room, self.page = self.rooms.subscribe("salon")

    async def start(self, **message: object) -> dict[str, Any]:
        body = json.dumps({"version": 1, "room": "salon", "fingerprint": FINGERPRINT, **message}).encode()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        headers = [(b"origin", ORIGIN.encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/start-conf", "query_string": b"", "headers": headers}
        response = await self.signalling.start_conference(Request(scope, receive))
        return dict(json.loads(bytes(response.body)))

    def tunnel(self, state: str) -> None:
        self.rooms.notify({"event": "tunnel", "conference": "salon", "state": state})

    def states(self) -> list[tuple[str, str]]:
        return [(event.data["state"], event.data["generation"]) for event in drain(self.page) if event.name == "state"]


def drain(subscriber: Subscriber) -> list[Event]:
    events = [subscriber.queue.get_nowait() for _ in range(subscriber.queue.qsize())]
    return [event for event in events if event is not None]


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


async def test_only_the_owner_is_told_the_claim(server: Server) -> None:
    first = await server.start()
    server.tunnel("up")
    told = json.dumps([event.data for event in drain(server.page)])
    assert first["claim"] not in told
    assert first["claim"] not in repr(server.room)
