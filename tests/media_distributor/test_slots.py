"""Slots: one source each, for as long as the source lives."""

from __future__ import annotations

from perc.srtp.packet import HeaderExtension
from perc_server.media_distributor.answer import Slot, Source
from perc_server.media_distributor.slots import SlotTable

EXTENSION = HeaderExtension(0xBEDE, b"")
ALL = [Slot(f"{kind[0]}{pair}", kind, pair, 96, EXTENSION) for pair in range(3) for kind in ("audio", "video")]


def table() -> SlotTable:
    slots = SlotTable()
    slots.replace(ALL)
    return slots


def audio(ssrc: int) -> Source:
    return Source(ssrc, "audio", "0", 111)


def video(ssrc: int) -> Source:
    return Source(ssrc, "video", "1", 96)


def mid(slot: Slot | None) -> str | None:
    return slot.mid if slot else None


def test_voice_and_picture_of_one_person_are_a_pair() -> None:
    slots = table()
    assert mid(slots.take(video(1), "alice")) == "v0"
    assert mid(slots.take(audio(2), "bob")) == "a1"
    assert mid(slots.take(audio(3), "alice")) == "a0"
    assert mid(slots.take(video(4), "bob")) == "v1"


def test_a_second_picture_takes_an_empty_pair() -> None:
    slots = table()
    slots.take(audio(1), "alice")
    slots.take(video(2), "alice")
    assert mid(slots.take(video(3), "alice")) == "v1"


def test_strangers_share_a_pair_only_when_nothing_else_is_free() -> None:
    slots = table()
    for ssrc, owner in enumerate(("alice", "bob", "carol"), 1):
        slots.take(video(ssrc), owner)
    assert mid(slots.take(audio(9), "dave")) == "a0"


def test_a_source_keeps_its_slot() -> None:
    slots = table()
    first = slots.take(audio(1), "alice")
    slots.take(audio(2), "bob")
    assert slots.take(audio(1), "alice") == first


def test_no_slot_holds_two_sources() -> None:
    slots = table()
    taken = [mid(slots.take(video(ssrc), "alice")) for ssrc in range(1, 5)]
    assert taken == ["v0", "v1", "v2", None]


def test_a_freed_slot_is_taken_again() -> None:
    slots = table()
    for ssrc in range(1, 4):
        slots.take(video(ssrc), "alice")
    slots.release(2)
    assert mid(slots.take(video(7), "bob")) == "v1"


def test_a_live_source_never_moves_to_another_mid() -> None:
    slots = table()
    slots.take(audio(1), "alice")
    slots.replace([slot for slot in ALL if slot.mid != "a0"])
    assert slots.take(audio(1), "alice") is None, "it waits for its own slot"
    assert mid(slots.take(audio(2), "bob")) == "a1"
    slots.replace(ALL)
    assert mid(slots.take(audio(1), "alice")) == "a0"
