from __future__ import annotations

import pytest

from perc.errors import DecodeError, IllegalParameter
from perc.identity.assertion import assertion_hash, identity_hash
from perc.key_distributor.offer import check_answer, read_offer
from tests.key_distributor.peers import ALICE, BOB, KD, answer_sdp, identity_value, offer_sdp, sdp


def test_what_binds_an_offer():
    offer = read_offer(offer_sdp(ALICE, lines=("a=tls-id:abc",)))
    assert offer.fingerprints == {ALICE}
    assert offer.assertion.domain == "idp-a.localhost:8001"
    assert offer.hash == identity_hash(identity_value())
    assert offer.assertion_hash == assertion_hash(offer.assertion)
    assert offer.tls_id == "abc"


@pytest.mark.parametrize(
    "octets",
    [
        sdp(f"a=fingerprint:{ALICE}"),
        sdp(f"a=identity:{identity_value()}"),
        sdp(f"a=fingerprint:{ALICE}", "a=identity:rubbish"),
        b"rubbish",
        b"\xff" * 100,
        b"v=0\r\n" * 20_000,
    ],
    ids=["no identity", "no fingerprint", "malformed identity", "rubbish", "not text", "oversize"],
)
def test_other_offers_are_refused(octets: bytes):
    with pytest.raises(DecodeError):
        read_offer(octets)


def test_an_answer_that_binds_only_the_key_distributor_is_fit_to_sign():
    check_answer(answer_sdp(), KD)
    check_answer(answer_sdp(media=("m=video 0 UDP/TLS/RTP/SAVPF 96",)), KD)  # a rejected m-line has no transport


@pytest.mark.parametrize(
    "octets",
    [
        answer_sdp(BOB),
        answer_sdp(lines=(f"a=fingerprint:{BOB}",)),
        answer_sdp(media=(f"a=fingerprint:{BOB}",)),
        answer_sdp(media=("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=setup:passive", f"a=fingerprint:{BOB}")),
        answer_sdp(lines=(f"a=fingerprint:sha-384 {':'.join(['AB'] * 48)}",)),
        sdp(media=("a=setup:passive",)),
        answer_sdp(lines=(f"a=identity:{identity_value()}",)),
        sdp(f"a=fingerprint:{KD}", media=("a=setup:active",)),
        sdp(f"a=fingerprint:{KD}", media=("a=setup:actpass",)),
        sdp(f"a=fingerprint:{KD}", media=()),
        answer_sdp(media=("m=video 9 UDP/TLS/RTP/SAVPF 96",)),
        answer_sdp(media=("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=setup:active")),
        answer_sdp(media=("m=video 0 UDP/TLS/RTP/SAVPF 96", "a=setup:active")),
    ],
    ids=[
        "another fingerprint",
        "a second one at session level",
        "a second one at media level",
        "a second one on another m-line",
        "one by another hash",
        "none",
        "an identity already",
        "active",
        "actpass",
        "no setup",
        "a second m-line without setup",
        "a second m-line active",
        "a rejected m-line active",
    ],
)
def test_any_other_answer_is_not_signed(octets: bytes):
    with pytest.raises(IllegalParameter):
        check_answer(octets, KD)
