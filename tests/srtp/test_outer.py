"""SRTP with AES-GCM: RFC 7714's vectors, and libsrtp at the other end."""

from __future__ import annotations

from dataclasses import replace

import pylibsrtp
import pytest

from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse, AuthenticationFailed, DecodeError
from perc.srtp import outer as outer_module
from perc.srtp.key_derivation import SessionKeys, derive_rtp_keys
from perc.srtp.outer import OuterReceiver, OuterSender
from perc.srtp.packet import HeaderExtension, RtpPacket
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from tests.driving import run
from tests.vectors.provider_vectors import Case, load, octets

PROVIDER = PycaProvider()
PACKET = RtpPacket(111, 100, 5000, 0xCAFEBABE, b"some media", extension=HeaderExtension(0xBEDE, b"\x10\x31\0\0"))
LIBSRTP = {
    Profile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Profile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


def master(profile: Profile) -> tuple[bytes, bytes]:
    return bytes(range(profile.hop_key_length)), bytes(range(100, 112))


def keys_of(profile: Profile) -> SessionKeys:
    return run(derive_rtp_keys(PROVIDER, *master(profile)))


def libsrtp(profile: Profile, direction: int) -> pylibsrtp.Session:
    key, salt = master(profile)
    return pylibsrtp.Session(pylibsrtp.Policy(key=key + salt, ssrc_type=direction, srtp_profile=LIBSRTP[profile]))


def pair() -> tuple[OuterSender, OuterReceiver]:
    keys = keys_of(Profile.AEAD_AES_128_GCM)
    return OuterSender(PROVIDER, keys), OuterReceiver(PROVIDER, keys)


@pytest.mark.parametrize("case", load("srtp_aes_gcm"))
def test_vectors_of_rfc_7714(case: Case) -> None:
    keys = SessionKeys(run(PROVIDER.import_aead_key(octets(case, "key"))), octets(case, "salt"))
    packet = RtpPacket.read(octets(case, "header") + octets(case, "plaintext"))
    protected = octets(case, "header") + octets(case, "sealed")
    assert run(OuterSender(PROVIDER, keys).protect(packet)) == protected
    assert run(OuterReceiver(PROVIDER, keys).unprotect(protected)) == packet


@pytest.mark.parametrize("profile", LIBSRTP)
def test_libsrtp_opens_what_we_protect_across_a_rollover(profile: Profile) -> None:
    sender, oracle = OuterSender(PROVIDER, keys_of(profile)), libsrtp(profile, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    for index in range(65500, 65600):
        packet = replace(PACKET, sequence_number=index % 65536)
        assert oracle.unprotect(run(sender.protect(packet))) == packet.write()


@pytest.mark.parametrize("profile", LIBSRTP)
def test_we_open_what_libsrtp_protects_out_of_order_and_across_a_rollover(profile: Profile) -> None:
    oracle, receiver = (
        libsrtp(profile, pylibsrtp.Policy.SSRC_ANY_OUTBOUND),
        OuterReceiver(PROVIDER, keys_of(profile)),
    )
    packets = [replace(PACKET, sequence_number=index % 65536) for index in range(65500, 65600)]
    protected = [oracle.protect(packet.write()) for packet in packets]
    for position in (p ^ 1 for p in range(100)):
        assert run(receiver.unprotect(protected[position])) == packets[position]


class TestReceiver:
    def test_a_replay_is_refused(self) -> None:
        sender, receiver = pair()
        protected = run(sender.protect(PACKET))
        run(receiver.unprotect(protected))
        with pytest.raises(AuthenticationFailed, match="replay"):
            run(receiver.unprotect(protected))

    @pytest.mark.parametrize("position", [1, 2, 4, 11, 12, 17, 20, -1])
    def test_any_change_is_refused_and_changes_nothing(self, position: int) -> None:
        sender, receiver = pair()
        protected = run(sender.protect(PACKET))
        changed = bytearray(protected)
        changed[position] ^= 1
        with pytest.raises((AuthenticationFailed, DecodeError)):
            run(receiver.unprotect(bytes(changed)))
        assert run(receiver.unprotect(protected)) == PACKET

    def test_no_room_for_a_tag_is_refused(self) -> None:
        with pytest.raises(AuthenticationFailed):
            run(pair()[1].unprotect(replace(PACKET, payload=bytes(15)).write()))

    def test_forged_ssrcs_take_no_memory(self) -> None:
        _, receiver = pair()
        for ssrc in range(50):
            with pytest.raises(AuthenticationFailed):
                run(receiver.unprotect(replace(PACKET, ssrc=ssrc, payload=bytes(30)).write()))
        assert receiver.ssrcs == frozenset()

    def test_sources_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outer_module, "MAX_SOURCES", 2)
        sender, receiver = pair()
        protected = [run(sender.protect(replace(PACKET, ssrc=ssrc))) for ssrc in (1, 2)]
        sender = pair()[0]
        third = run(sender.protect(replace(PACKET, ssrc=3)))
        for data in protected:
            run(receiver.unprotect(data))
        with pytest.raises(AuthenticationFailed, match="SSRC"):
            run(receiver.unprotect(third))


class TestSender:
    def test_one_index_is_protected_once(self) -> None:
        sender, _ = pair()
        run(sender.protect(PACKET))
        with pytest.raises(ApiMisuse):
            run(sender.protect(replace(PACKET, payload=b"other")))

    def test_each_ssrc_counts_for_itself(self) -> None:
        sender, _ = pair()
        run(sender.protect(PACKET))
        run(sender.protect(replace(PACKET, ssrc=1)))
