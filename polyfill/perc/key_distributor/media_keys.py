"""Hop-by-hop keys for the Media Distributor (RFC 9185, Section 6.4; RFC 8871, Section 6.2)."""

from __future__ import annotations

from uuid import UUID

from perc.dtls.events import SrtpKeysExported
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.messages import MediaKeys

PREFERENCE = (
    Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM,
    Profile.DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM,
    Profile.AEAD_AES_128_GCM,
    Profile.AEAD_AES_256_GCM,
)
"""Double where the endpoint can, for that is PERC; 128 bits before 256, to fit an EKTKey of 128."""


def common_profiles(offered: tuple[int, ...]) -> tuple[Profile, ...]:
    """What the Media Distributor speaks too, in the Key Distributor's order.

    "The Key Distributor MUST select a cipher that is supported by both the endpoint and the Media Distributor"
    (RFC 9185, Section 5.4).
    """
    return tuple(profile for profile in PREFERENCE if profile in offered)


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
