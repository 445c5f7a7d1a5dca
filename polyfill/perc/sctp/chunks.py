"""The chunks that a data channel's responder reads and writes (RFC 9260, Section 3.3).

INIT and INIT ACK, DATA and SACK have fields and get types of their own; the others are a type number and opaque octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from perc.errors import DecodeError
from perc.sctp.packet import Chunk, Parameter, read_parameters, write_parameters
from perc.wire import Reader, Writer

T_FLAG = 0x01
"""In ABORT and SHUTDOWN COMPLETE: the sender had no association, the verification tag is the reflected one."""


class ChunkType(IntEnum):
    """Chunk types (Section 3.2; RFC 6525 for RE_CONFIG)."""

    DATA = 0
    INIT = 1
    INIT_ACK = 2
    SACK = 3
    HEARTBEAT = 4
    HEARTBEAT_ACK = 5
    ABORT = 6
    SHUTDOWN = 7
    SHUTDOWN_ACK = 8
    ERROR = 9
    COOKIE_ECHO = 10
    COOKIE_ACK = 11
    SHUTDOWN_COMPLETE = 14
    RE_CONFIG = 130


class ParameterType(IntEnum):
    """Parameters of INIT and INIT ACK (Sections 3.3.2 and 3.3.3)."""

    STATE_COOKIE = 7
    UNRECOGNIZED_PARAMETER = 8


class ErrorCause(IntEnum):
    """Causes in ERROR and ABORT (Section 3.3.10)."""

    INVALID_STREAM_IDENTIFIER = 1
    STALE_COOKIE = 3
    UNRECOGNIZED_CHUNK_TYPE = 6
    INVALID_MANDATORY_PARAMETER = 7
    COOKIE_RECEIVED_WHILE_SHUTTING_DOWN = 10
    USER_INITIATED_ABORT = 12
    PROTOCOL_VIOLATION = 13


@dataclass(frozen=True, slots=True)
class Init:
    """The fields that INIT and INIT ACK share (Sections 3.3.2 and 3.3.3)."""

    initiate_tag: int
    receiver_window: int
    outbound_streams: int
    inbound_streams: int
    initial_tsn: int
    parameters: tuple[Parameter, ...] = ()

    @classmethod
    def read(cls, value: bytes) -> Init:
        """The fields and parameters of either chunk."""
        reader = Reader(value)
        tag, window, outbound = reader.uint32(), reader.uint32(), reader.uint16()
        inbound, tsn = reader.uint16(), reader.uint32()
        return cls(tag, window, outbound, inbound, tsn, read_parameters(reader.rest()))

    def write(self, chunk_type: ChunkType) -> Chunk:
        """As an INIT or an INIT ACK."""
        writer = Writer().uint32(self.initiate_tag).uint32(self.receiver_window).uint16(self.outbound_streams)
        writer.uint16(self.inbound_streams).uint32(self.initial_tsn).write(write_parameters(self.parameters))
        return Chunk(chunk_type, 0, writer.finish())


@dataclass(frozen=True, slots=True)
class Data:
    """One fragment of a message, or a whole one (Section 3.3.1).

    +-+-+-+-+-+-+-+-+
    | Res   |I|U|B|E|      I: acknowledge at once, U: unordered, B: first fragment, E: last fragment
    +-+-+-+-+-+-+-+-+
    """

    tsn: int
    stream_id: int
    stream_sequence_number: int
    payload_protocol: int
    fragment: bytes
    beginning: bool = True
    ending: bool = True
    unordered: bool = False
    immediate: bool = False

    @classmethod
    def read(cls, chunk: Chunk) -> Data:
        """A DATA chunk; reserved flags are ignored, as Section 3.3.1 wants it."""
        reader = Reader(chunk.value)
        tsn, stream_id, ssn, ppid = reader.uint32(), reader.uint16(), reader.uint16(), reader.uint32()
        bits = (bool(chunk.flags & flag) for flag in (0x02, 0x01, 0x04, 0x08))
        return cls(tsn, stream_id, ssn, ppid, reader.rest(), *bits)

    def write(self) -> Chunk:
        """The DATA chunk."""
        flags = self.immediate << 3 | self.unordered << 2 | self.beginning << 1 | self.ending
        writer = Writer().uint32(self.tsn).uint16(self.stream_id).uint16(self.stream_sequence_number)
        return Chunk(ChunkType.DATA, flags, writer.uint32(self.payload_protocol).write(self.fragment).finish())


@dataclass(frozen=True, slots=True)
class Sack:
    """What has arrived (Section 3.3.4); gaps are (first, last) offsets from the cumulative TSN, both inclusive."""

    cumulative_tsn: int
    receiver_window: int
    gaps: tuple[tuple[int, int], ...] = ()
    duplicates: tuple[int, ...] = ()

    @classmethod
    def read(cls, value: bytes) -> Sack:
        """A SACK; `DecodeError` unless its gap blocks are in order and apart, as a set that is read off a window is."""
        reader = Reader(value)
        cumulative_tsn, window, gap_count, duplicate_count = (
            reader.uint32(),
            reader.uint32(),
            reader.uint16(),
            reader.uint16(),
        )
        gaps = tuple((reader.uint16(), reader.uint16()) for _ in range(gap_count))
        duplicates = tuple(reader.uint32() for _ in range(duplicate_count))
        reader.expect_end()
        previous = 0
        for first, last in gaps:
            if not previous < first <= last:
                raise DecodeError("gap blocks out of order")
            previous = last
        return cls(cumulative_tsn, window, gaps, duplicates)

    def write(self) -> Chunk:
        """The SACK chunk."""
        writer = Writer().uint32(self.cumulative_tsn).uint32(self.receiver_window)
        writer.uint16(len(self.gaps)).uint16(len(self.duplicates))
        for first, last in self.gaps:
            writer.uint16(first).uint16(last)
        for tsn in self.duplicates:
            writer.uint32(tsn)
        return Chunk(ChunkType.SACK, 0, writer.finish())


def error_chunk(cause: ErrorCause, information: bytes) -> Chunk:
    """An ERROR with one cause (Section 3.3.10)."""
    return Chunk(ChunkType.ERROR, 0, Parameter(cause, information).write())


def abort_chunk(cause: ErrorCause, reason: str, flags: int = 0) -> Chunk:
    """An ABORT with one cause (Section 3.3.7)."""
    return Chunk(ChunkType.ABORT, flags, Parameter(cause, reason.encode()).write())
