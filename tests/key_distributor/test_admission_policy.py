from __future__ import annotations

import pytest

from perc.errors import ApiMisuse
from perc.key_distributor import admission_policy
from perc.key_distributor.admission_policy import AdmissionPolicy, Decision, Guestbook

BOB = "bob@idp-b.localhost"


def test_by_default_everyone_is_asked_about():
    assert AdmissionPolicy().decide(BOB) is Decision.ASK


@pytest.mark.parametrize("guest", [BOB, "bob@IDP-B.localhost", "@idp-b.localhost"])
def test_guests_need_not_wait(guest: str):
    assert AdmissionPolicy.of([guest], "refuse").decide(BOB) is Decision.ADMIT


@pytest.mark.parametrize(
    "guest", ["BOB@idp-b.localhost", "@localhost", "@dp-b.localhost", "bob@idp-b.localhost.", "b@idp-b.localhost"]
)
def test_who_is_nearly_a_guest_is_none(guest: str):
    assert AdmissionPolicy.of([guest], "refuse").decide(BOB) is Decision.REFUSE


@pytest.mark.parametrize("guest", ["", "bob", "bob@", "@", "bob@idp@host"])
def test_an_entry_that_could_be_no_ones(guest: str):
    with pytest.raises(ApiMisuse):
        AdmissionPolicy.of([guest], "ask")


def test_an_unknown_decision():
    with pytest.raises(ApiMisuse):
        AdmissionPolicy.of([], "perhaps")


def test_a_guest_list_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(admission_policy, "MAX_GUESTS", 1)
    with pytest.raises(ApiMisuse):
        AdmissionPolicy.of([BOB, "@idp-a.localhost"], "ask")


def test_what_a_person_decided_counts_more_than_the_policy():
    book = Guestbook(AdmissionPolicy.of([], "refuse"))
    book.admit(BOB)
    assert book.decide(BOB) is Decision.ADMIT
    book.policy = AdmissionPolicy.of([BOB], "admit")
    book.remove(BOB)
    assert book.decide(BOB) is Decision.ASK
    assert book.decide("alice@idp-b.localhost") is Decision.ADMIT
