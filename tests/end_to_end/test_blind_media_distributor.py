"""The Media Distributor from inside: what it forwards is ciphertext to it, and media to whoever has the keys.

Nothing of `perc` opens a packet here. Key unwrapping is `cryptography`'s, both SRTP layers are libsrtp's, codecs are
libopus and libvpx.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable
from itertools import dropwhile
from typing import Any

import av
import numpy
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from av.error import FFmpegError
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from perc_server.media_distributor.seams import ForwardedPacket
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.observed_worker import EktKey, ObservedWorker
from tests.end_to_end.people import LOOKS
from tests.end_to_end.wire import Rtp

pytestmark = pytest.mark.chromium

OPUS = 111
FULL, SHORT = 2, 0
ENOUGH = 200
"""Packets: some seconds of sound and pictures."""
ENOUGH_PICTURES = 10

KEY_FRAME_PREFIX, DELTA_PREFIX = 10, 1


def split_ekt_field(payload: bytes) -> tuple[bytes, bytes | None]:
    """Payload without its EKTField, and the EKTCiphertext of a full one (RFC 8870, Section 4.1)."""
    if payload[-1] == SHORT:
        return payload[:-1], None
    assert payload[-1] == FULL
    length = int.from_bytes(payload[-3:-1], "big")
    return payload[:-length], payload[-length:-7]


def original_packet(outer: Rtp, body: bytes) -> bytes:
    """The inner SRTP packet: the header that the sender authenticated, from the OHB, and the inner ciphertext."""
    assert body[-1] & 0b0111 == 0b0111, "PT, SEQ and marker are all in the OHB"
    payload_type, sequence, marker = body[-4], int.from_bytes(body[-3:-1], "big"), body[-1] >> 3 & 1
    return struct.pack("!BBHII", 0x80, marker << 7 | payload_type, sequence, outer.timestamp, outer.ssrc) + body[:-4]


def session(key: bytes, salt: bytes) -> Session:
    profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    return Session(Policy(key=key + salt, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))


def master_key(ektkey: EktKey, payloads: Iterable[tuple[int, bytes]]) -> bytes:
    """The sender's master key for an SSRC, from the first full EKTField in its payloads."""
    for ssrc, payload in payloads:
        _, ciphertext = split_ekt_field(payload)
        if ciphertext is not None:
            plaintext = aes_key_unwrap_with_padding(ektkey.key, ciphertext)
            assert plaintext[0] == 16
            assert int.from_bytes(plaintext[17:21], "big") == ssrc
            return plaintext[1:17]
    raise AssertionError("no full EKTField")


ASK_FOR_A_KEY_FRAME = """async () => {
    const sender = connections.at(-1).getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender.getParameters();
    const encodingOptions = parameters.encodings.map(() => ({ keyFrame: true }));
    await sender.setParameters(parameters, { encodingOptions });
}"""


def is_enough(packets: list[ForwardedPacket]) -> bool:
    """Whether there are some seconds of sound, and of pictures from a key frame on."""
    kept = [Rtp.read(packet.received) for packet in packets]
    frames = [frame for _, frame in vp8_frames(packet for packet in kept if packet.payload_type != OPUS)]
    pictures = list(dropwhile(lambda frame: frame[0] & 1, frames))
    return len(kept) >= ENOUGH and len(pictures) >= ENOUGH_PICTURES


Recorded = tuple[list[ForwardedPacket], EktKey]


@pytest.fixture(scope="module")
async def recorded(stay: Come, deployment: Deployment) -> Recorded:
    """What the Media Distributor forwarded of alice in a call with bob, and the EKTKey that bob learnt."""
    alice, bob = await stay("alice"), await stay("bob")
    worker = await ObservedWorker.of(bob)
    link = await alice.open_room("blind")
    await bob.join(link)
    await asyncio.gather(bob.sees(alice), bob.hears(alice))
    # All of alice's sources use the key that was made for bob's joining by now; pictures begin anew for the recording.
    owner = next(each.endpoint_id for each in deployment.conference("blind").endpoints if each.role == "owner")
    with deployment.recorded() as recording:
        await alice.page.evaluate(ASK_FOR_A_KEY_FRAME)
        while not is_enough(packets := [each for each in recording.packets if each.source_endpoint == owner]):
            await asyncio.sleep(0.1)
    keys = await worker.ekt_keys()
    await bob.leave()
    await alice.leave()
    return packets, keys[-1]


def tone_share(payloads: Iterable[bytes], tone: float) -> float:
    """How much of the power of what libopus makes of the payloads is this tone: 0 to 1."""
    decoder = av.CodecContext.create("opus", "r")
    mono = av.AudioResampler(format="s16", layout="mono", rate=48000)
    samples: list[Any] = []
    for payload in payloads:
        try:
            frames = [resampled for frame in decoder.decode(av.Packet(payload)) for resampled in mono.resample(frame)]
        except (FFmpegError, ValueError):
            continue  # not Opus
        samples += [frame.to_ndarray()[0].astype(float) for frame in frames]
    if not samples:
        return 0.0
    power = numpy.abs(numpy.fft.rfft(numpy.concatenate(samples))) ** 2
    frequencies = numpy.fft.rfftfreq(sum(map(len, samples)), 1 / 48000)
    return float(power[numpy.abs(frequencies - tone) < 20].sum() / power.sum())


def test_audio_is_rfc_8723_and_only_endpoints_can_hear_it(recorded: Recorded) -> None:
    packets, ektkey = recorded
    audio = [Rtp.read(packet.received) for packet in packets]
    audio = [packet for packet in audio if packet.payload_type == OPUS]
    inner = session(master_key(ektkey, ((packet.ssrc, packet.payload) for packet in audio)), ektkey.salt)
    decrypted = [inner.unprotect(original_packet(packet, split_ekt_field(packet.payload)[0]))[12:] for packet in audio]
    assert len(decrypted) > 50
    assert tone_share(decrypted, 440) > 0.8
    # What the Media Distributor can try: every payload as it is, and without what it may know of the tail.
    assert tone_share([packet.payload for packet in audio], 440) < 0.1
    assert tone_share([split_ekt_field(packet.payload)[0][:-20] for packet in audio], 440) < 0.1


def test_a_changed_packet_does_not_open(recorded: Recorded) -> None:
    packets, ektkey = recorded
    audio = [packet for packet in map(Rtp.read, (packet.received for packet in packets)) if packet.payload_type == OPUS]
    key = master_key(ektkey, ((packet.ssrc, packet.payload) for packet in audio))
    original = original_packet(audio[0], split_ekt_field(audio[0].payload)[0])
    session(key, ektkey.salt).unprotect(original)
    for position in (1, 3, 7, 11, 12, len(original) - 1):  # PT, SEQ, timestamp, SSRC, ciphertext, tag
        changed = bytearray(original)
        changed[position] ^= 1
        with pytest.raises(SrtpError):
            session(key, ektkey.salt).unprotect(bytes(changed))


def vp8_frames(packets: Iterable[Rtp]) -> list[tuple[Rtp, bytes]]:
    """Whole frames: the payloads of one timestamp behind their RFC 7741 descriptors, complete ones only."""
    frames: dict[int, list[Rtp]] = {}
    for packet in packets:
        frames.setdefault(packet.timestamp, []).append(packet)
    complete = [parts for parts in frames.values() if parts[-1].marker]
    return [(parts[-1], b"".join(VpxPayloadDescriptor.parse(part.payload)[1] for part in parts)) for parts in complete]


def colours(frames: Iterable[bytes]) -> list[tuple[int, ...]]:
    """The colours at the quadrant centres of the last picture that libvpx makes of the frames, if it makes any."""
    decoder = av.CodecContext.create("vp8", "r")
    picture = None
    for frame in frames:
        try:
            for decoded in decoder.decode(av.Packet(frame)):
                picture = decoded.to_ndarray(format="rgb24")
        except FFmpegError:
            continue
    if picture is None:
        return []
    height, width, _ = picture.shape
    return [tuple(map(int, picture[int(height * y), int(width * x)])) for y in (0.25, 0.75) for x in (0.25, 0.75)]


def look_alike(seen: list[tuple[int, ...]], expected: Iterable[tuple[int, ...]]) -> bool:
    return bool(seen) and all(
        abs(a - b) < 50 for one, other in zip(seen, expected, strict=True) for a, b in zip(one, other, strict=True)
    )


def derive(key: bytes, salt: bytes, label: int, length: int) -> bytes:
    """RFC 3711, Section 4.3, with the 12-octet salt of RFC 7714 padded on the right."""
    counter = bytearray(salt + bytes(4))
    counter[7] ^= label
    return Cipher(AES(key), CTR(bytes(counter))).encryptor().update(bytes(length))


def open_frame(key: bytes, salt: bytes, last: Rtp, frame: bytes) -> bytes:
    """A whole VP8 frame from its one synthetic packet: the prefix is associated data, too (perc/srtp/inner.py)."""
    body, _ = split_ekt_field(frame)
    prefix = KEY_FRAME_PREFIX if body[0] & 1 == 0 else DELTA_PREFIX
    original = original_packet(last, body)
    header, sequence = original[:12], original[2:4]
    session_salt = derive(key, salt, 2, 12)
    index = bytes(2) + last.ssrc.to_bytes(4, "big") + bytes(4) + sequence
    nonce = bytes(a ^ b for a, b in zip(index, session_salt, strict=True))
    return AESGCM(derive(key, salt, 0, 16)).decrypt(nonce, original[12 + prefix :], header + body[:prefix])


def test_video_frames_open_for_endpoints_only(recorded: Recorded) -> None:
    packets, ektkey = recorded
    video = [packet for packet in map(Rtp.read, (packet.received for packet in packets)) if packet.payload_type != OPUS]
    frames = list(dropwhile(lambda frame: frame[1][0] & 1, vp8_frames(video)))
    key = master_key(ektkey, ((last.ssrc, frame) for last, frame in frames))
    opened = [open_frame(key, ektkey.salt, last, frame) for last, frame in frames]
    assert look_alike(colours(opened), LOOKS["alice"].colours)
    assert not look_alike(colours(frame for _, frame in frames), LOOKS["alice"].colours)
    # Nor do two key frames have anything in common behind their prefix.
    key_frames = [frame for _, frame in frames if frame[0] & 1 == 0]
    assert len(key_frames) == 1 or key_frames[0][KEY_FRAME_PREFIX:50] != key_frames[1][KEY_FRAME_PREFIX:50]
