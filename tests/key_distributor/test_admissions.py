from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import uuid4

import pytest

from perc.errors import IdentityRejected
from perc.key_distributor import admissions as module
from perc.key_distributor.admissions import WAITING_TIME, Admission, Admissions
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint
from tests.key_distributor.peers import offer

ALICE = "alice@idp-a.localhost"
MALLORY = "mallory@idp-a.localhost"


@dataclass(frozen=True)
class Der:
    """All of a certificate that admissions look at."""

    der: bytes


CERTIFICATE = cast(Certificate, Der(b"certificate"))
MINE = Fingerprint.of(b"certificate")
MINE_384 = Fingerprint.of(b"certificate", "sha-384")
OTHER = Fingerprint.of(b"other")


def admitted() -> tuple[Admissions, Admission]:
    admissions = Admissions()
    admissions.accept(offer(MINE), ALICE, 0, 1)
    admission = admissions.awaited(CERTIFICATE)
    assert admission is not None
    return admissions, admission


def live() -> tuple[Admissions, Admission]:
    admissions, admission = admitted()
    assert admissions.claim(admission, uuid4())
    return admissions, admission


def test_a_validated_offer_waits_for_its_certificate():
    admissions, admission = admitted()
    assert (admission.identity, admission.verified_at) == (ALICE, 1)
    assert admissions.expected() == (MINE,)
    assert admissions.awaited(cast(Certificate, Der(b"other"))) is None


def test_a_certificate_may_be_known_by_another_hash():
    admissions = Admissions()
    admissions.accept(offer(MINE_384), ALICE, 0, 1)
    assert admissions.awaited(CERTIFICATE) is not None


def test_an_admission_is_claimed_once():
    admissions, admission = live()
    assert admissions.awaited(CERTIFICATE) is None
    assert not admissions.claim(admission, uuid4())
    assert admissions.expected() == ()


def test_an_admission_does_not_wait_for_ever():
    admissions, admission = admitted()
    assert admissions.next_timeout() == WAITING_TIME
    admissions.handle_timeout(WAITING_TIME)
    assert admissions.awaited(CERTIFICATE) is None
    assert not admissions.claim(admission, uuid4())
    assert admissions.next_timeout() is None


def test_a_live_admission_does_not_expire():
    admissions, admission = live()
    admissions.handle_timeout(10 * WAITING_TIME)
    assert admissions.renegotiating(offer(MINE)) is admission


def test_a_new_offer_is_no_renegotiation():
    admissions, _ = live()
    assert admissions.renegotiating(offer(MINE, token="new")) is None


def test_an_offer_is_a_replay_before_its_association_and_after_it():
    admissions, admission = admitted()
    with pytest.raises(IdentityRejected, match="made before"):
        admissions.renegotiating(offer(MINE))
    admissions.claim(admission, uuid4())
    assert admissions.renegotiating(offer(MINE)) is admission
    admissions.release(admission)
    with pytest.raises(IdentityRejected, match="made before"):
        admissions.renegotiating(offer(MINE))


def test_a_live_offer_does_not_cover_another_certificate():
    admissions, _ = live()
    with pytest.raises(IdentityRejected, match="changes the certificate"):
        admissions.renegotiating(offer(MINE, OTHER))
    for other in (offer(OTHER), offer(MINE, lines=("a=tls-id:abc",))):
        with pytest.raises(IdentityRejected, match="changes the certificate"):
            admissions.renegotiating(other)


def test_a_renegotiation_may_bring_a_new_assertion():
    admissions, admission = live()
    admissions.accept(offer(MINE, token="new"), ALICE, 1, 1)
    assert admissions.renegotiating(offer(MINE, token="new")) is admission
    assert admissions.awaited(CERTIFICATE) is None


def test_an_offer_may_be_made_anew_while_nobody_has_come_for_it():
    admissions, admission = admitted()
    assert admissions.renegotiating(offer(MINE, token="new")) is None
    admissions.accept(offer(MINE, token="new"), ALICE, 40, 40)
    admissions.handle_timeout(WAITING_TIME)
    assert admissions.awaited(CERTIFICATE) is admission
    assert admissions.next_timeout() == 40 + WAITING_TIME


def test_another_certificate_does_not_prolong_an_admission():
    admissions, _ = admitted()
    with pytest.raises(IdentityRejected, match="changes the certificate"):
        admissions.accept(offer(MINE, OTHER, token="new"), ALICE, 40, 40)
    assert admissions.next_timeout() == WAITING_TIME


def test_a_certificate_that_was_announced_by_two_hashes_for_two_is_nobodys():
    admissions, _ = admitted()
    admissions.accept(offer(MINE_384, token="second"), MALLORY, 0, 0)
    assert admissions.awaited(CERTIFICATE) is None


@pytest.mark.parametrize("come", [True, False], ids=["its association has ended", "nobody came for it"])
def test_a_certificate_whose_admission_is_over_is_over(come: bool):
    admissions, admission = live() if come else admitted()
    admissions.release(admission)
    with pytest.raises(IdentityRejected, match="certificate was used before"):
        admissions.renegotiating(offer(MINE, token="new"))
    with pytest.raises(IdentityRejected, match="certificate was used before"):
        admissions.accept(offer(MINE, OTHER, token="new"), ALICE, 1, 1)
    admissions.accept(offer(MINE_384, token="by another hash"), ALICE, 1, 1)
    assert admissions.awaited(CERTIFICATE) is None


def test_a_fingerprint_belongs_to_one_identity_also_after_it_has_left():
    admissions, admission = live()
    for _ in range(2):
        with pytest.raises(IdentityRejected, match="another identity"):
            admissions.accept(offer(MINE, token="second"), MALLORY, 2, 2)
        admissions.release(admission)


def test_one_identity_cannot_use_up_the_conferences_offers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_OFFERS_PER_IDENTITY", 2)
    monkeypatch.setattr(module, "MAX_OFFERS", 3)
    admissions = Admissions()
    for number in range(2):
        admissions.accept(offer(MINE, token=f"{number}"), ALICE, 0, 0)
    with pytest.raises(IdentityRejected, match="too many"):
        admissions.accept(offer(MINE, token="2"), ALICE, 0, 0)
    admissions.accept(offer(OTHER, token="3"), MALLORY, 0, 0)
    with pytest.raises(IdentityRejected, match="too many"):
        admissions.accept(offer(OTHER, token="4"), MALLORY, 0, 0)


def test_strangers_leave_room_for_those_who_are_expected(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_OFFERS_OF_STRANGERS", 1)
    monkeypatch.setattr(module, "MAX_OFFERS", 2)
    admissions = Admissions()
    admissions.accept(offer(MINE, token="1"), MALLORY, 0, 0, is_stranger=True)
    with pytest.raises(IdentityRejected, match="too many"):
        admissions.accept(offer(OTHER, token="2"), "invented@idp-b.localhost", 0, 0, is_stranger=True)
    admissions.accept(offer(OTHER, token="3"), ALICE, 0, 0)
