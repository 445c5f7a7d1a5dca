"""The double transform (RFC 8723, Section 5), with libsrtp reading and writing both layers independently."""

from __future__ import annotations

import struct
from dataclasses import replace

import pylibsrtp
import pytest

from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse, AuthenticationFailed, DecodeError
from perc.srtp.double import DoubleReceiver, DoubleSender, MasterKey, split_double, synthetic_packet
from perc.srtp.inner import unprotect_inner
from perc.srtp.key_derivation import derive_rtp_keys
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.outer import OuterReceiver, OuterSender
from perc.srtp.packet import HeaderExtension, RtpPacket
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from tests.driving import run

PROVIDER = PycaProvider()
DOUBLES = (Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM, Profile.DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM)
PACKET = RtpPacket(
    *(111, 1000, 5000, 0xCAFEBABE, b"some media"),
    marker=True,
    csrcs=(1, 2),
    extension=HeaderExtension(0xBEDE, b"\x10\x31\0\0"),
)


def masters(profile: Profile) -> tuple[MasterKey, MasterKey]:
    return split_double(profile, bytes(range(profile.key_length)), bytes(range(100, 100 + profile.salt_length)))


def libsrtp(profile: Profile, master: MasterKey, direction: int) -> pylibsrtp.Session:
    single = {
        Profile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        Profile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    }[profile.single]
    return pylibsrtp.Session(pylibsrtp.Policy(key=master.key + master.salt, ssrc_type=direction, srtp_profile=single))


def without_extension(packet: bytes) -> bytes:
    """The first 12 + 4 * CC octets with X=0, and the payload: RFC 8723 read off anew."""
    end = 12 + 4 * (packet[0] & 15)
    words = struct.unpack_from(">H", packet, end + 2)[0] if packet[0] & 16 else -1
    return bytes([packet[0] & ~16]) + packet[1:end] + packet[end + 4 * (words + 1) :]


class Endpoint:
    """One endpoint's two directions with the same keys, as a test may have them."""

    def __init__(self, profile: Profile) -> None:
        inner, outer = masters(profile)
        self.inner = run(derive_rtp_keys(PROVIDER, inner.key, inner.salt))
        outer_keys = run(derive_rtp_keys(PROVIDER, outer.key, outer.salt))
        self.sender = DoubleSender(PROVIDER, OuterSender(PROVIDER, outer_keys))
        self.receiver = DoubleReceiver(OuterReceiver(PROVIDER, outer_keys))


@pytest.mark.parametrize("profile", DOUBLES)
def test_libsrtp_opens_both_layers_of_what_we_protect(profile: Profile) -> None:
    endpoint, (inner, outer) = Endpoint(profile), masters(profile)
    outer_oracle = libsrtp(profile, outer, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    inner_oracle = libsrtp(profile, inner, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    for index in range(65530, 65545):
        packet = replace(PACKET, sequence_number=index % 65536)
        once = outer_oracle.unprotect(run(endpoint.sender.protect(packet, endpoint.inner, index // 65536)))
        assert once[-1] == 0, "an empty OHB"
        assert inner_oracle.unprotect(without_extension(once[:-1])) == without_extension(packet.write())


@pytest.mark.parametrize("profile", DOUBLES)
def test_we_open_both_layers_of_what_libsrtp_protects_and_a_distributor_changes(profile: Profile) -> None:
    endpoint, (inner, outer) = Endpoint(profile), masters(profile)
    outer_oracle = libsrtp(profile, outer, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    inner_oracle = libsrtp(profile, inner, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    protected = RtpPacket.read(inner_oracle.protect(without_extension(PACKET.write())))
    relayed = replace(protected, payload_type=96, sequence_number=7, marker=False, extension=PACKET.extension)
    block = OriginalHeaderBlock().covering(protected, relayed)
    relayed = replace(relayed, payload=relayed.payload + block.write())
    received, synthetic = run(endpoint.receiver.unprotect_outer(outer_oracle.protect(relayed.write())))
    assert (received.payload_type, received.sequence_number) == (96, 7)
    assert (synthetic.payload_type, synthetic.sequence_number, synthetic.marker) == (111, 1000, True)
    assert run(unprotect_inner(PROVIDER, endpoint.inner, synthetic, 0)) == b"some media"


def test_a_repair_packet_has_the_outer_layer_only() -> None:
    endpoint = Endpoint(DOUBLES[0])
    assert run(endpoint.receiver.unprotect_repair(run(endpoint.sender.protect_repair(PACKET)))) == PACKET


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": 5001},
        {"ssrc": 1},
        {"csrcs": (1, 3)},
        {"csrcs": ()},
        {"payload_type": 96},
        {"sequence_number": 1001},
        {"marker": False},
        {"padding": True},
    ],
)
def test_what_a_distributor_changes_without_an_ohb_does_not_authenticate(change: dict[str, object]) -> None:
    endpoint = Endpoint(DOUBLES[0])
    received, synthetic = run(
        endpoint.receiver.unprotect_outer(run(endpoint.sender.protect(PACKET, endpoint.inner, 0)))
    )
    assert run(unprotect_inner(PROVIDER, endpoint.inner, synthetic, 0)) == b"some media"
    changed = synthetic_packet(replace(received, **change))  # type: ignore[arg-type]
    with pytest.raises(AuthenticationFailed):
        run(unprotect_inner(PROVIDER, endpoint.inner, changed, 0))


def test_header_extensions_are_the_distributors_to_change() -> None:
    endpoint = Endpoint(DOUBLES[0])
    received, _ = run(endpoint.receiver.unprotect_outer(run(endpoint.sender.protect(PACKET, endpoint.inner, 0))))
    synthetic = synthetic_packet(replace(received, extension=None))
    assert run(unprotect_inner(PROVIDER, endpoint.inner, synthetic, 0)) == b"some media"


@pytest.mark.parametrize("payload", [b"", bytes(16), bytes(20) + b"\xf0"])
def test_payloads_without_tag_or_ohb_are_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        synthetic_packet(replace(PACKET, payload=payload))


def test_only_the_lengths_of_a_double_profile_are_split() -> None:
    for profile, key_length in ((Profile.AEAD_AES_128_GCM, 16), (DOUBLES[0], 31), (DOUBLES[0], 64)):
        with pytest.raises(ApiMisuse):
            split_double(profile, bytes(key_length), bytes(24))
