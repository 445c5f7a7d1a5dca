"""RTP, the Original Header Block, SRTP and SRTCP of one hop, and the payloads that browsers make of them."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

from perc.ekt.browser_payload import Frame, protect_payload, unprotect_payload
from perc.ekt.cipher import EKTPlaintext
from perc.ekt.key_channel import MediaKind
from perc.ekt.outcome import PacketDropped
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.receiver import KEYS_KEPT, EktReceiver
from perc.ekt.sender import EktSender
from perc.errors import AuthenticationFailed, DecodeError
from perc.srtp.double import synthetic_packet
from perc.srtp.ekt_field import FullEKTField, split_ekt_field
from perc.srtp.key_derivation import derive_rtcp_keys, derive_rtp_keys
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.outer import OuterReceiver, OuterSender
from perc.srtp.packet import HeaderExtension, RtpPacket
from perc.srtp.packet_index import ReplayWindow
from perc.srtp.payload_format import OPUS, VP8
from perc.srtp.rtcp import RtcpReceiver, RtcpSender
from tests.driving import run
from tests.fuzz.ekt import KEY, wrapped
from tests.fuzz.target import Script, Target, pack, reads
from tests.repeatable import RepeatableProvider

SSRC = 0xCAFEBABE
_PACKET = RtpPacket(111, 100, 960, SSRC, b"media", extension=HeaderExtension(0xBEDE, b"\x10\x31\0\0"))


def _quietly(coroutine: Coroutine[Any, Any, Any]) -> None:
    with suppress(AuthenticationFailed, DecodeError):
        run(coroutine)


def packets(data: bytes) -> None:
    packet = reads(RtpPacket.read, data, RtpPacket.write)
    if packet is not None:
        reads(lambda _: synthetic_packet(packet), b"")
    found = reads(OriginalHeaderBlock.split, data)
    if found is not None:
        body, block = found
        assert body + block.write() == data
    provider = RepeatableProvider()
    keys = run(derive_rtp_keys(provider, bytes(16), bytes(12)))
    _quietly(OuterReceiver(provider, keys).unprotect(data))
    _quietly(RtcpReceiver(provider, keys).unprotect(data))


def packet_seeds() -> Iterable[bytes]:
    provider = RepeatableProvider()
    keys = run(derive_rtp_keys(provider, bytes(16), bytes(12)))
    yield _PACKET.write()
    yield run(OuterSender(provider, keys).protect(_PACKET))
    yield b"payload and tag: 16 octets" + OriginalHeaderBlock(111, 100, True).write()
    rtcp_keys = run(derive_rtcp_keys(provider, bytes(16), bytes(12)))
    yield run(RtcpSender(provider, rtcp_keys).protect(b"\x80\xc8\x00\x06" + bytes(24)))


def payloads(data: bytes) -> None:
    """Frames of one source, by anyone: the Media Distributor, or a member who can wrap whatever it likes."""
    script, provider, sets = Script(data), RepeatableProvider(), EktParameterSets(RepeatableProvider())
    run(sets.install(KEY, 0.0))
    receiver = EktReceiver(provider, sets, SSRC, ReplayWindow())
    while not script.is_over:
        payload_format = (OPUS, VP8)[script.number() % 2]
        wrapped, rest = script.number() % 2, script.part()
        if wrapped:
            rest = _with_field(script.part(), rest)
        frame = Frame(111, script.number(2), SSRC, rest, sequence_number=script.number(2))
        with suppress(PacketDropped):
            run(unprotect_payload(receiver, payload_format, frame, script.number() / 10))
        assert receiver.keys_held <= KEYS_KEPT
        assert receiver.epochs_held <= 1


def _with_field(plaintext: bytes, payload: bytes) -> bytes:
    ciphertext = wrapped(plaintext[:200] or b"\0")
    return payload + FullEKTField(ciphertext, KEY.spi, len(payload) % 4).write()


def payload_seeds() -> Iterable[bytes]:
    provider, sets = RepeatableProvider(), EktParameterSets(RepeatableProvider())
    run(sets.install(KEY, 0.0))
    sender, parts = EktSender(provider, sets, SSRC, MediaKind.AUDIO), []
    for index in range(65534, 65538):
        frame = Frame(111, 960, SSRC, b"media")
        payload = run(protect_payload(provider, sender, OPUS, frame, index, index / 50 - 1310))
        parts.append(b"\0\0" + pack(payload) + (960).to_bytes(2, "big") + (index % 65536).to_bytes(2, "big") + b"\0")
    yield b"".join(parts)
    body, _ = split_ekt_field(payload)
    yield b"\0\1" + pack(body, EKTPlaintext(bytes(16), SSRC, 1).write()) + bytes(5)


TARGETS = (Target("srtp-packets", packets, packet_seeds), Target("ekt-payloads", payloads, payload_seeds))
