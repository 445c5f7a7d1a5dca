"""The Original Header Block at the end of a double-encrypted payload (RFC 8723, Section 4).

    OHB = [ PT ] [ SEQ ] Config                 PT: one octet, SEQ: two

    +-+-+-+-+-+-+-+-+
    |R R R R B M P Q|     P: PT is present           Q: SEQ is present
    +-+-+-+-+-+-+-+-+     M: marker bit is present   B: value of the marker bit

It is read from the end: the last octet says how long the block is. A Media Distributor may read and extend it; it
holds no key for what stands before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perc.errors import ApiMisuse, DecodeError
from perc.srtp.packet import RtpPacket
from perc.wire import Writer

_SEQ_PRESENT = 0x01
_PT_PRESENT = 0x02
_MARKER_PRESENT = 0x04
_MARKER_VALUE = 0x08
_RESERVED = 0xF0


@dataclass(frozen=True, slots=True)
class OriginalHeaderBlock:
    """Original values of the header fields that a Media Distributor may change; None where the block has none."""

    payload_type: int | None = None
    sequence_number: int | None = None
    marker: bool | None = None

    @classmethod
    def split(cls, payload: bytes) -> tuple[bytes, OriginalHeaderBlock]:
        """What stands before the block, and the block; `DecodeError` if the payload does not end in one."""
        if not payload:
            raise DecodeError("a payload without an OHB")
        config = payload[-1]
        _check_config(config)
        end = len(payload) - 1
        start = end - 2 * bool(config & _SEQ_PRESENT) - bool(config & _PT_PRESENT)
        if start < 0:
            raise DecodeError("the OHB is truncated")
        sequence_number = int.from_bytes(payload[end - 2 : end], "big") if config & _SEQ_PRESENT else None
        payload_type = payload[start] if config & _PT_PRESENT else None
        if payload_type is not None and payload_type > 0x7F:
            raise DecodeError(f"an OHB with payload type {payload_type}")
        marker = bool(config & _MARKER_VALUE) if config & _MARKER_PRESENT else None
        return payload[:start], cls(payload_type, sequence_number, marker)

    def write(self) -> bytes:
        """The block, one to four octets."""
        config, fields = 0, b""
        if self.payload_type is not None:
            if not 0 <= self.payload_type <= 0x7F:
                raise ApiMisuse(f"payload type {self.payload_type}")
            config, fields = config | _PT_PRESENT, bytes([self.payload_type])
        if self.sequence_number is not None:
            config, fields = config | _SEQ_PRESENT, fields + Writer().uint16(self.sequence_number).finish()
        if self.marker is not None:
            config |= _MARKER_PRESENT | (_MARKER_VALUE if self.marker else 0)
        return fields + bytes([config])

    def covering(self, received: RtpPacket, sent: RtpPacket) -> OriginalHeaderBlock:
        """The block that a Media Distributor sends when it changes the header of `received` into that of `sent`.

        "If the Media Distributor changed a field that is not already in the OHB, then it MUST add the original value
        of the field to the OHB. […] Otherwise, the Media Distributor MUST NOT modify the OHB" (RFC 8723, Section 5.2).
        The SHOULD in between, to drop a value that was restored, is not followed: a browser's block states its inner
        header from the start, and a value that stays is always right.
        """
        block = self
        if block.payload_type is None and sent.payload_type != received.payload_type:
            block = replace(block, payload_type=received.payload_type)
        if block.sequence_number is None and sent.sequence_number != received.sequence_number:
            block = replace(block, sequence_number=received.sequence_number)
        if block.marker is None and sent.marker != received.marker:
            block = replace(block, marker=received.marker)
        return block

    def restore(self, packet: RtpPacket) -> RtpPacket:
        """`packet` with "Header fields replaced with values from OHB (if any)" (RFC 8723, Section 5.3)."""
        return replace(
            packet,
            payload_type=packet.payload_type if self.payload_type is None else self.payload_type,
            sequence_number=packet.sequence_number if self.sequence_number is None else self.sequence_number,
            marker=packet.marker if self.marker is None else self.marker,
        )


def _check_config(config: int) -> None:
    # "R: Reserved, MUST be set to 0" (RFC 8723, Section 4).
    if config & _RESERVED:
        raise DecodeError(f"an OHB with reserved bits: {config:#04x}")
    # "If the marker bit is not present (M=0), then "B" MUST be set to zero." The text's mask for it, "C & 0x0C MUST NOT
    # have the value 0x80", cannot be meant; 0x08 is.
    if config & _MARKER_VALUE and not config & _MARKER_PRESENT:
        raise DecodeError("an OHB with the value of an absent marker bit")
