"""Nobody gets keys whom the Key Distributor did not admit: policy and person, before and after DTLS."""

from __future__ import annotations

from uuid import uuid4

import pytest

from perc.ekt.key_channel import EktKeyAck
from perc.errors import NotPresent
from perc.key_distributor import waiting_room
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.conference import ACKNOWLEDGEMENT_LIMIT
from perc.key_distributor.events import AnswerRefused, EndpointKeyed, EndpointLeft, JoinRequested, RosterChanged
from perc.key_distributor.rekey import RekeyPolicy
from perc.key_distributor.waiting_room import MAX_WAITING_PER_IDENTITY, WAITING_LIMIT
from perc.tunnel.messages import SignAnswerReject
from tests.key_distributor.sctp_client import SctpClient
from tests.key_distributor.site import Endpoint, Site

ALICE, BOB = "alice@idp-a.localhost", "bob@idp-a.localhost"
HOST_ONLY = AdmissionPolicy.of([ALICE], "ask")


def knocking(site: Site, name: str = BOB) -> Endpoint:
    endpoint = site.join(name)
    assert endpoint.dtls.completed
    assert endpoint.messages == []
    return endpoint


def admit(site: Site, endpoint: Endpoint) -> None:
    site.take(site.kd.admit(endpoint.id, site.now))
    site.settle()


def deny(site: Site, endpoint: Endpoint) -> None:
    site.take(site.kd.deny(endpoint.id, site.now))
    site.settle()


def remove(site: Site, name: str) -> None:
    member = next(member for member in site.kd.roster if member.identity == name)
    site.take(site.kd.remove(member.id.hex(), site.now))
    site.settle()


def member_names(site: Site) -> list[str]:
    return [member.identity for member in site.kd.roster]


@pytest.fixture
def site() -> Site:
    return Site(RekeyPolicy.ON_MEMBERSHIP, guests=HOST_ONLY)


def test_who_is_no_guest_waits_without_key_and_roster(site: Site):
    site.join(ALICE)
    bob = knocking(site)
    assert site.happened(JoinRequested) == [
        JoinRequested(bob.id, BOB, "idp-a.localhost:8001", site.kd.roster[0].verified_at)
    ]
    site.wait(100)
    assert bob.messages == []
    assert member_names(site) == [ALICE]


def test_by_default_everyone_waits():
    site = Site(guests=AdmissionPolicy())
    knocking(site, ALICE)
    assert site.kd.roster == ()


def test_an_admitted_guest_gets_a_key_that_nobody_had_before(site: Site):
    alice, bob = site.join(ALICE), knocking(site)
    site.wait(10)
    admit(site, bob)
    site.wait(1)
    assert bob.keys == alice.keys[1:]
    assert member_names(site) == [ALICE, BOB]
    assert [event.association_id for event in site.happened(EndpointKeyed)] == [alice.id, bob.id]


def test_what_a_guest_announces_counts_once_it_is_admitted(site: Site):
    alice, bob = site.join(ALICE), knocking(site)
    bob.announce(7)
    bob.announce(7, 8)
    site.settle()
    admit(site, bob)
    site.wait(1)
    assert [source.ssrc for source in alice.roster.members[1].sources] == [7, 8]


def test_an_announcement_that_is_not_allowed_ends_the_guest_when_it_is_admitted(site: Site):
    bob = knocking(site)
    bob.announce(7, 7)
    site.settle()
    admit(site, bob)
    assert "illegal parameter" in str(bob.dtls.error)
    assert site.kd.roster == ()


def test_a_guest_has_no_key_to_acknowledge(site: Site):
    bob = knocking(site)
    bob.say(EktKeyAck(1))
    site.settle()
    assert "illegal parameter" in str(bob.dtls.error)


def test_a_denied_guest_is_told_and_gone(site: Site):
    bob = knocking(site)
    deny(site, bob)
    assert "access denied" in str(bob.dtls.error)
    assert bob.disconnected
    assert bob.messages == []
    assert [left.association_id for left in site.happened(EndpointLeft)] == [bob.id]


def test_a_denied_guest_may_ask_again(site: Site):
    deny(site, knocking(site))
    again = knocking(site)
    assert site.happened(JoinRequested)[-1].association_id == again.id


def test_an_admitted_identity_is_not_asked_about_again(site: Site):
    bob = knocking(site)
    admit(site, bob)
    bob.dtls.shutdown()
    site.settle()
    site.wait(1)
    assert len(site.join(BOB).keys) == 1


def test_admitting_one_of_an_identitys_endpoints_admits_the_others(site: Site):
    first, second = knocking(site), knocking(site)
    admit(site, second)
    site.wait(1)
    assert first.keys[-1] == second.keys[-1]


@pytest.mark.parametrize("decide", ["admit", "deny"])
def test_a_decision_about_nobody(site: Site, decide: str):
    gone = knocking(site)
    gone.dtls.shutdown()
    site.settle()
    for association_id in (gone.id, uuid4()):
        with pytest.raises(NotPresent):
            site.take(getattr(site.kd, decide)(association_id, site.now))
    assert site.join(BOB).messages == []


def test_the_media_distributor_cannot_admit_by_naming_a_member_for_a_guest(site: Site):
    """A ClientHello under a guest's association_id is that association's, and waits as it does."""
    bob = knocking(site)
    stranger = Endpoint()
    stranger.id = bob.id
    site.shake_hands(stranger)
    assert not stranger.dtls.completed
    assert stranger.messages == []


def test_a_guest_that_reopens_its_channel_asks_once(site: Site):
    bob = knocking(site)
    bob.sctp = SctpClient(bob.dtls.send)
    site.open_channel(bob)
    assert len(site.happened(JoinRequested)) == 1


def test_nobody_waits_for_ever(site: Site):
    bob = knocking(site)
    site.wait(WAITING_LIMIT - 1)
    assert bob.dtls.error is None
    site.wait(1)
    assert "access denied" in str(bob.dtls.error)


def test_one_identity_does_not_fill_the_waiting_room(site: Site):
    for _ in range(MAX_WAITING_PER_IDENTITY):
        knocking(site)
    assert "access denied" in str(site.join(BOB).dtls.error)
    knocking(site, "carol@idp-a.localhost")


def test_the_waiting_room_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting_room, "MAX_WAITING", 1)
    knocking(site)
    assert "access denied" in str(site.join("carol@idp-a.localhost").dtls.error)
    assert len(site.happened(JoinRequested)) == 1


def test_who_is_refused_gets_no_signed_answer():
    site = Site(guests=AdmissionPolicy.of([ALICE], "refuse"))
    bob = Endpoint()
    site.admit(bob, BOB)
    reason = f"the host does not admit {BOB}"
    assert [event.reason for event in site.happened(AnswerRefused)] == [reason]
    assert [reject.reason for reject in site.heard(SignAnswerReject)] == [reason]
    assert site.signed == []
    site.shake_hands(bob)
    assert not bob.dtls.completed


def test_a_refused_certificate_is_still_its_owners():
    """A refusal leaves nothing behind: whoever is on the list may come with an offer of its own."""
    site = Site(guests=AdmissionPolicy.of([ALICE], "refuse"))
    endpoint = Endpoint()
    site.admit(endpoint, BOB)
    endpoint.token = "another assertion"
    assert len(site.join(ALICE, endpoint).keys) == 1


def test_a_new_policy_counts_for_those_who_wait(site: Site):
    bob, carol, dave = knocking(site), knocking(site, "carol@idp-a.localhost"), knocking(site, "dave@idp-a.localhost")
    site.take(site.kd.set_admission_policy(AdmissionPolicy.of([BOB], "ask"), site.now))
    site.settle()
    assert (len(bob.keys), carol.messages) == (1, [])
    site.take(site.kd.set_admission_policy(AdmissionPolicy.of([BOB], "refuse"), site.now))
    site.settle()
    for guest in (carol, dave):
        assert "access denied" in str(guest.dtls.error)
    assert member_names(site) == [BOB]


def test_a_policy_that_changed_since_the_offer_counts_at_the_door(site: Site):
    bob = Endpoint()
    site.admit(bob, BOB)
    site.take(site.kd.set_admission_policy(AdmissionPolicy.of([], "refuse"), site.now))
    site.shake_hands(bob)
    site.open_channel(bob)
    assert "access denied" in str(bob.dtls.error)
    assert bob.messages == []


def test_a_removed_member_is_told_gone_and_locked_out_by_a_new_key(site: Site):
    alice, bob = site.join(ALICE), knocking(site)
    admit(site, bob)
    site.wait(1)
    before = [key.spi for key in bob.keys]
    remove(site, BOB)
    assert "access denied" in str(bob.dtls.error)
    assert bob.disconnected
    site.wait(1)
    assert member_names(site) == [ALICE]
    assert alice.keys[-1].spi not in before
    assert [key.spi for key in bob.keys] == before


def test_an_identity_is_removed_from_wherever_it_has_joined(site: Site):
    first = knocking(site)
    admit(site, first)
    second = site.join(BOB)
    remove(site, BOB)
    for endpoint in (first, second):
        assert "access denied" in str(endpoint.dtls.error)
    assert site.kd.roster == ()


@pytest.mark.parametrize("guests", [HOST_ONLY, AdmissionPolicy.of([BOB], "admit")], ids=["asked", "guest"])
def test_a_removed_identity_is_asked_about_whatever_the_policy_says(guests: AdmissionPolicy):
    site = Site(guests=guests)
    bob = site.join(BOB)
    if not bob.keys:
        admit(site, bob)
    remove(site, BOB)
    again = knocking(site)
    admit(site, again)
    assert len(again.keys) == 1


def test_removing_nobody(site: Site):
    site.join(ALICE)
    for member_id in ("00" * 16, "", "no hex"):
        with pytest.raises(NotPresent):
            site.take(site.kd.remove(member_id, site.now))
    assert member_names(site) == [ALICE]


def test_a_member_that_does_not_acknowledge_a_key_is_shown_and_then_dropped(site: Site):
    alice, bob = site.join(ALICE), knocking(site)
    admit(site, bob)
    site.wait(1)
    bob.acknowledges = False
    site.wait(150)  # half of ekt_ttl: a new key
    site.wait(ACKNOWLEDGEMENT_LIMIT - 2)
    shown = site.happened(RosterChanged)[-1]
    assert [member.spi == shown.spi for member in shown.members] == [True, False]
    assert shown.spi == alice.keys[-1].spi
    site.wait(3)
    assert [left.reason for left in site.happened(EndpointLeft)] == ["the EKTKey was not acknowledged"]
    assert bob.dtls.closed
    assert bob.dtls.error is None, "nobody has decided against it"
    assert member_names(site) == [ALICE]
    assert bob.keys[-1].spi != alice.keys[-1].spi


def test_rekeys_do_not_put_off_the_day_of_reckoning(site: Site):
    """A Media Distributor that withholds acknowledgements cannot keep a member by causing rekeys."""
    site.join(ALICE)
    silent = Endpoint()
    silent.acknowledges = False
    site.join(ALICE, silent)
    for number in range(12):
        site.wait(ACKNOWLEDGEMENT_LIMIT / 10)
        site.join(f"guest{number}@idp-a.localhost")
        site.take(site.kd.set_admission_policy(AdmissionPolicy.of([], "admit"), site.now))
    assert [left.association_id for left in site.happened(EndpointLeft)] == [silent.id]
