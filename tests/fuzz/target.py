"""What a fuzz target is, and the one property that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from perc.errors import PeerError

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """`run` takes any octets and raises only for a defect; `seeds` are valid inputs to start from."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def reads(read: Callable[[bytes], T], data: bytes, write: Callable[[T], bytes] | None = None) -> T | None:
    """`data` is read or refused with a PeerError; what was read is read again from what `write` makes of it."""
    try:
        value = read(data)
    except PeerError:
        return None
    if write is not None:
        again = read(write(value))
        if again != value:
            raise AssertionError(f"{value!r} was written and came back as {again!r}")
    return value


def pack(*parts: bytes) -> bytes:
    """Several octet strings in one input, as `Script.part` reads them."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


class Script:
    """An input as a list of decisions. It never ends early: what is missing is zero, and `is_over` says so."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def is_over(self) -> bool:
        return self._position >= len(self._data)

    def octets(self, length: int) -> bytes:
        taken = self._data[self._position : self._position + length]
        self._position += length
        return taken

    def number(self, length: int = 1) -> int:
        return int.from_bytes(self.octets(length), "big")

    def part(self) -> bytes:
        return self.octets(self.number(2))

    def damaged(self, octets: bytes) -> bytes:
        """`octets` with a part replaced by another: nothing, if both are empty."""
        start, removed, inserted = self.number(2), self.number(), self.octets(self.number())
        start = min(start, len(octets))
        return octets[:start] + inserted + octets[start + removed :]
