"""What a payload must look like on the next hop: where its EKTField is, and what its OHB says.

    hop with a double profile     inner ciphertext ‖ tag ‖ OHB ‖ outer tag ‖ EKTField       (RFC 8870, Section 4.1)
    a browser's hop               inner ciphertext ‖ tag ‖ OHB ‖ EKTField ‖ outer tag

The profile of a hop says which, nothing is guessed from octets. Between two browsers a payload is opaque, and passes as
it is: a browser writes its whole OHB itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perc.errors import DecodeError
from perc.srtp.ekt_field import ShortEKTField, split_ekt_field
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.packet import RtpPacket


def split_field(octets: bytes) -> tuple[bytes, bytes]:
    """What stands before an EKTField, and the field as it is; `DecodeError` if there is none."""
    before, _ = split_ekt_field(octets)
    return before, octets[len(before) :]


@dataclass(frozen=True, slots=True)
class Carriage:
    """A packet behind its sender's hop, on its way to several others."""

    received: RtpPacket
    field: bytes | None
    """The EKTField that came behind the packet, from a hop with a double profile."""
    is_part_of_frame: bool
    """Whether OHB and EKTField belong to a whole frame, as those of a browser's video do."""

    def towards(self, outgoing: RtpPacket, *, is_double: bool) -> tuple[RtpPacket, bytes]:
        """The packet with its new header, and the EKTField behind it; `DecodeError` if it lacks what it needs."""
        if self.field is None:
            return self._from_browser(outgoing) if is_double else (outgoing, b"")
        # "The inner header has V=2, P=X=CC=0": what is padded is none of the double transform's packets.
        if outgoing.padding:
            raise DecodeError("padding behind an OHB")
        inner, block = OriginalHeaderBlock.split(outgoing.payload)
        payload = inner + block.covering(self.received, outgoing).write()
        if is_double:
            return replace(outgoing, payload=payload), self.field
        return replace(outgoing, payload=payload + self.field), b""

    def _from_browser(self, outgoing: RtpPacket) -> tuple[RtpPacket, bytes]:
        if self.is_part_of_frame:
            return outgoing, ShortEKTField().write()
        if outgoing.padding:
            raise DecodeError("padding behind an EKTField")
        payload, field = split_field(outgoing.payload)
        return replace(outgoing, payload=payload), field
