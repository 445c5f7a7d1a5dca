"""The rooms: which conferences are live, who listens to their events, which endpoints they have.

    waiting ──start-conf──▶ starting ──tunnel up──▶ live ──tunnel down──▶ interrupted
       ▲                     ▲ │                     │ ▲                    │ │ │
       │                     │ │                     │ └──────tunnel up─────┘ │ │
       │                     └─│──────start-conf with the claim───────────────┘ │
       └─── ended by the Media Distributor ─────────────────────────────────────┘

A room that is not waiting refuses a second start-conf, but for the one who has its claim: an owner whose page was
reloaded. That is another `generation` of the conference, whose endpoints offer anew. Whoever starts it: the join link
names the owner, and endpoints accept no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from perc_server.call_processing.counts import CallProcessingCounts, ConferenceEnd
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.observability.logs import Log
from perc_server.problems import Problem, ProblemKind

MAXIMUM_ROOMS = 1000  # with a conference, started or live: more than one Media Distributor has ports for
MAXIMUM_WAITING_ROOMS = 10_000  # only listened to: a name and a few streams, of which one address has a limited number
MAXIMUM_SUBSCRIBERS = 500  # event streams of one room: its participants, those who wait, and some of ill will
MAXIMUM_QUEUED_EVENTS = 256  # of one slow subscriber, which is then cut off


_log = Log(__name__)


class RoomState(Enum):
    """What a page is told about its room."""

    WAITING = "waiting"
    STARTING = "starting"
    LIVE = "live"
    INTERRUPTED = "interrupted"
    ENDED = "ended"

    @property
    def public(self) -> str:
        """The name in the event stream: whoever waits need not know why."""
        return "waiting" if self in (RoomState.STARTING, RoomState.INTERRUPTED) else self.value


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a room's stream."""

    name: str
    data: dict[str, Any]


class Subscriber:
    """A page that listens; `queue` ends in None when it is cut off."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.is_cut_off = False

    def put(self, event: Event) -> bool:
        """Queues an event; false for a subscriber that does not read, which is cut off and hears no more."""
        is_in_time = self.queue.qsize() < MAXIMUM_QUEUED_EVENTS
        self.queue.put_nowait(event if is_in_time else None)
        self.is_cut_off = not is_in_time
        return is_in_time


@dataclass(slots=True)
class Room:
    """One room name: its state, listeners and endpoints."""

    name: str
    state: RoomState = RoomState.WAITING
    generation: str = ""
    claim: str = field(default="", repr=False)
    tunnel: tuple[str, int] | None = None
    sources: dict[str, int] = field(default_factory=lambda: {"audio": 0, "video": 0})
    endpoints: set[str] = field(default_factory=set)
    subscribers: set[Subscriber] = field(default_factory=set)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    turns: int = 0
    """How many have or wait for their turn to change which conference is here."""
    log: Log = field(default=_log, repr=False)
    """Of the conference that is here now."""

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Sends an event to everyone who listens."""
        event = Event(name, data)
        self.subscribers = {subscriber for subscriber in self.subscribers if subscriber.put(event)}

    def enter(self, state: RoomState) -> None:
        """Changes the state and says so."""
        self.state = state
        self.publish("state", self.public_state)

    @property
    def public_state(self) -> dict[str, Any]:
        """What a page is told of the state."""
        return {"state": self.state.public, "generation": self.generation}

    def can_be_started(self, claim: str | None) -> bool:
        """Whether a conference may start here now, in place of one whose claim this is."""
        return self.state is RoomState.WAITING or (claim is not None and self.is_claimed_by(claim))

    def is_claimed_by(self, claim: str) -> bool:
        """Whether this is the claim of the conference that is here now."""
        return secrets.compare_digest(self.claim, claim)

    def start(self) -> None:
        """A conference starts; `claim` is its owner's, through all generations of it."""
        self.claim = self.claim or secrets.token_urlsafe(16)
        self.generation = secrets.token_urlsafe(8)
        self.log = _log.of("conference")
        self._empty()
        self.enter(RoomState.STARTING)

    def end(self) -> None:
        """The conference is over; those who listen may wait for the next one."""
        self._empty()
        self.claim = ""
        self.enter(RoomState.ENDED)
        self.state = RoomState.WAITING

    def _empty(self) -> None:
        self.tunnel = None
        self.endpoints.clear()
        self.sources = {"audio": 0, "video": 0}


class Rooms:
    """All rooms that are live or listened to."""

    def __init__(self, counts: CallProcessingCounts | None = None) -> None:
        self._rooms: dict[str, Room] = {}
        self._counts = counts or CallProcessingCounts()

    def get(self, name: str) -> Room | None:
        """The room, if anyone is in it."""
        return self._rooms.get(name)

    def open(self, name: str) -> Room:
        """The room, made if need be."""
        return self._rooms.setdefault(name, Room(name))

    @contextlib.asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Room]:
        """The room, made if need be, for one who changes which conference is there: one after the other.

        Between two who start it again at once (a page that is reloaded twice), the one that the Media Distributor
        refuses would end the other's.
        """
        room = self.open(name)
        room.turns += 1
        try:
            async with room.turn:
                yield room
        finally:
            room.turns -= 1
            self.forget_if_unused(room)

    def start(self, room: Room) -> None:
        """A conference starts in the room, or starts again."""
        if room.state is RoomState.WAITING and len(self._rooms) - self._waiting() >= MAXIMUM_ROOMS:
            raise _full()
        if room.state is not RoomState.WAITING:
            self._note_end(room, ConferenceEnd.RESTARTED)
        room.start()
        self._counts.conferences_started += 1
        room.log.info(LogCode.CONFERENCE_STARTED, "in %s", identifying(Kind.ROOM, room.name))

    def live(self, name: str) -> Room:
        """The room, if its conference is live; a `Problem` otherwise."""
        room = self._rooms.get(name)
        if room is None or room.state is not RoomState.LIVE:
            raise Problem(
                HTTPStatus.NOT_FOUND, ProblemKind.NOT_LIVE, "This conference has not started, or its owner is away."
            )
        return room

    def end(self, room: Room, reason: ConferenceEnd) -> None:
        """The conference is over, if it is not yet."""
        if room.state is not RoomState.WAITING:
            self._note_end(room, reason)
            room.end()
            self.forget_if_unused(room)

    def end_all(self) -> None:
        """The Media Distributor is gone, and with it every conference."""
        for room in list(self._rooms.values()):
            self.end(room, ConferenceEnd.CONTROL_LOST)

    def subscribe(self, name: str) -> tuple[Room, Subscriber]:
        """A new listener, which first hears how things stand."""
        if name not in self._rooms and self._waiting() >= MAXIMUM_WAITING_ROOMS:
            raise _full()
        room = self.open(name)
        if len(room.subscribers) >= MAXIMUM_SUBSCRIBERS:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, ProblemKind.FULL, "Too many pages listen to this room.")
        subscriber = Subscriber()
        room.subscribers.add(subscriber)
        subscriber.put(Event("state", room.public_state))
        subscriber.put(Event("sources", room.sources))
        return room, subscriber

    def unsubscribe(self, room: Room, subscriber: Subscriber) -> None:
        """The listener is gone."""
        room.subscribers.discard(subscriber)
        self.forget_if_unused(room)

    def forget_if_unused(self, room: Room) -> None:
        """Rooms cost nothing when nobody is there."""
        is_used = room.state is not RoomState.WAITING or room.subscribers or room.turns
        # One that was forgotten already may have a successor of the same name.
        if not is_used and self._rooms.get(room.name) is room:
            del self._rooms[room.name]

    def has_tunnel(self, host: str, port: int) -> bool:
        """Whether HOST:PORT is where the Key Distributor of a conference is expected."""
        return any(room.tunnel == (host, port) for room in self._rooms.values())

    def notify(self, notification: dict[str, Any]) -> None:
        """Takes a notification of the Media Distributor into the room it is about."""
        room = self._rooms.get(str(notification.get("conference")))
        if room is None:
            return
        match notification["event"]:
            case "tunnel":
                up = notification["state"] == "up"
                room.enter(RoomState.LIVE if up else RoomState.INTERRUPTED)
            case "sources":
                room.sources = {"audio": int(notification["audio"]), "video": int(notification["video"])}
                room.publish("sources", room.sources)
            case "endpoint-left":
                room.endpoints.discard(str(notification["endpoint"]))
            case "ended":
                self.end(room, ConferenceEnd.MEDIA_DISTRIBUTOR)
            case "step":
                room.publish("step", _public_step(notification))

    def in_state(self, state: RoomState) -> int:
        """How many rooms are in this state."""
        return sum(room.state is state for room in self._rooms.values())

    def _waiting(self) -> int:
        return self.in_state(RoomState.WAITING)

    def _note_end(self, room: Room, reason: ConferenceEnd) -> None:
        self._counts.conferences_ended[reason] += 1
        room.log.info(LogCode.CONFERENCE_ENDED, "%s", reason)


def _full() -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, ProblemKind.FULL, "This server has no room left.")


def _public_step(notification: dict[str, Any]) -> dict[str, Any]:
    """What the event log of every page may know: not the endpoint, whose id is a capability."""
    return {key: notification[key] for key in ("step", "role") if key in notification}


def new_endpoint_id() -> str:
    """An unguessable name, so that nobody offers or leaves in another's place."""
    return secrets.token_urlsafe(16)
