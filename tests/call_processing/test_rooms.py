"""Rooms: states, events, limits."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from perc_server.call_processing import rooms as module
from perc_server.call_processing.rooms import Event, Rooms, RoomState, Subscriber
from perc_server.problems import Problem


def drain(subscriber: Subscriber) -> list[Event | None]:
    return [subscriber.queue.get_nowait() for _ in range(subscriber.queue.qsize())]


def test_a_subscriber_first_hears_how_things_stand() -> None:
    rooms = Rooms()
    _, subscriber = rooms.subscribe("salon")
    assert drain(subscriber) == [
        Event("state", {"state": "waiting", "generation": ""}),
        Event("sources", {"audio": 0, "video": 0}),
    ]


def test_a_conference_goes_through_its_states() -> None:
    rooms = Rooms()
    room, subscriber = rooms.subscribe("salon")
    drain(subscriber)
    room.start()
    generation = room.generation
    room.tunnel = ("md.localhost", 8443)
    rooms.notify({"event": "tunnel", "conference": "salon", "state": "up"})
    assert rooms.live("salon") is room
    rooms.notify({"event": "sources", "conference": "salon", "audio": 2, "video": 1})
    rooms.notify({"event": "tunnel", "conference": "salon", "state": "down"})
    with pytest.raises(Problem) as problem:
        rooms.live("salon")
    assert problem.value.status is HTTPStatus.NOT_FOUND
    rooms.notify({"event": "ended", "conference": "salon", "reason": "gone"})
    assert [(event.name, event.data) for event in drain(subscriber) if event] == [
        ("state", {"state": "waiting", "generation": generation}),
        ("state", {"state": "live", "generation": generation}),
        ("sources", {"audio": 2, "video": 1}),
        ("state", {"state": "waiting", "generation": generation}),
        ("state", {"state": "ended", "generation": generation}),
    ]
    assert room.tunnel is None
    assert room.state is RoomState.WAITING


def test_a_room_is_forgotten_when_nobody_is_there() -> None:
    rooms = Rooms()
    room, subscriber = rooms.subscribe("salon")
    rooms.unsubscribe(room, subscriber)
    assert rooms.get("salon") is None


def test_a_live_room_outlives_its_listeners() -> None:
    rooms = Rooms()
    room, subscriber = rooms.subscribe("salon")
    room.state = RoomState.LIVE
    rooms.unsubscribe(room, subscriber)
    assert rooms.get("salon") is room
    rooms.end_all()
    assert rooms.get("salon") is None


def test_the_step_events_do_not_carry_the_endpoint_which_is_a_capability() -> None:
    rooms = Rooms()
    _, subscriber = rooms.subscribe("salon")
    drain(subscriber)
    rooms.notify({"event": "step", "conference": "salon", "step": "offer", "role": "owner", "endpoint": "secret"})
    assert drain(subscriber) == [Event("step", {"step": "offer", "role": "owner"})]


def test_a_tunnel_is_known_by_its_exact_name_and_port_only() -> None:
    rooms = Rooms()
    rooms.open("salon").tunnel = ("md.localhost", 8443)
    assert rooms.has_tunnel("md.localhost", 8443)
    assert not rooms.has_tunnel("MD.localhost", 8443)
    assert not rooms.has_tunnel("md.localhost", 8444)


def test_a_subscriber_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_QUEUED_EVENTS", 3)
    rooms = Rooms()
    room, subscriber = rooms.subscribe("salon")
    for _ in range(5):
        room.publish("step", {})
    assert drain(subscriber)[3:] == [None], "told once, and forgotten"
    assert room.subscribers == set()


def test_the_end_of_a_stream_that_was_cut_off_costs_those_who_came_later_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAXIMUM_QUEUED_EVENTS", 2)
    rooms = Rooms()
    old, stuck = rooms.subscribe("salon")
    old.publish("step", {})
    rooms.forget_if_unused(old)
    new, _ = rooms.subscribe("salon")
    assert new is not old
    new.subscribers.clear()
    rooms.unsubscribe(old, stuck)
    assert rooms.get("salon") is new


def test_listeners_of_a_room_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_SUBSCRIBERS", 1)
    rooms = Rooms()
    rooms.subscribe("salon")
    with pytest.raises(Problem, match="Too many"):
        rooms.subscribe("salon")


def test_rooms_with_a_conference_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_ROOMS", 1)
    rooms = Rooms()
    rooms.start(rooms.open("salon"))
    rooms.start(rooms.open("salon"))
    with pytest.raises(Problem, match="no room left"):
        rooms.start(rooms.open("kitchen"))
    rooms.subscribe("kitchen")


def test_rooms_that_are_only_listened_to_are_no_conferences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_ROOMS", 2)
    monkeypatch.setattr(module, "MAXIMUM_WAITING_ROOMS", 2)
    rooms = Rooms()
    rooms.start(rooms.open("salon"))
    for name in ("attic", "cellar"):
        rooms.subscribe(name)
    with pytest.raises(Problem, match="no room left"):
        rooms.subscribe("kitchen")
    rooms.subscribe("salon")
    rooms.start(rooms.open("kitchen"))
    rooms.subscribe("kitchen")


def test_notifications_for_unknown_conferences_are_ignored() -> None:
    Rooms().notify({"event": "ended", "conference": "nowhere"})
