"""Call processing with one room, and a Media Distributor that does what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from perc_server.call_processing.control import ControlError
from perc_server.call_processing.counts import CallProcessingCounts
from perc_server.call_processing.rooms import Event, Rooms, Subscriber
from perc_server.call_processing.signalling import Signalling

ORIGIN = "http://localhost:8000"
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


class Control:
    """A Media Distributor that does what it is asked; `fails` is what it refuses, `slow` what waits to be released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, str] = {}
        self.slow: dict[str, asyncio.Event] = {}
        self.after: Callable[[], object] = lambda: None

    async def request(self, method: str, **_: object) -> dict[str, Any]:
        self.asked.append(method)
        if method in self.slow:
            await self.slow[method].wait()
        self.after()
        if method in self.fails:
            raise ControlError(self.fails[method], "no")
        return {"host": "md.localhost", "port": 8443}


class Server:
    """Call processing with one room, and a page that listens."""

    def __init__(self) -> None:
        self.counts = CallProcessingCounts()
        self.rooms = Rooms(self.counts)
        self.control = Control()
        self.signalling = Signalling(self.rooms, self.control, ORIGIN, self.counts)  # type: ignore[arg-type]
        self.room, self.page = self.rooms.subscribe("salon")

    async def start(self, **message: object) -> dict[str, Any]:
        document = {"room": "salon", "fingerprint": FINGERPRINT, **message}
        return dict(json.loads(bytes((await self.post(self.signalling.start_conference, document)).body)))

    async def end(self, claim: object, room: str = "salon") -> int:
        return (await self.post(self.signalling.end, {"claim": claim}, room)).status_code

    async def offer(self, **message: object) -> Response:
        return await self.post(
            self.signalling.offer, {"type": "offer", "sdp": "v=0", "role": "participant", **message}, "salon"
        )

    async def post(
        self, handler: Callable[[Request], Awaitable[Response]], document: dict[str, object], query: str = ""
    ) -> Response:
        body = json.dumps({"version": 1, **document}).encode()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        return await handler(request(query, "POST", receive))

    def tunnel(self, state: str) -> None:
        self.rooms.notify({"event": "tunnel", "conference": "salon", "state": state})

    def states(self) -> list[tuple[str, str]]:
        return [(event.data["state"], event.data["generation"]) for event in drain(self.page) if event.name == "state"]


def request(query: str, method: str = "GET", receive: Any = None, **more: str) -> Request:
    named = {"origin": ORIGIN, "content-type": "application/json", **more}
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("192.0.2.1", 1),
    }
    return Request(scope, receive)


def drain(subscriber: Subscriber) -> list[Event]:
    events = [subscriber.queue.get_nowait() for _ in range(subscriber.queue.qsize())]
    return [event for event in events if event is not None]
