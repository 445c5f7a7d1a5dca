"""SCTP: packets, the chunks with fields, parameters and cookies."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from perc.errors import DecodeError
from perc.sctp.chunks import ChunkType, Data, Init, Sack
from perc.sctp.cookie import StateCookie
from perc.sctp.crc32c import crc32c
from perc.sctp.packet import Chunk, Ports, SctpPacket, read_parameters, write_parameters
from tests.fuzz.target import Target, reads
from tests.sctp.client import CHROMIUM_INIT, PORTS

_SECRET = bytes(32)


def with_checksum(data: bytes) -> bytes:
    """The same packet with the checksum that belongs to it: it keeps out noise, and is no secret."""
    return data[:8] + crc32c(data[:8] + bytes(4) + data[12:]).to_bytes(4, "little") + data[12:]


def packets(data: bytes) -> None:
    packet = reads(SctpPacket.read, with_checksum(data), SctpPacket.write)
    for chunk in packet.chunks if packet is not None else ():
        match chunk.type:
            case ChunkType.DATA:
                with suppress(DecodeError):
                    data_chunk = Data.read(chunk)
                    assert Data.read(data_chunk.write()) == data_chunk
            case ChunkType.SACK:
                reads(Sack.read, chunk.value, lambda sack: sack.write().value)
            case ChunkType.INIT | ChunkType.INIT_ACK:
                reads(Init.read, chunk.value, lambda init: init.write(ChunkType.INIT).value)
            case ChunkType.COOKIE_ECHO:
                reads(lambda value: StateCookie.open(_SECRET, value), chunk.value, lambda each: each.seal(_SECRET))
            case _:
                reads(read_parameters, chunk.value, write_parameters)


def seeds() -> Iterable[bytes]:
    cookie = StateCookie(Ports(1, 2), 3, 4, 5, 6, 7, 8.0).seal(_SECRET)
    chunks = (
        CHROMIUM_INIT.write(ChunkType.INIT),
        Data(1, 0, 0, 53, b"message").write(),
        Sack(7, 65536, ((2, 3), (5, 9)), (4, 4)).write(),
        Chunk(ChunkType.COOKIE_ECHO, 0, cookie),
        Chunk(ChunkType.RE_CONFIG, 0, b"\x00\x0d\x00\x10" + bytes(12)),
        Chunk(ChunkType.HEARTBEAT, 0, b"\x00\x01\x00\x08echo"),
    )
    for chunk in chunks:
        yield SctpPacket(PORTS, 1, (chunk,)).write()
    yield SctpPacket(PORTS, 1, chunks[1:]).write()


TARGETS = (Target("sctp-packets", packets, seeds),)
