"""What somebody with some EKTKeys can open of all that the Media Distributor ever forwarded.

As in `test_blind_media_distributor`, nothing of `perc` opens a packet here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from aiortc.codecs.vpx import VpxPayloadDescriptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from perc_server.media_distributor.seams import ForwardedPacket
from tests.end_to_end.observed_worker import EktKey
from tests.end_to_end.test_blind_media_distributor import (
    DELTA_PREFIX,
    KEY_FRAME_PREFIX,
    OPUS,
    derive,
    original_packet,
    split_ekt_field,
)
from tests.end_to_end.wire import Rtp

CLOCK_RATES = {"audio": 48_000, "video": 90_000}


@dataclass(frozen=True)
class Sent:
    """What a source protected as one: an audio packet, or a whole video frame."""

    position: int
    """Of its last packet among all that were forwarded."""
    endpoint: str
    last: Rtp
    payload: bytes

    @cached_property
    def parts(self) -> tuple[bytes, bytes | None]:
        """Without its EKTField, and the EKTCiphertext of a full one."""
        return split_ekt_field(self.payload)

    @property
    def told(self) -> int | None:
        """The SPI of a full EKTField."""
        return None if self.parts[1] is None else int.from_bytes(self.payload[-7:-5], "big")

    @property
    def kind(self) -> str:
        return "audio" if self.last.payload_type == OPUS else "video"

    @property
    def is_key_frame(self) -> bool:
        return self.kind == "video" and self.payload[0] & 1 == 0

    @property
    def prefix(self) -> bytes:
        """What stands in the clear before the ciphertext."""
        if self.kind == "audio":
            return b""
        return self.payload[: KEY_FRAME_PREFIX if self.is_key_frame else DELTA_PREFIX]

    def seconds_after(self, other: Sent) -> float:
        """By the source's own clock."""
        return ((self.last.timestamp - other.last.timestamp) & 0xFFFFFFFF) / CLOCK_RATES[self.kind]


def sent(forwarded: Iterable[ForwardedPacket]) -> list[Sent]:
    """Everything that was forwarded, to one or to many; of video the frames that are complete."""
    everything: list[Sent] = []
    seen: set[bytes] = set()
    frames: defaultdict[tuple[int, int], list[Rtp]] = defaultdict(list)
    for position, each in enumerate(forwarded):
        if each.received in seen:
            continue
        seen.add(each.received)
        packet = Rtp.read(each.received)
        if packet.payload_type == OPUS:
            everything.append(Sent(position, each.source_endpoint, packet, packet.payload))
            continue
        parts = frames[packet.ssrc, packet.timestamp]
        parts.append(packet)
        if packet.marker and packet.sequence - parts[0].sequence & 0xFFFF == len(parts) - 1:
            descriptors, payloads = zip(*(VpxPayloadDescriptor.parse(part.payload) for part in parts), strict=True)
            if not (descriptors[0].partition_start and descriptors[0].partition_id == 0):
                continue  # its first packet was lost
            frame = b"".join(payloads)
            everything.append(Sent(position, each.source_endpoint, packet, frame))
    return everything


@dataclass(frozen=True)
class _MasterKey:
    spi: int
    cipher: AESGCM
    salt: bytes


class Listener:
    """Someone with these EKTKeys and all that was ever forwarded, who tries every key in it on everything."""

    def __init__(self, ektkeys: Iterable[EktKey], everything: Iterable[Sent]) -> None:
        self._keys: defaultdict[int, dict[bytes, _MasterKey]] = defaultdict(dict)
        for ektkey, each in product(ektkeys, everything):
            ciphertext = each.parts[1]
            if ciphertext is not None:
                self._learn(each.last.ssrc, ektkey, ciphertext)

    def _learn(self, ssrc: int, ektkey: EktKey, ciphertext: bytes) -> None:
        try:
            plaintext = aes_key_unwrap_with_padding(ektkey.key, ciphertext)
        except InvalidUnwrap:
            return
        key = plaintext[1 : 1 + plaintext[0]]
        if key not in self._keys[ssrc]:
            cipher = AESGCM(derive(key, ektkey.salt, 0, len(key)))
            self._keys[ssrc][key] = _MasterKey(ektkey.spi, cipher, derive(key, ektkey.salt, 2, 12))

    def opens(self, each: Sent) -> int | None:
        """The SPI of the EKTKey with which it can be opened; None if with none."""
        original = original_packet(each.last, each.parts[0])
        header, ciphertext = original[:12], original[12 + len(each.prefix) :]
        index = bytes(2) + header[8:12] + bytes(4) + header[2:4]
        for key in self._keys[each.last.ssrc].values():
            nonce = bytes(a ^ b for a, b in zip(index, key.salt, strict=True))
            try:
                key.cipher.decrypt(nonce, ciphertext, header + each.prefix)
            except InvalidTag:
                continue
            return key.spi
        return None
