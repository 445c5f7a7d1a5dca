"""Hop-by-hop keys for the Media Distributor (RFC 9185, Section 6.4; RFC 8871, Section 6.2)."""

from __future__ import annotations

from uuid import UUID

from perc.dtls.events import SrtpKeysExported
from perc.ekt.ekt_key import EKTCipher
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.messages import MediaKeys

PREFERENCES = {
    EKTCipher.AESKW128: (
        Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM,
        Profile.AEAD_AES_128_GCM,
        Profile.AEAD_AES_256_GCM,
    ),
    EKTCipher.AESKW256: (
        Profile.DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM,
        Profile.AEAD_AES_256_GCM,
        Profile.AEAD_AES_128_GCM,
    ),
}
"""Double where the endpoint can, for that is PERC; of the double profiles the one whose inner half takes the master
keys that the EKT cipher carries. An AEAD profile is one hop, of either strength: what it carries has its own keys."""


def common_profiles(offered: tuple[int, ...], ekt_cipher: EKTCipher) -> tuple[Profile, ...]:
    """What the Media Distributor speaks too, in the Key Distributor's order for a conference of this EKT cipher.

    "The Key Distributor MUST select a cipher that is supported by both the endpoint and the Media Distributor"
    (RFC 9185, Section 5.4).
    """
    return tuple(profile for profile in PREFERENCES[ekt_cipher] if profile in offered)


def media_keys(association_id: UUID, keys: SrtpKeysExported) -> MediaKeys:
    """The Media Distributor's share of an association's keys: "the half of the key (corresponding to the least
    significant bits)" of each field under a double profile (RFC 8871, Section 6.2), the whole of it otherwise.
    """
    key_length, salt_length = keys.profile.hop_key_length, keys.profile.hop_salt_length
    return MediaKeys(
        association_id,
        keys.profile,
        keys.client_write_key[-key_length:],
        keys.server_write_key[-key_length:],
        keys.client_write_salt[-salt_length:],
        keys.server_write_salt[-salt_length:],
    )
