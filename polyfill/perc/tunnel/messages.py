"""Tunnel messages between Media Distributor and Key Distributor (RFC 9185, Section 6).

Bytes become frozen values here and nowhere else. The message types 6, 7 and 8 are this project's: RFC 9185 leaves
0x06 to 0xFF free, and draft-roach-perc-webrtc names sign_answer and sign_answer_ack without numbers:

    struct { opaque offer<1..2^24-1>; opaque answer<1..2^24-1>; } SignAnswer;                // 6
    struct { opaque answer<1..2^24-1>; } SignAnswerAck;                                      // 7
    struct { opaque origin<1..255>; opaque reason<0..2^12-1>; } SignAnswerReject;            // 8

The 24-bit lengths stand inside a TunnelMessage of 16 bits, which is what limits an offer and its answer in truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, get_args
from uuid import UUID

from perc.errors import ApiMisuse, DecodeError
from perc.srtp.profiles import SRTPProtectionProfile
from perc.wire import Reader, Writer

VERSION = 0
"""The one version of the protocol that there is (RFC 9185, Section 6.2)."""

MAX_BODY = 2**16 - 1
"""Octets of a message's body: `length` is a uint16 (RFC 9185, Section 6.1)."""

MAX_REASON = 2**12 - 1
"""Octets of the reason in a sign_answer_reject: a sentence for a person, not a channel."""


class MsgType(IntEnum):
    """Types of tunnel messages (RFC 9185, Section 8, and this module's docstring)."""

    SUPPORTED_PROFILES = 1
    UNSUPPORTED_VERSION = 2
    MEDIA_KEYS = 3
    TUNNELED_DTLS = 4
    ENDPOINT_DISCONNECT = 5
    SIGN_ANSWER = 6
    SIGN_ANSWER_ACK = 7
    SIGN_ANSWER_REJECT = 8


class MessageTooLarge(ApiMisuse):
    """A message does not fit the tunnel's 16-bit length; nothing of it was sent."""


@dataclass(frozen=True, slots=True)
class SupportedProfiles:
    """What the Media Distributor speaks (RFC 9185, Section 6.2); it may know profiles that perc does not."""

    profiles: tuple[int, ...]
    version: int = VERSION
    msg_type: ClassVar = MsgType.SUPPORTED_PROFILES

    @classmethod
    def _read(cls, reader: Reader) -> SupportedProfiles:
        version = reader.uint8()
        if version != VERSION:
            reader.rest()  # another version may lay out the rest as it likes
            return cls((), version)
        profiles = reader.vector(2)
        values = tuple(profiles.uint16() for _ in range(profiles.remaining // 2))
        profiles.expect_end()
        return cls(values)

    def _write(self, writer: Writer) -> None:
        profiles = Writer()
        for profile in self.profiles:
            profiles.uint16(profile)
        writer.uint8(self.version).opaque(profiles.finish(), 2)


@dataclass(frozen=True, slots=True)
class UnsupportedVersion:
    """The Key Distributor's answer to a version that it does not speak (RFC 9185, Section 6.3)."""

    highest_version: int
    msg_type: ClassVar = MsgType.UNSUPPORTED_VERSION

    @classmethod
    def _read(cls, reader: Reader) -> UnsupportedVersion:
        version = reader.uint8()
        reader.rest()  # "The rest of the data received, if any, would be discarded" (RFC 9185, Section 5.5)
        return cls(version)

    def _write(self, writer: Writer) -> None:
        writer.uint8(self.highest_version)


@dataclass(frozen=True, slots=True)
class MediaKeys:
    """Hop-by-hop keys of one DTLS association (RFC 9185, Section 6.4); an empty `mki` says that there is none."""

    association_id: UUID
    profile: SRTPProtectionProfile
    client_write_key: bytes = field(repr=False)
    server_write_key: bytes = field(repr=False)
    client_write_salt: bytes = field(repr=False)
    server_write_salt: bytes = field(repr=False)
    mki: bytes = b""
    msg_type: ClassVar = MsgType.MEDIA_KEYS

    @classmethod
    def _read(cls, reader: Reader) -> MediaKeys:
        association_id = UUID(bytes=reader.read(16))
        profile = _read_profile(reader)
        mki = reader.opaque(1)
        client_key, server_key, client_salt, server_salt = (reader.opaque(1, minimum=1) for _ in range(4))
        return cls(association_id, profile, client_key, server_key, client_salt, server_salt, mki)

    def _write(self, writer: Writer) -> None:
        writer.write(self.association_id.bytes).uint16(self.profile).opaque(self.mki, 1)
        writer.opaque(self.client_write_key, 1, minimum=1).opaque(self.server_write_key, 1, minimum=1)
        writer.opaque(self.client_write_salt, 1, minimum=1).opaque(self.server_write_salt, 1, minimum=1)


@dataclass(frozen=True, slots=True)
class TunneledDtls:
    """One datagram of an endpoint's DTLS association, either way (RFC 9185, Section 6.5)."""

    association_id: UUID
    dtls_message: bytes = field(repr=False)
    msg_type: ClassVar = MsgType.TUNNELED_DTLS

    @classmethod
    def _read(cls, reader: Reader) -> TunneledDtls:
        return cls(UUID(bytes=reader.read(16)), reader.opaque(2))

    def _write(self, writer: Writer) -> None:
        writer.write(self.association_id.bytes).opaque(self.dtls_message, 2, maximum=MAX_BODY)


@dataclass(frozen=True, slots=True)
class EndpointDisconnect:
    """The end of an association, said by whoever ended it (RFC 9185, Section 6.6)."""

    association_id: UUID
    msg_type: ClassVar = MsgType.ENDPOINT_DISCONNECT

    @classmethod
    def _read(cls, reader: Reader) -> EndpointDisconnect:
        return cls(UUID(bytes=reader.read(16)))

    def _write(self, writer: Writer) -> None:
        writer.write(self.association_id.bytes)


@dataclass(frozen=True, slots=True)
class SignAnswer:
    """An endpoint's offer and the Media Distributor's answer, to be validated and signed; SDP in UTF-8."""

    offer: bytes
    answer: bytes
    msg_type: ClassVar = MsgType.SIGN_ANSWER

    @classmethod
    def _read(cls, reader: Reader) -> SignAnswer:
        return cls(reader.opaque(3, minimum=1), reader.opaque(3, minimum=1))

    def _write(self, writer: Writer) -> None:
        writer.opaque(self.offer, 3, minimum=1).opaque(self.answer, 3, minimum=1)


@dataclass(frozen=True, slots=True)
class SignAnswerAck:
    """The answer with the Key Distributor's `a=identity`; its `o=` line says which sign_answer it belongs to."""

    answer: bytes
    msg_type: ClassVar = MsgType.SIGN_ANSWER_ACK

    @classmethod
    def _read(cls, reader: Reader) -> SignAnswerAck:
        return cls(reader.opaque(3, minimum=1))

    def _write(self, writer: Writer) -> None:
        writer.opaque(self.answer, 3, minimum=1)


@dataclass(frozen=True, slots=True)
class SignAnswerReject:
    """An answer that is not signed: the value of its `o=` line, and why."""

    origin: str
    reason: str
    msg_type: ClassVar = MsgType.SIGN_ANSWER_REJECT

    @classmethod
    def _read(cls, reader: Reader) -> SignAnswerReject:
        return cls(_decode_utf8(reader.opaque(1, minimum=1)), _decode_utf8(reader.opaque(2, maximum=MAX_REASON)))

    def _write(self, writer: Writer) -> None:
        writer.opaque(self.origin.encode(), 1, minimum=1).opaque(self.reason.encode(), 2, maximum=MAX_REASON)


Message = (
    SupportedProfiles
    | UnsupportedVersion
    | MediaKeys
    | TunneledDtls
    | EndpointDisconnect
    | SignAnswer
    | SignAnswerAck
    | SignAnswerReject
)

_MESSAGES: dict[int, type[Message]] = {message.msg_type: message for message in get_args(Message)}


def write_message(message: Message) -> bytes:
    """The TunnelMessage on the wire; `MessageTooLarge` if it does not fit, `ApiMisuse` for values out of range."""
    writer = Writer()
    message._write(writer)
    body = writer.finish()
    if len(body) > MAX_BODY:
        raise MessageTooLarge(f"a {message.msg_type.name.lower()} of {len(body)} octets; the tunnel takes {MAX_BODY}")
    return Writer().uint8(message.msg_type).opaque(body, 2).finish()


def read_body(msg_type: int, body: bytes) -> Message | None:
    """The message of one body, or None for a type that is not known here; `DecodeError` unless all of it is right."""
    if msg_type not in _MESSAGES:
        return None
    reader = Reader(body)
    message = _MESSAGES[msg_type]._read(reader)
    reader.expect_end()
    return message


def _read_profile(reader: Reader) -> SRTPProtectionProfile:
    value = reader.uint16()
    try:
        return SRTPProtectionProfile(value)
    except ValueError:
        raise DecodeError(f"protection profile {value:#06x} is none of PERC's") from None


def _decode_utf8(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise DecodeError("text that is not UTF-8") from None
