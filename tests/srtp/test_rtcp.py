"""SRTCP with AES-GCM: RFC 7714's vectors, and libsrtp at the other end."""

from __future__ import annotations

import pylibsrtp
import pytest

from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse, AuthenticationFailed, DecodeError
from perc.srtp import rtcp
from perc.srtp.key_derivation import SessionKeys, derive_rtcp_keys
from perc.srtp.rtcp import INDEX_LIMIT, RtcpReceiver, RtcpSender
from tests.driving import run

PROVIDER = PycaProvider()
# RFC 7714, Section 17.
RTCP = bytes.fromhex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61" + "deadbeef" * 5)
PROTECTED = bytes.fromhex(
    "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded"
    "0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"
)
RFC_KEYS = SessionKeys(run(PROVIDER.import_aead_key(bytes(range(16)))), b"Quid pro quo")
MASTER = bytes(range(28))
KEYS = run(derive_rtcp_keys(PROVIDER, MASTER[:16], MASTER[16:]))


def libsrtp(direction: int) -> pylibsrtp.Session:
    profile = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    return pylibsrtp.Session(pylibsrtp.Policy(key=MASTER, ssrc_type=direction, srtp_profile=profile))


def test_vector_of_rfc_7714() -> None:
    sender = RtcpSender(PROVIDER, RFC_KEYS)
    for _ in range(0x5D4):  # the vector's SRTCP index
        run(sender.protect(RTCP))
    assert run(sender.protect(RTCP)) == PROTECTED
    assert run(RtcpReceiver(PROVIDER, RFC_KEYS).unprotect(PROTECTED)) == RTCP


def test_libsrtp_both_ways() -> None:
    sender, receiver = RtcpSender(PROVIDER, KEYS), RtcpReceiver(PROVIDER, KEYS)
    inbound, outbound = libsrtp(pylibsrtp.Policy.SSRC_ANY_INBOUND), libsrtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    for _ in range(3):
        assert inbound.unprotect_rtcp(run(sender.protect(RTCP))) == RTCP
        assert run(receiver.unprotect(outbound.protect_rtcp(RTCP))) == RTCP


@pytest.mark.parametrize("position", [0, 4, 9, -5, -1])
def test_any_change_is_refused(position: int) -> None:
    changed = bytearray(PROTECTED)
    changed[position] ^= 1
    with pytest.raises((AuthenticationFailed, DecodeError)):
        run(RtcpReceiver(PROVIDER, RFC_KEYS).unprotect(bytes(changed)))


def test_replays_and_clear_packets_are_refused() -> None:
    receiver = RtcpReceiver(PROVIDER, RFC_KEYS)
    run(receiver.unprotect(PROTECTED))
    with pytest.raises(AuthenticationFailed, match="replay"):
        run(receiver.unprotect(PROTECTED))
    with pytest.raises(AuthenticationFailed, match="not encrypted"):
        run(receiver.unprotect(PROTECTED[:-4] + b"\0\0\5\xd4"))


@pytest.mark.parametrize("data", [b"", bytes(28), b"\x80" + bytes(26), b"\x80" + bytes(3000)])
def test_what_is_no_srtcp_packet_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        run(RtcpReceiver(PROVIDER, KEYS).unprotect(data))


def test_a_sender_ends_before_its_index_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert INDEX_LIMIT == 2**31, "RFC 3711, Section 3.4"
    monkeypatch.setattr(rtcp, "INDEX_LIMIT", 2)
    sender = RtcpSender(PROVIDER, KEYS)
    for _ in range(2):
        run(sender.protect(RTCP))
    with pytest.raises(ApiMisuse):
        run(sender.protect(RTCP))
    with pytest.raises(ApiMisuse):
        run(sender.protect(b"short"))
