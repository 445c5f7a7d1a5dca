"""A strict reader over one message: every octet is accounted for or the message is refused."""

from __future__ import annotations

from perc.errors import DecodeError


class Reader:
    """Reads a message from front to back.

    Every method raises `DecodeError` when the message is too short or a length is out of its range; the caller ends
    with `expect_end()`, so that trailing octets are an error too.
    """

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = bytes(data)
        self._position = 0

    @property
    def remaining(self) -> int:
        """Octets not yet read."""
        return len(self._data) - self._position

    def read(self, length: int) -> bytes:
        """Exactly `length` octets."""
        start = self._position
        octets = self._data[start : start + length]
        if len(octets) != length:
            raise DecodeError(f"{length} octets expected, {self.remaining} left")
        self._position = start + length
        return octets

    def uint(self, length_bytes: int) -> int:
        """An unsigned integer of `length_bytes` octets, in network byte order."""
        return int.from_bytes(self.read(length_bytes), "big")

    def uint8(self) -> int:
        """A uint8."""
        return int.from_bytes(self.read(1), "big")

    def uint16(self) -> int:
        """A uint16."""
        return int.from_bytes(self.read(2), "big")

    def uint24(self) -> int:
        """A uint24."""
        return int.from_bytes(self.read(3), "big")

    def uint32(self) -> int:
        """A uint32."""
        return int.from_bytes(self.read(4), "big")

    def uint64(self) -> int:
        """A uint64."""
        return int.from_bytes(self.read(8), "big")

    def opaque(self, length_bytes: int, minimum: int = 0, maximum: int | None = None) -> bytes:
        """A variable-length vector `opaque<minimum..maximum>` behind a length of `length_bytes` octets."""
        length = int.from_bytes(self.read(length_bytes), "big")
        if length < minimum or (maximum is not None and length > maximum):
            raise DecodeError(f"a vector of {length} octets is out of its range")
        return self.read(length)

    def vector(self, length_bytes: int, minimum: int = 0, maximum: int | None = None) -> Reader:
        """The same, as a reader of its own over the vector's octets."""
        return Reader(self.opaque(length_bytes, minimum, maximum))

    def rest(self) -> bytes:
        """All octets that are left, possibly none."""
        return self.read(self.remaining)

    def expect_end(self) -> None:
        """Raise `DecodeError` if anything is left."""
        if self.remaining:
            raise DecodeError(f"{self.remaining} trailing octets")
