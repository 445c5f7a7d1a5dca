"""Hop keys: exactly one hop's, and used once for each packet."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from pylibsrtp import Policy, Session

from perc.errors import AuthenticationFailed, IllegalParameter
from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import MediaKeys
from perc_server.media_distributor.hop import MAXIMUM_PLAINTEXT, Hop, HopKeys

PACKET = bytes.fromhex("806f00010000000000000007") + b"payload"


def media_keys(profile: SRTPProtectionProfile = SRTPProtectionProfile.AEAD_AES_128_GCM) -> MediaKeys:
    key, salt = profile.hop_key_length, profile.hop_salt_length
    return MediaKeys(uuid4(), profile, b"c" * key, b"s" * key, b"C" * salt, b"S" * salt)


@pytest.mark.parametrize("profile", list(SRTPProtectionProfile))
def test_what_libsrtp_protects_with_the_outer_key_is_read(profile: SRTPProtectionProfile) -> None:
    keys = HopKeys.from_media_keys(media_keys(profile))
    gcm = Policy.SRTP_PROFILE_AEAD_AES_128_GCM if profile.hop_key_length == 16 else Policy.SRTP_PROFILE_AEAD_AES_256_GCM
    endpoint = Session(Policy(keys.client_write, Policy.SSRC_ANY_OUTBOUND, srtp_profile=gcm))
    hop = Hop(keys)
    assert hop.unprotect_rtp(endpoint.protect(PACKET)) == PACKET
    receiver = Session(Policy(keys.server_write, Policy.SSRC_ANY_INBOUND, srtp_profile=gcm))
    assert receiver.unprotect(hop.protect_rtp(PACKET)) == PACKET


@pytest.mark.parametrize("field", ["client_write_key", "server_write_key", "client_write_salt", "server_write_salt"])
@pytest.mark.parametrize("length", [1, 11, 13, 15, 17, 32, 64])
def test_other_lengths_are_refused(field: str, length: int) -> None:
    with pytest.raises(IllegalParameter):
        HopKeys.from_media_keys(replace(media_keys(), **{field: bytes(length)}))  # type: ignore[arg-type]


def test_both_halves_of_a_double_key_are_refused() -> None:
    profile = SRTPProtectionProfile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM
    with pytest.raises(IllegalParameter):
        HopKeys.from_media_keys(replace(media_keys(profile), client_write_key=bytes(32), server_write_key=b"1" * 32))


def test_a_master_key_identifier_is_refused() -> None:
    with pytest.raises(IllegalParameter):
        HopKeys.from_media_keys(replace(media_keys(), mki=b"\x01"))


def test_one_key_for_both_directions_is_refused() -> None:
    with pytest.raises(IllegalParameter):
        HopKeys.from_media_keys(replace(media_keys(), server_write_key=b"c" * 16))


def test_no_packet_is_protected_twice() -> None:
    hop = Hop(HopKeys.from_media_keys(media_keys()))
    hop.protect_rtp(PACKET)
    with pytest.raises(AuthenticationFailed):
        hop.protect_rtp(PACKET)
    with pytest.raises(AuthenticationFailed):
        hop.protect_rtp(PACKET[:-1] + b"!")


def test_what_is_too_long_for_libsrtp_is_refused() -> None:
    hop = Hop(HopKeys.from_media_keys(media_keys()))
    hop.protect_rtp(PACKET + bytes(MAXIMUM_PLAINTEXT - len(PACKET)))
    with pytest.raises(AuthenticationFailed):
        hop.protect_rtp(PACKET[:3] + b"\x02" + PACKET[4:] + bytes(MAXIMUM_PLAINTEXT - len(PACKET) + 1))


def test_a_closed_hop_refuses_everything() -> None:
    hop = Hop(HopKeys.from_media_keys(media_keys()))
    hop.close()
    for operation in (hop.protect_rtp, hop.unprotect_rtp, hop.protect_rtcp, hop.unprotect_rtcp):
        with pytest.raises(AuthenticationFailed):
            operation(PACKET)


def test_the_repr_has_no_key() -> None:
    assert "cccc" not in repr(HopKeys.from_media_keys(media_keys()))
