"""What a lost tunnel costs: time. What whoever cuts it gains: nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from perc.errors import ApiMisuse, CertificateError, HandshakeFailure
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.associations import RESUME_LIMIT
from perc.key_distributor.conference import ACKNOWLEDGEMENT_LIMIT
from perc.key_distributor.ekt_keys import EKT_TTL
from perc.key_distributor.events import (
    Connected,
    ConnectionClosed,
    ConnectionFailed,
    EndpointKeyed,
    EndpointLeft,
    JoinRequested,
    RosterChanged,
)
from perc.key_distributor.rekey import RekeyPolicy
from perc.tunnel.messages import EndpointDisconnect, MediaKeys, TunneledDtls
from perc.x509.path import TrustAnchors
from tests.driving import run
from tests.key_distributor.peers import CONFERENCE
from tests.key_distributor.site import NOW, ROOT, Endpoint, Site, server_context

BOB = "bob@idp-a.localhost"


def records(site: Site) -> list[tuple[Endpoint, bytes, bytes]]:
    """Every DTLS record that went to an endpoint in a numbered epoch: whose, its number, all of it."""
    found = []
    for message in site.heard(TunneledDtls):
        rest = message.dtls_message
        while rest:
            length = 13 + int.from_bytes(rest[11:13], "big")
            if rest[3:5] != b"\0\0":
                found.append((site.endpoints[message.association_id], rest[3:11], rest[:length]))
            rest = rest[length:]
    return found


def assert_nothing_is_used_twice(site: Site) -> None:
    """One record for each number, hop keys once for each association, one EKTKey for each SPI."""
    numbered: dict[tuple[Endpoint, bytes], bytes] = {}
    for endpoint, number, record in records(site):
        assert numbered.setdefault((endpoint, number), record) == record
    keyed = [message.association_id for message in site.heard(MediaKeys)]
    assert len(keyed) == len(set(keyed))
    spis: dict[int, bytes] = {}
    for endpoint in site.endpoints.values():
        for key in endpoint.keys:
            assert spis.setdefault(key.spi, key.key) == key.key


def test_who_is_here_stays_and_goes_on():
    site = Site()
    alice, bob = site.join(), site.join(BOB)
    members = site.kd.roster
    assert site.cut() == [ConnectionClosed()]
    assert site.kd.roster == members
    site.wait(20)
    assert [type(event) for event in site.reconnect()] == [Connected]
    alice.announce(7)
    site.wait(0.2)
    assert [source.ssrc for member in bob.roster.members for source in member.sources] == [7]
    site.wait(EKT_TTL / 2)
    assert [len(each.keys) for each in (alice, bob)] == [2, 2]
    assert {member.spi for member in site.kd.roster} == {alice.keys[-1].spi}
    assert_nothing_is_used_twice(site)


def test_who_comes_after_the_outage_joins_those_who_stayed():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice = site.join()
    site.cut()
    site.wait(20)
    site.reconnect()
    bob = site.join(BOB)
    assert bob.keys[-1].key == alice.keys[-1].key
    assert len(bob.roster.members) == 2
    assert_nothing_is_used_twice(site)


def test_an_outage_is_not_held_against_those_who_could_not_answer():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice, bob = site.join(), Endpoint()
    bob.acknowledges = False
    site.join(BOB, bob)
    site.wait(ACKNOWLEDGEMENT_LIMIT - 5)
    site.cut()
    site.wait(100)
    site.reconnect()
    assert site.happened(EndpointLeft) == []
    site.wait(4)
    assert site.happened(EndpointLeft) == []
    site.wait(2)
    assert [left.association_id for left in site.happened(EndpointLeft)] == [bob.id]
    assert len(alice.roster.members) == 1


def test_keys_grow_old_in_an_outage_and_one_new_key_makes_up_for_it():
    site = Site()
    alice, bob = site.join(), site.join(BOB)
    site.wait(100)
    site.cut()
    site.wait(EKT_TTL - 1)
    site.reconnect()
    assert [len(each.keys) for each in (alice, bob)] == [2, 2]
    assert alice.keys[-1].ttl == EKT_TTL
    site.wait(EKT_TTL / 2 - 1)
    assert len(alice.keys) == 2
    site.wait(1)
    assert len(alice.keys) == 3


def test_an_old_key_is_not_told_with_a_longer_life_after_an_outage():
    site = Site()
    alice = site.join()
    site.wait(10)
    site.cut()
    site.wait(100)
    site.reconnect()
    bob = site.join(BOB)
    assert bob.keys[-1].key == alice.keys[-1].key
    assert bob.keys[-1].ttl == EKT_TTL - 110


def test_nobody_waits_longer_for_a_tunnel_than_keys_live():
    site = Site()
    alice, bob = site.join(), site.join(BOB)
    site.cut()
    assert site.kd.next_timeout() == site.now + RESUME_LIMIT
    assert site.wait(RESUME_LIMIT - 1) == []
    ended = site.wait(1)
    assert [type(event) for event in ended] == [EndpointLeft, EndpointLeft, RosterChanged]
    assert site.kd.roster == ()
    assert site.kd.next_timeout() is None
    site.reconnect()
    assert site.heard(EndpointDisconnect) == [EndpointDisconnect(alice.id), EndpointDisconnect(bob.id)]
    assert alice.dtls.closed
    assert len(site.join("carol@idp-a.localhost").keys) == 1
    assert_nothing_is_used_twice(site)


def test_an_association_whose_hop_keys_may_be_lost_ends():
    site = Site()
    bob = Endpoint()
    site.admit(bob, BOB)
    site.lose = lambda _: bool(site.heard(MediaKeys))  # the flight with Finished
    site.shake_hands(bob)
    assert [keys.association_id for keys in site.heard(MediaKeys)] == [bob.id]
    left, closed = site.cut()
    assert isinstance(left, EndpointLeft)
    assert left.association_id == bob.id
    assert isinstance(closed, ConnectionClosed)
    site.reconnect()
    assert site.heard(EndpointDisconnect) == [EndpointDisconnect(bob.id)]
    site.wait(5)
    assert len(site.heard(MediaKeys)) == 1


def test_a_handshake_that_has_no_keys_yet_goes_on():
    site = Site()
    bob = Endpoint()
    site.admit(bob, BOB)
    site.lose = lambda _: True
    site.shake_hands(bob)
    site.cut()
    site.wait(30)
    site.lose = lambda _: False
    site.reconnect()
    site.wait(1.5)
    assert bob.dtls.completed
    site.open_channel(bob)
    assert len(bob.keys) == 1
    assert len(site.heard(MediaKeys)) == 1


def test_someone_removed_in_an_outage_is_gone_with_the_next_tunnel():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice, bob = site.join(), site.join(BOB)
    site.wait(5)
    site.cut()
    (member,) = [each for each in site.kd.roster if each.identity == BOB]
    left, changed = site.take(site.kd.remove(member.id.hex(), site.now))
    assert isinstance(left, EndpointLeft)
    assert isinstance(changed, RosterChanged)
    assert [each.identity for each in changed.members] == ["alice@idp-a.localhost"]
    assert changed.spi == alice.keys[-1].spi, "no key is made that cannot be told"
    assert not bob.dtls.closed
    known = len(alice.keys)
    site.reconnect()
    site.wait(0.3)
    assert bob.dtls.error is not None
    assert bob.disconnected
    assert len(alice.keys) == known + 1
    assert alice.keys[-1].key not in [key.key for key in bob.keys]
    assert [member.identity for member in alice.roster.members] == ["alice@idp-a.localhost"]


def test_who_is_admitted_in_an_outage_comes_in_with_the_next_tunnel():
    site = Site(guests=AdmissionPolicy.of(("alice@idp-a.localhost",), "ask"))
    alice, bob = site.join(), site.join(BOB)
    (asked,) = site.happened(JoinRequested)
    site.wait(10)
    site.cut()
    site.wait(50)
    assert site.take(site.kd.admit(asked.association_id, site.now)) == []
    site.wait(50)
    site.reconnect()
    assert [keyed.association_id for keyed in site.happened(EndpointKeyed)] == [alice.id, bob.id]
    assert [key.ttl for key in bob.keys] == [EKT_TTL - 110]


def test_who_is_denied_in_an_outage_is_told_with_the_next_tunnel():
    site = Site(guests=AdmissionPolicy.of((), "ask"))
    bob = site.join(BOB)
    site.cut()
    assert len(site.take(site.kd.deny(bob.id, site.now))) == 1
    site.reconnect()
    assert bob.disconnected
    assert bob.keys == []


def test_who_left_in_the_outage_is_said_by_the_media_distributor():
    site = Site()
    site.join()
    bob = site.join(BOB)
    site.cut()
    site.reconnect()
    (left, *_) = site.send(EndpointDisconnect(bob.id))
    assert isinstance(left, EndpointLeft)
    assert [member.identity for member in site.kd.roster] == ["alice@idp-a.localhost"]


def test_a_farewell_that_may_have_been_lost_is_said_again():
    site = Site()
    site.join()
    bob = site.join(BOB)
    site.send(EndpointDisconnect(bob.id))
    assert site.heard(EndpointDisconnect) == [EndpointDisconnect(bob.id)]
    site.cut()
    site.reconnect()
    assert site.heard(EndpointDisconnect) == [EndpointDisconnect(bob.id)] * 2
    assert_nothing_is_used_twice(site)


def open_badly(site: Site, trust: list[bytes]) -> list[object]:
    """A tunnel whose Media Distributor has no certificate that is trusted."""
    site.tls = SSL.Connection(server_context(), None)
    site.tls.set_accept_state()
    run(site.kd.open("md.example", TrustAnchors(trust), CONFERENCE, NOW))
    return list(site.settle())


def test_a_resumed_tunnel_authenticates_as_the_first_did():
    site = Site()
    alice = site.join()
    site.cut()
    (failed,) = open_badly(site, [])
    assert isinstance(failed, ConnectionFailed)
    assert isinstance(failed.error, CertificateError)
    assert len(site.kd.roster) == 1
    site.wait(10)
    site.reconnect()
    assert site.tls.get_peer_certificate() is not None
    alice.announce(7)
    site.settle()
    site.wait(0.2)
    assert [source.ssrc for source in alice.roster.members[0].sources] == [7]


def test_associations_do_not_go_to_another_media_distributor():
    site = Site()
    site.join()
    site.cut()
    with pytest.raises(ApiMisuse, match="another Media Distributor"):
        run(site.kd.open("other.example", TrustAnchors([ROOT.der]), CONFERENCE, NOW))
    site.wait(RESUME_LIMIT)
    run(site.kd.open("other.example", TrustAnchors([ROOT.der]), CONFERENCE, NOW))


def test_tries_that_fail_do_not_make_the_wait_longer():
    site = Site()
    site.join()
    site.cut()
    end = site.kd.next_timeout()
    for _ in range(3):
        site.wait(50)
        run(site.kd.open("md.example", TrustAnchors([ROOT.der]), CONFERENCE, NOW))
        site.cut()
    assert site.kd.next_timeout() == end


def test_a_media_distributor_without_a_profile_in_use_cannot_go_on():
    site = Site()
    site.join()
    profile = site.heard(MediaKeys)[0].profile
    site.cut()
    left, *_, failed = site.reconnect(profiles=[each for each in (7, 8, 9, 10) if each != profile])
    assert isinstance(left, EndpointLeft)
    assert isinstance(failed, ConnectionFailed)
    assert isinstance(failed.error, HandshakeFailure)
    assert site.kd.roster == ()


def test_a_spoiled_record_ends_no_more_than_a_cut():
    site = Site()
    site.join()
    (failed,) = site.take(site.kd.receive_data(b"\x17\x03\x03\x00\x20" + bytes(32), site.now))
    assert isinstance(failed, ConnectionFailed)
    assert len(site.kd.roster) == 1
    assert [type(event) for event in site.reconnect()] == [Connected]


def test_a_media_distributor_that_ends_the_tunnel_in_order_ends_the_conference():
    site = Site()
    site.join()
    site.tls.shutdown()
    site.settle()
    assert site.events[-1] == ConnectionClosed()
    assert site.kd.roster == ()


def test_closing_in_an_outage_forgets_the_keys():
    site = Site()
    site.join()
    site.cut()
    assert [type(event) for event in site.take(site.kd.close())] == [EndpointLeft, RosterChanged]
    assert site.kd.next_timeout() is None


def test_a_key_distributor_that_slept_rekeys_once_and_drops_nobody():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    alice, bob = site.join(), Endpoint()
    bob.acknowledges = False
    site.join(BOB, bob)
    site.wait(5)
    known = [len(each.keys) for each in (alice, bob)]
    site.now += 3 * EKT_TTL
    site.take(site.kd.handle_timeout(site.now))
    site.settle()
    site.wait(5)
    assert [len(each.keys) for each in (alice, bob)] == [count + 1 for count in known]
    assert alice.keys[-1].ttl == EKT_TTL
    assert site.happened(EndpointLeft) == []
    bob.acknowledge()
    site.settle()
    site.wait(ACKNOWLEDGEMENT_LIMIT)
    assert site.happened(EndpointLeft) == []


def test_what_arrives_before_the_timers_of_one_who_slept_is_not_too_late():
    site = Site()
    alice = site.join()
    alice.acknowledges = False
    site.wait(EKT_TTL / 2 + 1)
    assert len(alice.keys) == 2
    site.now += ACKNOWLEDGEMENT_LIMIT * 4
    alice.acknowledge()
    site.settle()
    site.wait(1)
    assert site.happened(EndpointLeft) == []


steps = st.lists(
    st.one_of(
        st.just(("cut",)),
        st.just(("reconnect",)),
        st.just(("join",)),
        st.just(("replay",)),
        st.tuples(st.just("leave"), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 0.6, 5.0, 40.0, 160.0, 320.0])),
        st.tuples(st.just("sleep"), st.sampled_from([10.0, 1000.0])),
    ),
    max_size=14,
)


def perform(site: Site, step: tuple, number: int) -> None:
    is_up = site.kd.has_tunnel
    match step:
        case ("cut",) if is_up:
            site.cut()
        case ("reconnect",) if not is_up:
            site.reconnect()
        case ("join",) if is_up:
            site.join(f"guest{number}@idp-a.localhost")
        case ("leave", who) if is_up and site.endpoints:
            site.send(EndpointDisconnect(list(site.endpoints)[who % len(site.endpoints)]))
        case ("replay",) if is_up:
            site.send(*site.sent[-5:])
        case ("wait", seconds):
            site.wait(seconds)
        case ("sleep", seconds):
            site.now += seconds


@given(steps)
@settings(max_examples=15)
def test_however_tunnels_are_cut_nothing_is_used_twice(story: list[tuple]):
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    site.join()
    for number, step in enumerate(story):
        perform(site, step, number)
        assert_nothing_is_used_twice(site)
    site.wait(2 * RESUME_LIMIT)
    assert_nothing_is_used_twice(site)
