"""RTP packets as frozen values (RFC 3550, Section 5.1).

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                           timestamp                           |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |           synchronization source (SSRC) identifier            |
    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    |            contributing source (CSRC) identifiers …           |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

SRTP encrypts the padding with the payload, so both are one field here: only whoever decrypts can tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import ApiMisuse, DecodeError

FIXED_HEADER_LENGTH = 12
MAX_PACKET_LENGTH = 2048
"""Octets of one packet: above any path MTU in use, and a bound on what one datagram can cost."""
MAX_EXTENSION_LENGTH = 1024
"""Octets of header-extension data: sixteen one-byte elements of the largest size fill a quarter of it."""
MAX_CSRCS = 15


@dataclass(frozen=True, slots=True)
class HeaderExtension:
    """The header extension: what `profile` announces (RFC 8285), and data in whole 32-bit words."""

    profile: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """An RTP packet, or an SRTP packet whose `payload` is the encrypted part and what follows it."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    padding: bool = False
    csrcs: tuple[int, ...] = ()
    extension: HeaderExtension | None = None

    @classmethod
    def read(cls, data: bytes) -> RtpPacket:
        """A packet; `DecodeError` for anything that is not RTP version 2, or larger than this project ever sends."""
        if not FIXED_HEADER_LENGTH <= len(data) <= MAX_PACKET_LENGTH:
            raise DecodeError(f"an RTP packet of {len(data)} octets")
        if data[0] >> 6 != 2:
            raise DecodeError(f"RTP version {data[0] >> 6}")
        csrcs, position = _read_csrcs(data)
        extension = None
        if data[0] & 0x10:
            extension, position = _read_extension(data, position)
        return cls(
            payload_type=data[1] & 0x7F,
            sequence_number=int.from_bytes(data[2:4], "big"),
            timestamp=int.from_bytes(data[4:8], "big"),
            ssrc=int.from_bytes(data[8:12], "big"),
            payload=data[position:],
            marker=bool(data[1] & 0x80),
            padding=bool(data[0] & 0x20),
            csrcs=csrcs,
            extension=extension,
        )

    def write(self) -> bytes:
        """The octets of the packet; `ApiMisuse` if a field does not fit."""
        return self.write_header() + self.payload

    def write_header(self, *, extension: bool = True) -> bytes:
        """The header, or without `extension` the synthetic header of RFC 8723, Section 5.1: "The X bit is set to
        zero. The header is truncated to remove any extensions"."""
        written = self.extension if extension else None
        try:
            header = bytes([0x80 | self.padding << 5 | (written is not None) << 4 | _count(self.csrcs)])
            header += bytes([self.marker << 7 | _seven_bits(self.payload_type)]) + self.sequence_number.to_bytes(
                2, "big"
            )
            header += self.timestamp.to_bytes(4, "big") + self.ssrc.to_bytes(4, "big")
            header += b"".join(csrc.to_bytes(4, "big") for csrc in self.csrcs)
        except (OverflowError, ValueError) as error:
            raise ApiMisuse(f"an RTP header field is out of its range: {self!r}") from error
        return header + (b"" if written is None else _write_extension(written))


def _read_csrcs(data: bytes) -> tuple[tuple[int, ...], int]:
    end = FIXED_HEADER_LENGTH + 4 * (data[0] & 0x0F)
    if end > len(data):
        raise DecodeError("the CSRC list is truncated")
    return tuple(int.from_bytes(data[at : at + 4], "big") for at in range(FIXED_HEADER_LENGTH, end, 4)), end


def _read_extension(data: bytes, position: int) -> tuple[HeaderExtension, int]:
    start = position + 4
    end = start + 4 * int.from_bytes(data[position + 2 : start], "big")
    if start > len(data) or end > len(data):
        raise DecodeError("the header extension is truncated")
    if end - start > MAX_EXTENSION_LENGTH:
        raise DecodeError(f"a header extension of {end - start} octets")
    return HeaderExtension(int.from_bytes(data[position : position + 2], "big"), data[start:end]), end


def _write_extension(extension: HeaderExtension) -> bytes:
    words, rest = divmod(len(extension.data), 4)
    if rest or len(extension.data) > MAX_EXTENSION_LENGTH:
        raise ApiMisuse(f"a header extension of {len(extension.data)} octets")
    return extension.profile.to_bytes(2, "big") + words.to_bytes(2, "big") + extension.data


def _count(csrcs: tuple[int, ...]) -> int:
    if len(csrcs) > MAX_CSRCS:
        raise ValueError("a header has room for fifteen CSRCs")
    return len(csrcs)


def _seven_bits(value: int) -> int:
    if not 0 <= value < 0x80:
        raise ValueError("a payload type has seven bits")
    return value
