"""Session keys from master keys (RFC 3711, Section 4.3; RFC 6188; RFC 7714, Section 11), and their nonces (RFC 7714).

The AES-CM PRF with a key derivation rate of zero, so that each master key gives one session key per label:

    key_id = <label> || r          r = 0: 48 zero bits
    x      = key_id XOR master_salt, aligned at their ends
    key    = AES-CTR(master_key, x * 2^16)

Under a double profile each half of a master key is put through it alone: that is PRF_double of RFC 8723, Section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from perc.crypto.provider import AeadKey, CryptoProvider
from perc.errors import ApiMisuse

SALT_LENGTH = 12
"""Octets of master and session salt under AES-GCM (RFC 7714, Section 12)."""
_PRF_SALT_LENGTH = 14
_LABEL_POSITION = 7


class Label(IntEnum):
    """Labels of RFC 3711, Section 4.3.1; AES-GCM has no use for the two of authentication."""

    RTP_ENCRYPTION = 0
    RTP_AUTHENTICATION = 1
    RTP_SALT = 2
    RTCP_ENCRYPTION = 3
    RTCP_AUTHENTICATION = 4
    RTCP_SALT = 5


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The session key and salt of one direction and one protocol, RTP or RTCP."""

    key: AeadKey = field(repr=False)
    salt: bytes = field(repr=False)

    def rtp_nonce(self, ssrc: int, roc: int, sequence_number: int) -> bytes:
        """Two zero octets, SSRC, ROC, SEQ, exclusive-or the salt (RFC 7714, Section 8.1)."""
        return self._nonce(ssrc << 48 | roc << 16 | sequence_number)

    def rtcp_nonce(self, ssrc: int, index: int) -> bytes:
        """Two zero octets, SSRC, two zero octets, the 31-bit index, exclusive-or the salt (RFC 7714, Section 9.1)."""
        return self._nonce(ssrc << 48 | index)

    def _nonce(self, value: int) -> bytes:
        return (value ^ int.from_bytes(self.salt, "big")).to_bytes(SALT_LENGTH, "big")


async def derive_session_key(
    provider: CryptoProvider, master_key: bytes, master_salt: bytes, label: Label, length: int
) -> bytes:
    """`length` octets for one label, from a master salt of 12 octets (GCM) or 14 (the PRF's own)."""
    if len(master_salt) not in (SALT_LENGTH, _PRF_SALT_LENGTH):
        raise ApiMisuse(f"a master salt of {len(master_salt)} octets")
    # GCM's salt of 96 bits stands on the left of the PRF's 112 (RFC 7714, Section 11).
    counter = bytearray(master_salt.ljust(16, b"\0"))
    counter[_LABEL_POSITION] ^= label
    return await provider.aes_ctr_keystream(master_key, bytes(counter), length)


async def derive_rtp_keys(provider: CryptoProvider, master_key: bytes, master_salt: bytes) -> SessionKeys:
    """What protects RTP under this master key."""
    return await _derive(provider, master_key, master_salt, (Label.RTP_ENCRYPTION, Label.RTP_SALT))


async def derive_rtcp_keys(provider: CryptoProvider, master_key: bytes, master_salt: bytes) -> SessionKeys:
    """What protects RTCP under this master key."""
    return await _derive(provider, master_key, master_salt, (Label.RTCP_ENCRYPTION, Label.RTCP_SALT))


async def _derive(
    provider: CryptoProvider, master_key: bytes, master_salt: bytes, labels: tuple[Label, Label]
) -> SessionKeys:
    key = await derive_session_key(provider, master_key, master_salt, labels[0], len(master_key))
    salt = await derive_session_key(provider, master_key, master_salt, labels[1], SALT_LENGTH)
    return SessionKeys(await provider.import_aead_key(key), salt)
