"""A third reading of RFC 8723, RFC 8870 and docs/key-channel.md, for vectors: on `cryptography` only, nothing of perc.

Its randomness is a hash of names, so that the same case always has the same octets.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

AUDIO, VIDEO = "audio", "video"
SHORT = b"\0"
SSRC = 0xC0FFEE01
VP8_KEY, VP8_DELTA = bytes.fromhex("1002009d012a4001f000"), b"\x01"


def octets(name: str, length: int) -> bytes:
    """Always the same octets for the same name."""
    return hashlib.shake_128(name.encode()).digest(length)


class EktKey:
    """An EKTKey by its SPI; the same SPI is the same key, unless it is given another name."""

    def __init__(self, spi: int, length: int = 16, ttl: int = 300, name: str = "") -> None:
        self.key, self.salt = octets(f"EKTKey {name or spi}", length), octets(f"salt {name or spi}", 12)
        self.spi, self.ttl = spi, ttl

    def json(self) -> dict[str, Any]:
        return {"key": self.key.hex(), "salt": self.salt.hex(), "spi": self.spi, "ttl": self.ttl}


class Source:
    """One SSRC with one master key."""

    def __init__(self, ekt: EktKey, kind: str = AUDIO, *, key: str = "first", epoch: int = 0, **fields: int) -> None:
        self.ekt, self.kind, self.epoch = ekt, kind, epoch
        self.ssrc, self.pt = fields.get("ssrc", SSRC), 111 if kind == AUDIO else 96
        # docs/key-channel.md: master keys have as many octets as the EKTKey.
        self.master_key = octets(f"master key {key}", fields.get("key_length", len(ekt.key)))
        self.session_key = self.derive(0, len(self.master_key))
        self.session_salt = self.derive(2, 12)

    def derive(self, label: int, length: int) -> bytes:
        counter = bytearray(self.ekt.salt + bytes(4))
        counter[7] ^= label
        return Cipher(algorithms.AES(self.master_key), modes.CTR(bytes(counter))).encryptor().update(bytes(length))

    def nonce(self, index: int) -> bytes:
        plain = struct.pack(">HIIH", 0, self.ssrc, index >> 16, index & 0xFFFF)
        return bytes(a ^ b for a, b in zip(plain, self.session_salt, strict=True))

    def header(self, index: int) -> bytes:
        marker = 0x80 if self.kind == VIDEO else 0
        return struct.pack(">BBHII", 0x80, marker | self.pt, index & 0xFFFF, self.timestamp(index), self.ssrc)

    def timestamp(self, index: int) -> int:
        return (index * 960 + 0xFFFF0000) & 0xFFFFFFFF

    def media(self, index: int) -> bytes:
        return octets(f"media {index}", 40)

    def prefix(self, *, key_frame: bool) -> bytes:
        return b"" if self.kind == AUDIO else VP8_KEY if key_frame else VP8_DELTA

    def protected(self, index: int, *, key_frame: bool = False, media: bytes | None = None) -> bytes:
        """Everything but the EKTField."""
        prefix = self.prefix(key_frame=key_frame)
        associated, plaintext = self.header(index) + prefix, self.media(index) if media is None else media
        sealed = AESGCM(self.session_key).encrypt(self.nonce(index), plaintext, associated)
        return prefix + sealed + struct.pack(">BHB", self.pt, index & 0xFFFF, 0x0F if self.kind == VIDEO else 0x07)

    def full(self, roc: int) -> bytes:
        plaintext = bytes([len(self.master_key)]) + self.master_key + struct.pack(">II", self.ssrc, roc)
        return self.field_of(plaintext)

    def field_of(self, plaintext: bytes) -> bytes:
        """A FullEKTField around whatever a member may have wrapped."""
        ciphertext = aes_key_wrap_with_padding(self.ekt.key, plaintext)
        return ciphertext + struct.pack(">HHHB", self.ekt.spi, self.epoch, len(ciphertext) + 7, 2)
