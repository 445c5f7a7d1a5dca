"""A writer whose values are checked against their fields: what it writes, `Reader` reads."""

from __future__ import annotations

from perc.errors import ApiMisuse


class Writer:
    """Writes a message from front to back; methods return the writer, so that a structure reads as one expression.

    Values that do not fit their field raise `ApiMisuse`.
    """

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> Writer:
        """Octets as they are."""
        self._data += data
        return self

    def uint(self, value: int, length_bytes: int) -> Writer:
        """An unsigned integer of `length_bytes` octets, in network byte order."""
        try:
            self._data += value.to_bytes(length_bytes, "big")
        except OverflowError as error:
            raise ApiMisuse(f"{value} does not fit {length_bytes} octets") from error
        return self

    def uint8(self, value: int) -> Writer:
        """A uint8."""
        return self.uint(value, 1)

    def uint16(self, value: int) -> Writer:
        """A uint16."""
        return self.uint(value, 2)

    def uint24(self, value: int) -> Writer:
        """A uint24."""
        return self.uint(value, 3)

    def uint32(self, value: int) -> Writer:
        """A uint32."""
        return self.uint(value, 4)

    def uint64(self, value: int) -> Writer:
        """A uint64."""
        return self.uint(value, 8)

    def opaque(self, data: bytes, length_bytes: int, minimum: int = 0, maximum: int | None = None) -> Writer:
        """A variable-length vector `opaque<minimum..maximum>` behind a length of `length_bytes` octets."""
        if len(data) < minimum or (maximum is not None and len(data) > maximum):
            raise ApiMisuse(f"a vector of {len(data)} octets is out of its range")
        return self.uint(len(data), length_bytes).write(data)

    def finish(self) -> bytes:
        """Everything written so far."""
        return bytes(self._data)
