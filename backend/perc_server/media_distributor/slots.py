"""Which source is forwarded in which m-line of a receiver.

A source that has been given a slot keeps it until the source ends: "never move a live SSRC to another MID" is what
Chromium's demultiplexer asks for, and "never two live SSRCs on one MID" what its decoders do.
"""

from __future__ import annotations

from collections.abc import Iterable

from perc_server.media_distributor.answer import Slot, Source


class SlotTable:
    """The slots of one receiver, and the sources in them."""

    def __init__(self) -> None:
        self._slots: dict[str, Slot] = {}
        self._taken: dict[int, str] = {}
        self._owners: dict[str, str] = {}

    def replace(self, slots: Iterable[Slot]) -> None:
        """The slots of the latest answer. A source whose slot is gone waits for that slot, not for another."""
        self._slots = {slot.mid: slot for slot in slots}

    def slot_of(self, ssrc: int) -> Slot | None:
        """The slot that a source has now."""
        return self._slots.get(self._taken.get(ssrc, ""))

    def take(self, source: Source, owner: str) -> Slot | None:
        """The source's slot, a free one if it has none yet; None if there is none to be had."""
        if source.ssrc in self._taken:
            return self.slot_of(source.ssrc)
        occupied = set(self._taken.values())
        free = [slot for slot in self._slots.values() if slot.kind == source.kind and slot.mid not in occupied]
        if not free:
            return None
        slot = min(free, key=lambda candidate: self._rank(candidate, owner))
        self._taken[source.ssrc] = slot.mid
        self._owners[slot.mid] = owner
        return slot

    def release(self, ssrc: int) -> None:
        """The source ended; its slot is free for another."""
        mid = self._taken.pop(ssrc, None)
        if mid is not None:
            self._owners.pop(mid, None)

    def _rank(self, slot: Slot, owner: str) -> int:
        # Voice and picture of one person belong into one pair, which the browser plays in synchrony.
        partners = {
            self._owners[other.mid]
            for other in self._slots.values()
            if other.pair == slot.pair and other.mid in self._owners
        }
        if not partners:
            return 1
        return 0 if partners == {owner} else 2
