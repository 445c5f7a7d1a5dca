"""SCTP packets: common header, checksum, and chunks or parameters as type, length, value (RFC 9260, Section 3).

 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|      Source Port Number       |    Destination Port Number    |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                       Verification Tag                        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                           Checksum                            |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|  Chunk Type   |  Chunk Flags  |         Chunk Length          |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from perc.errors import DecodeError
from perc.sctp.crc32c import crc32c
from perc.wire import Reader, Writer

MAX_PACKET_LENGTH = 1100
"""Octets of a packet sent: with DTLS (37) and UDP over IPv6 (48) it stays under the 1200 that WebRTC assumes."""
COMMON_HEADER_LENGTH = 12
_CHUNK_HEADER_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its type, its flags, and what stands behind its header, without padding."""

    type: int
    flags: int
    value: bytes

    def write(self) -> bytes:
        """The chunk's octets, padded to four."""
        length = _CHUNK_HEADER_LENGTH + len(self.value)
        return Writer().uint8(self.type).uint8(self.flags).uint16(length).write(_padded(self.value)).finish()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a chunk, or one error cause: both have the same form (Sections 3.2.1 and 3.3.10)."""

    type: int
    value: bytes

    def write(self) -> bytes:
        """The parameter's octets, padded to four."""
        return Writer().uint16(self.type).uint16(4 + len(self.value)).write(_padded(self.value)).finish()


@dataclass(frozen=True, slots=True)
class Ports:
    """A packet's ports, as its sender sees them. Data channels use 5000 at both ends; nothing here depends on it."""

    source: int
    destination: int

    def reversed(self) -> Ports:
        """The ports of an answer."""
        return Ports(self.destination, self.source)


@dataclass(frozen=True, slots=True)
class SctpPacket:
    """A whole packet."""

    ports: Ports
    verification_tag: int
    chunks: tuple[Chunk, ...]

    @classmethod
    def read(cls, data: bytes) -> SctpPacket:
        """A packet with a correct checksum and at least one chunk; `DecodeError` for anything else."""
        if len(data) < COMMON_HEADER_LENGTH + _CHUNK_HEADER_LENGTH or len(data) % 4:
            raise DecodeError(f"an SCTP packet of {len(data)} octets")
        # The checksum is the one field in little-endian order (Appendix A).
        if int.from_bytes(data[8:12], "little") != crc32c(data[:8] + bytes(4) + data[12:]):
            raise DecodeError("the SCTP checksum is wrong")
        reader = Reader(data)
        ports, tag = Ports(reader.uint16(), reader.uint16()), reader.uint32()
        reader.read(4)
        chunks = []
        while reader.remaining:
            chunks.append(_read_chunk(reader))
        return cls(ports, tag, tuple(chunks))

    def write(self) -> bytes:
        """The packet's octets."""
        writer = Writer().uint16(self.ports.source).uint16(self.ports.destination).uint32(self.verification_tag)
        header, body = writer.finish(), b"".join(chunk.write() for chunk in self.chunks)
        return header + crc32c(header + bytes(4) + body).to_bytes(4, "little") + body


def read_parameters(data: bytes) -> tuple[Parameter, ...]:
    """All parameters in `data`; the padding of the last one may be missing, since a chunk's length excludes it."""
    reader = Reader(data + bytes(-len(data) % 4))
    parameters = []
    while reader.remaining:
        parameter_type, value = reader.uint16(), _read_value(reader, reader.uint16())
        parameters.append(Parameter(parameter_type, value))
    return tuple(parameters)


def write_parameters(parameters: Iterable[Parameter]) -> bytes:
    """The parameters one behind the other."""
    return b"".join(parameter.write() for parameter in parameters)


def _read_chunk(reader: Reader) -> Chunk:
    chunk_type, flags, length = reader.uint8(), reader.uint8(), reader.uint16()
    return Chunk(chunk_type, flags, _read_value(reader, length))


def _read_value(reader: Reader, length: int) -> bytes:
    if length < _CHUNK_HEADER_LENGTH:
        raise DecodeError(f"an SCTP length of {length} octets")
    value = reader.read(length - _CHUNK_HEADER_LENGTH)
    # "The Chunk Length field does not count any chunk padding" (Section 3.2).
    reader.read(-length % 4)
    return value


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
