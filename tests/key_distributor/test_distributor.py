from __future__ import annotations

import pytest
from OpenSSL import SSL

from perc.ekt.ekt_key import SALT_LENGTH, EktKey
from perc.ekt.key_channel import Roster
from perc.errors import ApiMisuse, CertificateError
from perc.key_distributor import roster
from perc.key_distributor.distributor import KeyDistributor
from perc.key_distributor.events import (
    AnswerSigned,
    Connected,
    ConnectionClosed,
    ConnectionFailed,
    EndpointKeyed,
    EndpointLeft,
    RosterChanged,
    SourceRefused,
    ValidationRequested,
)
from perc.key_distributor.rekey import RekeyPolicy
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.messages import EndpointDisconnect, MediaKeys, TunneledDtls
from perc.x509.fingerprint import Fingerprint
from perc.x509.path import TrustAnchors
from tests.driving import run
from tests.key_distributor.peers import CONFERENCE
from tests.key_distributor.sctp_client import SctpClient
from tests.key_distributor.site import PROFILES, PROVIDER, ROOT, Endpoint, Site, server_context
from tests.x509.authority import NOW

ALICE = "alice@idp-a.localhost"


def test_an_endpoint_gets_its_key_and_the_roster():
    site = Site()
    assert site.events == [Connected(PROFILES)]
    alice = site.join()
    assert alice.dtls.completed
    (key,) = alice.keys
    assert (len(key.key), len(key.salt), key.ttl) == (16, SALT_LENGTH, 300)
    (member,) = alice.roster.members
    assert (member.id, member.identity, member.spi, member.sources) == (alice.roster.you, ALICE, 0, ())
    assert site.happened(EndpointKeyed) == [EndpointKeyed(alice.id, ALICE, alice.fingerprint)]
    site.wait(0.5)
    assert site.happened(RosterChanged)[-1] == RosterChanged(site.kd.roster, key.spi)


def test_the_media_distributor_gets_the_hop_keys_before_the_endpoint_gets_finished():
    site = Site()
    alice = site.join()
    (keys,) = site.heard(MediaKeys)
    exported = alice.dtls.export(56)
    assert keys.profile is Profile.AEAD_AES_128_GCM
    assert keys.client_write_key + keys.server_write_key == exported[:32]
    assert keys.client_write_salt + keys.server_write_salt == exported[32:]
    finished = next(
        number
        for number, message in enumerate(site.told)
        if isinstance(message, TunneledDtls) and b"\x16\xfe\xfd\x00\x01" in message.dtls_message
    )
    assert site.told.index(keys) < finished


def test_only_profiles_that_the_media_distributor_speaks_are_chosen():
    site = Site(profiles=(0x0008,))
    alice = site.join(endpoint=Endpoint(profiles=b"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM"))
    assert alice.dtls.completed
    (keys,) = site.heard(MediaKeys)
    assert (keys.profile, len(keys.client_write_key)) == (Profile.AEAD_AES_256_GCM, 32)


def test_without_a_common_profile_there_is_no_handshake():
    site = Site(profiles=(0x0008,))
    alice = Endpoint()
    site.admit(alice)
    (left,) = [event for event in site.shake_hands(alice) if isinstance(event, EndpointLeft)]
    assert left.identity is None
    assert not alice.dtls.completed
    assert alice.disconnected
    assert site.heard(MediaKeys) == []


def test_a_media_distributor_without_gcm_is_refused():
    site = Site(profiles=(0x0001, 0x0002))
    (failed,) = site.happened(ConnectionFailed)
    assert "no profile" in str(failed.error)
    assert site.happened(Connected) == []


def test_everyone_has_the_same_key_and_sees_everyone():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.wait(1)
    assert alice.keys[0].key == bob.keys[0].key
    assert [member.identity for member in alice.roster.members] == [ALICE, "bob@idp-a.localhost"]
    assert alice.roster.members == bob.roster.members
    assert alice.roster.you != bob.roster.you


def test_a_late_member_gets_what_is_left_of_the_keys_life():
    site = Site()
    site.join()
    site.wait(100)
    bob = site.join("bob@idp-a.localhost")
    assert bob.keys[0].ttl == 200


def test_sources_and_acknowledgements_are_told_to_everyone():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    alice.announce(1, 2)
    site.settle()
    site.wait(0.5)
    entry = bob.roster.members[0]
    assert [each.ssrc for each in entry.sources] == [1, 2]
    assert entry.spi == alice.keys[0].spi


def test_an_announcement_replaces_the_one_before():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    alice.announce(1, 2)
    site.settle()
    alice.announce(2, 3)
    site.settle()
    bob.announce(1)
    site.settle()
    site.wait(1)
    assert [[each.ssrc for each in member.sources] for member in bob.roster.members] == [[2, 3], [1]]
    assert site.happened(SourceRefused) == []


def test_a_second_claim_to_a_source_is_refused_and_the_claimant_told_at_once():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.wait(1)
    alice.announce(1)
    site.settle()
    site.wait(1)
    count = len(bob.messages)
    bob.announce(1, 5)
    site.settle()
    assert site.happened(SourceRefused) == [SourceRefused(bob.id, 1)]
    assert len(bob.messages) > count
    own = next(member for member in bob.roster.members if member.id == bob.roster.you)
    assert [each.ssrc for each in own.sources] == [5]
    bob.announce(1)
    count = len(bob.messages)
    site.settle()
    assert len(bob.messages) > count


def test_rosters_are_not_sent_more_often_than_needed():
    site = Site()
    alice = site.join()
    site.wait(1)
    count = len(alice.messages)
    for ssrc in range(1, 20):
        alice.announce(ssrc)
    site.settle()
    assert len(alice.messages) == count + 1
    site.wait(0.1)
    assert len(alice.messages) == count + 2
    assert [each.ssrc for each in alice.roster.members[0].sources] == [19]
    alice.announce(19)
    site.settle()
    site.wait(1)
    assert len(alice.messages) == count + 2


def test_a_newcomer_is_told_nothing_before_its_key():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.wait(0.5)
    assert [member.identity for member in alice.roster.members] == [ALICE, "bob@idp-a.localhost"]
    assert bob.messages == []
    site.wait(0.5)
    assert [type(message) for message in bob.messages[:2]] == [EktKey, Roster]


def test_what_is_new_comes_before_who_has_acknowledged():
    site = Site()
    alice = site.join()
    assert alice.roster.members[0].spi == 0
    site.wait(0.3)
    assert alice.roster.members[0].spi == 0
    alice.announce(7)
    site.settle()
    assert alice.roster.members[0].spi == alice.keys[0].spi
    bob = site.join("bob@idp-a.localhost")
    site.wait(0.1)
    assert [member.spi for member in alice.roster.members] == [alice.keys[0].spi, bob.keys[0].spi]
    count = len(alice.messages)
    site.wait(1)
    assert len(alice.messages) == count


def test_a_leaver_is_taken_from_the_roster_and_its_sources_are_free():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    bob.announce(7)
    site.settle()
    bob.dtls.shutdown()
    site.settle()
    site.wait(1)
    assert site.happened(EndpointLeft) == [
        EndpointLeft(bob.id, "bob@idp-a.localhost", "the endpoint closed the association")
    ]
    assert [member.identity for member in alice.roster.members] == [ALICE]
    assert bob.disconnected
    alice.announce(7)
    site.settle()
    assert site.happened(SourceRefused) == []


def test_the_media_distributor_may_end_an_association():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.send(EndpointDisconnect(bob.id))
    site.wait(1)
    assert [member.identity for member in alice.roster.members] == [ALICE]
    assert bob.dtls.closed
    assert EndpointDisconnect(bob.id) in site.told


def test_an_endpoint_that_comes_back_needs_a_new_offer_and_a_new_certificate():
    site = Site()
    alice = site.join()
    alice.dtls.shutdown()
    site.settle()
    again = Endpoint(alice.identity)
    site.shake_hands(again)
    assert not again.dtls.completed
    assert not site.join(endpoint=Endpoint(alice.identity)).dtls.completed
    assert site.join().dtls.completed
    assert [member.identity for member in site.kd.roster] == [ALICE]


def test_renegotiation_reuses_the_assertion_of_the_live_association():
    site = Site()
    alice = site.join()
    asked = len(site.happened(ValidationRequested))
    site.admit(alice)
    assert len(site.happened(ValidationRequested)) == asked
    assert len(site.happened(AnswerSigned)) == 2


def test_the_key_is_renewed_at_half_of_its_life_for_everyone():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.wait(149)
    assert len(alice.keys) == 1
    site.wait(2)
    assert [key.spi for key in alice.keys] == [key.spi for key in bob.keys]
    first, second = alice.keys
    assert first.key != second.key
    assert first.salt != second.salt
    assert second.spi == first.spi % 65535 + 1
    assert second.ttl == 300


def test_with_the_half_life_policy_joining_and_leaving_do_not_change_the_key():
    site = Site(RekeyPolicy.AT_HALF_LIFE)
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.send(EndpointDisconnect(bob.id))
    site.wait(10)
    assert len(alice.keys) == 1


def test_with_the_membership_policy_a_joiner_has_no_key_of_before_and_a_leaver_none_of_after():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice = site.join()
    site.wait(5)
    bob = site.join("bob@idp-a.localhost")
    assert [key.key for key in bob.keys] == [alice.keys[-1].key]
    assert len(alice.keys) == 2
    site.wait(5)
    site.send(EndpointDisconnect(bob.id))
    site.wait(0.3)
    assert len(alice.keys) == 3
    assert alice.keys[-1].key not in [key.key for key in bob.keys]


def test_those_who_join_in_a_crowd_share_a_rekey():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice = site.join()
    site.wait(5)
    others = [site.join(f"guest{number}@idp-a.localhost") for number in range(4)]
    assert [len(each.keys) for each in others] == [1, 0, 0, 0]
    assert len(site.happened(EndpointKeyed)) == 2
    site.wait(1)
    assert len(alice.keys) == 3
    assert {each.keys[-1].key for each in others} == {alice.keys[-1].key}
    assert [len(each.keys) for each in others] == [2, 1, 1, 1]


def test_a_lost_flight_is_sent_again():
    site = Site()
    alice = Endpoint()
    site.admit(alice)
    lost: list[TunneledDtls] = []
    site.lose = lambda message: len(lost) < 1 and (lost.append(message) or True)
    site.shake_hands(alice)
    assert not alice.dtls.completed
    site.wait(1.5)
    assert alice.dtls.completed
    assert len(site.heard(MediaKeys)) == 1


def test_a_lost_roster_is_sent_again():
    site = Site()
    alice = site.join()
    site.wait(1)
    site.lose = lambda _: True
    alice.announce(1)
    site.settle()
    site.lose = lambda _: False
    assert alice.roster.members[0].sources == ()
    site.wait(2)
    assert [each.ssrc for each in alice.roster.members[0].sources] == [1]


def test_an_endpoint_that_does_not_acknowledge_anything_is_let_go():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    bob.sctp.is_deaf = True
    alice.announce(1)
    site.settle()
    site.wait(149)
    assert [left.association_id for left in site.happened(EndpointLeft)] == [bob.id]
    assert [member.identity for member in site.kd.roster] == [ALICE]


def test_an_endpoint_that_reopens_its_channel_is_told_again(monkeypatch: pytest.MonkeyPatch):
    site = Site()
    alice = site.join()
    monkeypatch.setattr(roster, "MAX_MESSAGE_LENGTH", 0)  # there is room for no other, which must not matter
    alice.sctp = SctpClient(alice.dtls.send)
    site.open_channel(alice)
    assert len(alice.keys) == 1
    assert len(alice.roster.members) == 1


def test_an_endpoint_without_a_key_channel_does_not_stay():
    site = Site()
    alice = Endpoint()
    site.admit(alice)
    site.shake_hands(alice)
    site.wait(31)
    (left,) = site.happened(EndpointLeft)
    assert (left.identity, left.reason) == (ALICE, "no key channel was opened")
    assert alice.disconnected


def test_closing_says_goodbye_to_everyone():
    site = Site()
    alice = site.join()
    site.take(site.kd.close())
    site.settle()
    assert alice.dtls.closed
    assert alice.disconnected
    assert site.kd.roster == ()
    assert site.kd.next_timeout() is None
    assert isinstance(site.happened(EndpointLeft)[-1], EndpointLeft)


def test_a_connection_that_the_media_distributor_closes():
    site = Site()
    site.join()
    site.tls.shutdown()
    site.settle()
    assert site.events[-1] == ConnectionClosed()
    assert site.kd.roster == ()


def test_there_is_one_tunnel_at_a_time_and_one_conference():
    site = Site()
    with pytest.raises(ApiMisuse, match="already"):
        run(site.kd.open("md.example", TrustAnchors([]), CONFERENCE, NOW))
    site.take(site.kd.connection_lost(site.now))
    with pytest.raises(ApiMisuse, match="one conference"):
        run(site.kd.open("md.example", TrustAnchors([]), "http://elsewhere/", NOW))


def test_before_there_is_a_tunnel():
    kd = run(KeyDistributor.create(PROVIDER, NOW))
    assert kd.fingerprint == Fingerprint.of(kd.certificate.der)
    assert (kd.data_to_send(), kd.next_timeout(), kd.roster) == (b"", None, ())
    assert run(kd.handle_timeout(0)) == []
    assert run(kd.close()) == []
    with pytest.raises(ApiMisuse):
        run(kd.receive_data(b"", 0))
    with pytest.raises(ApiMisuse):
        run(kd.open("not a name", TrustAnchors([]), CONFERENCE, NOW))
    run(kd.open("md.example", TrustAnchors([]), CONFERENCE, NOW))
    assert kd.data_to_send()


@pytest.mark.parametrize(("host", "trust"), [("other.example", [ROOT.der]), ("md.example", [])])
def test_a_media_distributor_that_is_not_the_one_asked_for(host: str, trust: list[bytes]):
    site = Site()
    site.kd = run(KeyDistributor.create(PROVIDER, NOW))
    site.tls = SSL.Connection(server_context(), None)
    site.tls.set_accept_state()
    run(site.kd.open(host, TrustAnchors(trust), CONFERENCE, NOW))
    (failed,) = site.settle()
    assert isinstance(failed, ConnectionFailed)
    assert isinstance(failed.error, CertificateError)
    assert site.tls_error is not None  # it was told by an alert


def test_verified_at_is_the_time_of_the_verdict():
    site = Site()
    site.wait(100)
    site.join()
    assert site.kd.roster[0].verified_at == int(NOW.timestamp()) + 100
