"""The tunnel's stream, in either direction, cut in two; and each message on its own."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.end import TunnelEnd, TunnelFailed
from perc.tunnel.key_distributor_end import KeyDistributorEnd
from perc.tunnel.media_distributor_end import MediaDistributorEnd
from perc.tunnel.messages import (
    MAX_BODY,
    EndpointDisconnect,
    MediaKeys,
    SignAnswer,
    SignAnswerAck,
    SignAnswerReject,
    SupportedProfiles,
    TunneledDtls,
    UnsupportedVersion,
    read_body,
    write_message,
)
from perc.tunnel.origin import origin_of
from tests.fuzz.target import Target, reads

_ID = UUID(int=1)
_ANSWER = b"v=0\no=- 1 1 IN IP4 0.0.0.0\n"
_PROFILES = (0x000A, 0x0009, 0x0008, 0x0007)


def _stream(end: TunnelEnd, data: bytes) -> None:
    half, failed = len(data) // 2, False
    for portion in (data[:half], data[half:]):
        events = end.receive_data(portion)
        assert not (failed and events), "an end that has failed is silent"
        failed = failed or any(isinstance(event, TunnelFailed) for event in events)
        assert failed or end.octets_held <= 3 + MAX_BODY


def key_distributor(data: bytes) -> None:
    _stream(KeyDistributorEnd(), data)


def media_distributor(data: bytes) -> None:
    end = MediaDistributorEnd(_PROFILES)
    end.send(SignAnswer(b"offer", _ANSWER))
    _stream(end, data)


def messages(data: bytes) -> None:
    msg_type = (data or b"\0")[0]
    reads(lambda body: read_body(msg_type, body), data[1:], lambda m: b"" if m is None else write_message(m)[3:])
    reads(origin_of, data[1:])


_FROM_MEDIA_DISTRIBUTOR = (
    SupportedProfiles(_PROFILES),
    TunneledDtls(_ID, b"datagram"),
    SignAnswer(b"offer", _ANSWER),
    EndpointDisconnect(_ID),
)
_FROM_KEY_DISTRIBUTOR = (
    MediaKeys(_ID, SRTPProtectionProfile.AEAD_AES_128_GCM, bytes(16), bytes(16), bytes(12), bytes(12)),
    TunneledDtls(_ID, b"datagram"),
    SignAnswerAck(_ANSWER),
    SignAnswerReject("- 1 1 IN IP4 0.0.0.0", "a reason"),
    EndpointDisconnect(_ID),
    UnsupportedVersion(0),
)


def from_media_distributor() -> Iterable[bytes]:
    yield b"".join(map(write_message, _FROM_MEDIA_DISTRIBUTOR))
    yield write_message(SupportedProfiles((), version=1))


def from_key_distributor() -> Iterable[bytes]:
    yield b"".join(map(write_message, _FROM_KEY_DISTRIBUTOR))


def message_seeds() -> Iterable[bytes]:
    for message in (*_FROM_MEDIA_DISTRIBUTOR, *_FROM_KEY_DISTRIBUTOR):
        octets = write_message(message)
        yield octets[:1] + octets[3:]


TARGETS = (
    Target("tunnel-key-distributor", key_distributor, from_media_distributor),
    Target("tunnel-media-distributor", media_distributor, from_key_distributor),
    Target("tunnel-messages", messages, message_seeds),
)
