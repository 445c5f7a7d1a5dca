"""TunnelMessages out of a stream of octets (RFC 9185, Section 6.1)."""

from __future__ import annotations

from perc.errors import DecodeError
from perc.tunnel.messages import Message, read_body

_HEADER_LENGTH = 3


class MessageReader:
    """Takes messages out of a stream that is cut anywhere; of an incomplete message it holds at most 64 KiB."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def octets_held(self) -> int:
        """How much of messages that are still to be read is kept."""
        return len(self._buffer)

    def receive_data(self, data: bytes) -> None:
        """More of the stream."""
        self._buffer += data

    def next_message(self) -> Message | None:
        """The next complete message, or None until there is more; `DecodeError` for one that is not what it claims.

        RFC 9185 has no rule for types that a receiver does not know. They are skipped, which is what the length in
        front of every body is for: an end without the sign_answer messages can talk to one that has them.
        """
        while (end := self._end_of_first()) is not None:
            msg_type, body = self._buffer[0], bytes(self._buffer[_HEADER_LENGTH:end])
            del self._buffer[:end]
            message = read_body(msg_type, body)
            if message is not None:
                return message
        return None

    def _end_of_first(self) -> int | None:
        # "The value 0x00 is reserved" (RFC 9185, Section 8).
        if self._buffer and self._buffer[0] == 0:
            raise DecodeError("message type 0 is reserved")
        if len(self._buffer) < _HEADER_LENGTH:
            return None
        end = _HEADER_LENGTH + int.from_bytes(self._buffer[1:_HEADER_LENGTH], "big")
        return end if len(self._buffer) >= end else None
