"""Messages of the key channel, the data channel between an endpoint and the Key Distributor (docs/key-channel.md).

A browser has neither the EKT extension nor its handshake message, so the Key Distributor speaks on a data channel of
the same DTLS association. Every message has the header of a handshake message (RFC 8446, Section 4), and ekt_key is
octet for octet the handshake message of RFC 8870:

    struct {
        uint8 type;         26 ekt_key, 240 roster, 241 announce, 242 ekt_key_ack
        uint24 length;
        select (type) { … }
    } KeyChannelMessage;

Bytes become frozen values here and nowhere else; who may say what, and when, is decided in `key_distributor`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias

from perc.ekt.ekt_key import EktKey
from perc.errors import ApiMisuse, DecodeError, IllegalParameter
from perc.wire import Reader, Writer

MAX_MESSAGE_LENGTH = 65536
"""Octets of a whole message: what the SCTP responder reassembles, and far above a roster of the largest conference."""
MAX_IDENTITY_LENGTH = 1024
"""Octets of an identity `user@host`: 253 of a host name, and a generous user name."""
MEMBER_ID_LENGTH = 16


class MessageType(IntEnum):
    """Handshake type ekt_key of RFC 8870, and this project's own from the end of the range that TLS leaves free."""

    EKT_KEY = 26
    ROSTER = 240
    ANNOUNCE = 241
    EKT_KEY_ACK = 242


class MediaKind(IntEnum):
    """What a source carries."""

    AUDIO = 0
    VIDEO = 1


class SourceOrigin(IntEnum):
    """What a source shows: the person (camera or microphone) or their screen."""

    PERSON = 0
    SCREEN = 1


@dataclass(frozen=True, slots=True)
class Source:
    """One SSRC of an endpoint: struct { uint32 ssrc; uint8 kind; uint8 source; }."""

    ssrc: int
    kind: MediaKind
    source: SourceOrigin


@dataclass(frozen=True, slots=True)
class Member:
    """One endpoint in the roster.

    struct { opaque id[16]; opaque identity<1..2^10>; uint64 verified_at; uint16 spi; Source sources<0..2^16-1>; }.
    `verified_at` is in Unix seconds; `spi` is the newest EKTKey that the endpoint has acknowledged.
    """

    id: bytes
    identity: str
    verified_at: int
    spi: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is in the conference: struct { uint32 version; opaque you[16]; Member members<0..2^24-1>; }.

    `you` is the receiver's own id; `version` rises with every change.
    """

    version: int
    you: bytes
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """All SSRCs that an endpoint sends or is about to send: struct { Source sources<0..2^16-1>; }."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class EktKeyAck:
    """The endpoint holds the EKTKey with this SPI: struct { uint16 spi; }."""

    spi: int


KeyChannelMessage: TypeAlias = EktKey | Roster | Announce | EktKeyAck


def read_message(data: bytes) -> KeyChannelMessage:
    """One whole message; `DecodeError` or `IllegalParameter` for anything that is not exactly that."""
    if len(data) > MAX_MESSAGE_LENGTH:
        raise DecodeError(f"a message of {len(data)} octets")
    reader = Reader(data)
    message_type = reader.uint8()
    body = reader.opaque(3)
    reader.expect_end()
    if message_type not in _READERS:
        raise DecodeError(f"message type {message_type} is not known")
    return _READERS[message_type](body)


def write_message(message: KeyChannelMessage) -> bytes:
    """The octets of one message; `ApiMisuse` if it has a value that does not fit or grows beyond the limit."""
    match message:
        case EktKey():
            message_type, body = MessageType.EKT_KEY, message.write()
        case Roster():
            message_type, body = MessageType.ROSTER, _write_roster(message)
        case Announce():
            message_type, body = MessageType.ANNOUNCE, _write_sources(Writer(), message.sources).finish()
        case EktKeyAck():
            message_type, body = MessageType.EKT_KEY_ACK, Writer().uint16(message.spi).finish()
    data = Writer().uint8(message_type).opaque(body, 3).finish()
    if len(data) > MAX_MESSAGE_LENGTH:
        raise ApiMisuse(f"a message of {len(data)} octets")
    return data


def _read_roster(body: bytes) -> Roster:
    reader = Reader(body)
    version, you = reader.uint32(), reader.read(MEMBER_ID_LENGTH)
    entries = reader.vector(3)
    reader.expect_end()
    members = []
    while entries.remaining:
        members.append(_read_member(entries))
    return Roster(version, you, tuple(members))


def _write_roster(roster: Roster) -> bytes:
    members = _write_members(roster.members)
    return Writer().uint32(roster.version).write(_member_id(roster.you)).opaque(members, 3).finish()


@lru_cache(maxsize=1)
def _write_members(members: tuple[Member, ...]) -> bytes:
    """Written once for everyone who is told of the same members."""
    entries = Writer()
    for member in members:
        _write_member(entries, member)
    return entries.finish()


def _read_member(reader: Reader) -> Member:
    member_id = reader.read(MEMBER_ID_LENGTH)
    try:
        identity = reader.opaque(2, 1, MAX_IDENTITY_LENGTH).decode()
    except UnicodeDecodeError as error:
        raise DecodeError("an identity that is not UTF-8") from error
    verified_at, spi = reader.uint64(), reader.uint16()
    return Member(member_id, identity, verified_at, spi, _read_sources(reader))


def _write_member(writer: Writer, member: Member) -> None:
    writer.write(_member_id(member.id)).opaque(member.identity.encode(), 2, 1, MAX_IDENTITY_LENGTH)
    _write_sources(writer.uint64(member.verified_at).uint16(member.spi), member.sources)


def _member_id(value: bytes) -> bytes:
    if len(value) != MEMBER_ID_LENGTH:
        raise ApiMisuse(f"a member id of {len(value)} octets")
    return value


def _read_announce(body: bytes) -> Announce:
    reader = Reader(body)
    sources = _read_sources(reader)
    reader.expect_end()
    return Announce(sources)


def _read_ekt_key_ack(body: bytes) -> EktKeyAck:
    reader = Reader(body)
    spi = reader.uint16()
    reader.expect_end()
    return EktKeyAck(spi)


def _read_sources(reader: Reader) -> tuple[Source, ...]:
    entries = reader.vector(2)
    sources = []
    while entries.remaining:
        ssrc, kind, source = entries.uint32(), entries.uint8(), entries.uint8()
        try:
            sources.append(Source(ssrc, MediaKind(kind), SourceOrigin(source)))
        except ValueError as error:
            raise IllegalParameter(f"a source of kind {kind} from {source}") from error
    return tuple(sources)


def _write_sources(writer: Writer, sources: tuple[Source, ...]) -> Writer:
    entries = Writer()
    for source in sources:
        entries.uint32(source.ssrc).uint8(source.kind).uint8(source.source)
    return writer.opaque(entries.finish(), 2)


_READERS: dict[int, Callable[[bytes], KeyChannelMessage]] = {
    MessageType.EKT_KEY: EktKey.read,
    MessageType.ROSTER: _read_roster,
    MessageType.ANNOUNCE: _read_announce,
    MessageType.EKT_KEY_ACK: _read_ekt_key_ack,
}
