"""SRTP protection profiles that PERC can use (RFC 5764, Section 4.1.2; RFC 7714, Section 14.2; RFC 8723, Section 9)."""

from __future__ import annotations

from enum import IntEnum


class SRTPProtectionProfile(IntEnum):
    """The AEAD profiles, and the double profiles made of two of them. Anything without GCM has no place here."""

    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008
    DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM = 0x0009
    DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM = 0x000A

    @property
    def is_double(self) -> bool:
        """Whether the profile protects end to end and hop by hop."""
        return self >= SRTPProtectionProfile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM

    @property
    def single(self) -> SRTPProtectionProfile:
        """The profile of one layer: itself, or one half of a double profile."""
        return SRTPProtectionProfile(self - 2) if self.is_double else self

    @property
    def hop_key_length(self) -> int:
        """Octets of one layer's master key: 16 or 32."""
        return 16 if self.single is SRTPProtectionProfile.AEAD_AES_128_GCM else 32

    @property
    def hop_salt_length(self) -> int:
        """Octets of one layer's master salt: always 12."""
        return 12

    @property
    def key_length(self) -> int:
        """Octets of the master key that the exporter yields: both layers' under a double profile."""
        return self.hop_key_length * (2 if self.is_double else 1)

    @property
    def salt_length(self) -> int:
        """Octets of the master salt that the exporter yields: both layers' under a double profile."""
        return self.hop_salt_length * (2 if self.is_double else 1)
