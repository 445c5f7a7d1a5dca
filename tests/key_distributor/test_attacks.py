"""What a Media Distributor, an endpoint or another user may try: each has one test, which fails without its check."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from uuid import UUID, uuid4

import pytest

from perc.ekt.key_channel import Announce, EktKeyAck, Roster, write_message
from perc.errors import DecodeError, IllegalParameter, UnexpectedMessage
from perc.identity.contents import Purpose
from perc.key_distributor import endpoints, roster
from perc.key_distributor.events import (
    AnswerRefused,
    ConnectionClosed,
    ConnectionFailed,
    EndpointKeyed,
    EndpointLeft,
    FingerprintFailed,
    PeerValidated,
    ValidationRequested,
)
from perc.key_distributor.signing import IDENTITY_TIME_LIMIT
from perc.tunnel.messages import (
    EndpointDisconnect,
    MediaKeys,
    SignAnswer,
    SignAnswerAck,
    SignAnswerReject,
    SupportedProfiles,
    TunneledDtls,
    UnsupportedVersion,
)
from perc.tunnel.origin import origin_of
from perc.x509.fingerprint import Fingerprint
from tests.key_distributor.peers import BOB, CONFERENCE, answer_sdp, identity_value, offer, offer_sdp, verdict
from tests.key_distributor.site import Endpoint, Site, source

ALICE = "alice@idp-a.localhost"


def refusal(site: Site) -> str:
    """The reason of the last refusal, as the Media Distributor has it for the one who offered."""
    event = site.happened(AnswerRefused)[-1]
    assert site.heard(SignAnswerReject)[-1].reason == event.reason
    return event.reason


def still_works(site: Site) -> bool:
    endpoint = site.join("late@idp-a.localhost")
    return bool(endpoint.keys) and not endpoint.disconnected


def tunneled(endpoint: Endpoint) -> list[TunneledDtls]:
    return [TunneledDtls(endpoint.id, datagram) for datagram in endpoint.dtls.datagrams_to_send()]


# An endpoint with another certificate


def test_a_certificate_that_matches_no_validated_offer_gets_no_keys():
    site = Site()
    awaited = Endpoint()
    site.admit(awaited)
    mallory = Endpoint()
    site.shake_hands(mallory)
    assert site.happened(FingerprintFailed) == [
        FingerprintFailed(mallory.id, mallory.fingerprint, (awaited.fingerprint,))
    ]
    assert "certificate unknown" in str(mallory.dtls.error)
    assert mallory.disconnected
    assert site.heard(MediaKeys) == []
    site.shake_hands(awaited)
    assert awaited.dtls.completed


def test_nobody_gets_in_before_an_offer_was_validated():
    site = Site()
    alice = Endpoint()
    site.send(SignAnswer(offer_sdp(alice.fingerprint), answer_sdp(site.kd.fingerprint)))
    assert len(site.happened(ValidationRequested)) == 1
    site.shake_hands(alice)
    assert site.heard(MediaKeys) == []
    assert len(site.happened(FingerprintFailed)) == 1


def test_an_admission_is_for_one_association():
    site = Site()
    first = site.join()
    second = Endpoint(first.identity)
    site.shake_hands(second)
    assert [keys.association_id for keys in site.heard(MediaKeys)] == [first.id]
    assert not second.dtls.completed


def test_an_admission_that_is_claimed_between_certificate_and_finished_is_not_claimed_again():
    site = Site()
    first = Endpoint()
    second = Endpoint(first.identity)
    site.admit(first)
    site.held = {first.id, second.id}
    for endpoint in (first, second):
        site.shake_hands(endpoint)
        site.send(*tunneled(endpoint))
    flights = tunneled(first), tunneled(second)
    site.send(*flights[0][:-1], *flights[1][:-1])
    site.send(flights[0][-1], flights[1][-1])
    assert [keys.association_id for keys in site.heard(MediaKeys)] == [first.id]
    assert first.dtls.completed
    assert not second.dtls.completed
    assert second.disconnected


def test_an_admission_expires():
    site = Site()
    alice = Endpoint()
    site.admit(alice)
    site.wait(61)
    site.shake_hands(alice)
    assert site.heard(MediaKeys) == []


# Identities


def with_extension(value: str) -> str:
    return f"{value} x=1"


def with_whitespace(value: str) -> str:
    return base64.b64encode(json.dumps(json.loads(base64.b64decode(value)), indent=1).encode()).decode()


def with_member(value: str) -> str:
    return base64.b64encode(json.dumps({**json.loads(base64.b64decode(value)), "more": 1}).encode()).decode()


REWRITINGS: list[Callable[[str], str]] = [str, with_extension, with_whitespace, with_member]


def replayed(site: Site, endpoint: Endpoint, rewritten: Callable[[str], str] = str) -> SignAnswer:
    """The endpoint's offer once more, its a=identity written in another way."""
    value = identity_value(endpoint.token)
    offered = offer_sdp(endpoint.fingerprint, token=endpoint.token).replace(value.encode(), rewritten(value).encode())
    return SignAnswer(offered, answer_sdp(site.kd.fingerprint))


@pytest.mark.parametrize("rewritten", REWRITINGS)
def test_an_offer_is_not_accepted_twice(rewritten: Callable[[str], str]):
    site = Site()
    alice = Endpoint()
    site.admit(alice)
    site.sign(replayed(site, alice, rewritten), verdict(alice.fingerprint))
    assert "made before" in refusal(site)


@pytest.mark.parametrize("rewritten", REWRITINGS)
def test_an_offer_is_not_considered_twice_at_a_time(rewritten: Callable[[str], str]):
    site = Site()
    alice = Endpoint()
    site.send(replayed(site, alice))
    site.send(replayed(site, alice, rewritten))
    assert "considered already" in refusal(site)


@pytest.mark.parametrize("rewritten", REWRITINGS)
def test_an_offer_is_not_accepted_again_after_its_association(rewritten: Callable[[str], str]):
    site = Site()
    alice = site.join()
    site.send(EndpointDisconnect(alice.id))
    site.sign(replayed(site, alice, rewritten), verdict(alice.fingerprint))
    assert "made before" in refusal(site)
    assert gets_no_keys(site, alice)


def test_a_certificate_is_not_accepted_again_after_its_association():
    """Whatever the assertion: the signature in one can be written in another way that is as good."""
    site = Site()
    alice = site.join()
    site.send(EndpointDisconnect(alice.id))
    alice.token = "as good"
    site.admit(alice)
    assert "certificate was used before" in refusal(site)
    assert len(site.happened(PeerValidated)) == 1
    assert gets_no_keys(site, alice)


def test_a_certificate_is_not_accepted_again_for_an_offer_that_nobody_came_for():
    site = Site()
    alice = Endpoint()
    site.admit(alice)
    site.wait(61)
    alice.token = "as good"
    site.admit(alice)
    assert "certificate was used before" in refusal(site)
    assert gets_no_keys(site, alice)


def test_an_association_that_ends_while_its_offer_is_considered_leaves_no_admission():
    site = Site()
    alice = site.join()
    alice.token = "renegotiation"
    _, asked = site.send(replayed(site, alice))
    assert isinstance(asked, ValidationRequested)
    site.send(EndpointDisconnect(alice.id))
    site.take(site.kd.validated(asked.request_id, verdict(alice.fingerprint), site.now))
    site.settle()
    assert "certificate was used before" in refusal(site)
    assert gets_no_keys(site, alice)


def test_a_certificate_is_not_accepted_again_by_another_hash():
    """The assertion covers two hashes of one certificate; the Media Distributor shows one of them at a time."""
    site = Site()
    alice = site.join()
    other = Fingerprint.of(alice.identity.der, "sha-384")
    site.sign(SignAnswer(offer_sdp(other, token="2"), answer_sdp(site.kd.fingerprint)), verdict(other))
    assert gets_no_keys(site, Endpoint(alice.identity))
    site.send(EndpointDisconnect(alice.id))
    assert gets_no_keys(site, Endpoint(alice.identity))


def gets_no_keys(site: Site, endpoint: Endpoint) -> bool:
    """Though it comes with its certificate again, on an association of its own."""
    again = Endpoint(endpoint.identity)
    site.shake_hands(again)
    return again.disconnected and again.id not in {keys.association_id for keys in site.heard(MediaKeys)}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"purpose": Purpose("http://localhost:8000/perc/other")}, "another conference"),
        ({"purpose": Purpose(CONFERENCE, "hash")}, "not made for an offer"),
        ({"name": "alice@idp-b.localhost"}, "another domain"),
    ],
    ids=["another conference", "an answer", "another domain"],
)
def test_an_assertion_for_something_else_is_refused(said, reason):
    site = Site()
    alice = Endpoint()
    message = SignAnswer(offer_sdp(alice.fingerprint), answer_sdp(site.kd.fingerprint))
    site.sign(message, verdict(alice.fingerprint, **said))
    assert reason in refusal(site)
    site.shake_hands(alice)
    assert site.heard(MediaKeys) == []


def test_a_fingerprint_smuggled_into_an_offer_is_refused():
    site = Site()
    mallory = Endpoint()
    offered = offer_sdp(BOB, lines=(f"a=fingerprint:{mallory.fingerprint}",))
    site.sign(SignAnswer(offered, answer_sdp(site.kd.fingerprint)), verdict(BOB))
    assert "does not cover" in refusal(site)
    site.shake_hands(mallory)
    assert site.heard(MediaKeys) == []


def test_a_certificate_of_one_user_is_not_accepted_as_anothers():
    site = Site()
    alice = site.join()
    stolen = SignAnswer(offer_sdp(alice.fingerprint, token="mallory's"), answer_sdp(site.kd.fingerprint))
    site.sign(stolen, verdict(alice.fingerprint, name="mallory@idp-a.localhost"))
    assert "another identity" in refusal(site)
    assert [member.identity for member in site.kd.roster] == [ALICE]


def test_an_identity_provider_that_stalls_holds_up_nobody_else():
    site = Site()
    stalled = Endpoint()
    message = SignAnswer(offer_sdp(stalled.fingerprint), answer_sdp(site.kd.fingerprint))
    site.send(message)
    others = [site.join(f"guest{number}@idp-a.localhost") for number in range(3)]
    assert all(other.keys for other in others)
    site.wait(IDENTITY_TIME_LIMIT - 0.1)
    assert site.heard(SignAnswerReject) == []
    site.wait(0.2)
    (rejected,) = site.heard(SignAnswerReject)
    assert rejected == SignAnswerReject(origin_of(message.answer), "your identity provider did not answer in time")
    site.shake_hands(stalled)
    assert not stalled.dtls.completed


# The Key Distributor's signature


def test_an_answer_with_a_fingerprint_of_the_media_distributor_is_not_signed():
    site = Site()
    for answer in (answer_sdp(BOB), answer_sdp(site.kd.fingerprint, media=(f"a=fingerprint:{BOB}",))):
        site.send(SignAnswer(offer_sdp(BOB), answer))
        assert "not the Key Distributor's" in refusal(site)
        assert site.heard(SignAnswerReject)[-1].origin == origin_of(answer)
    assert site.happened(ValidationRequested) == []
    assert still_works(site)


def test_a_signed_answer_is_no_offer():
    site = Site()
    site.join()
    signed = site.signed[-1].answer
    purpose = Purpose(CONFERENCE, offer(BOB).hash)
    said = verdict(site.kd.fingerprint, name="owner@idp-b.localhost", purpose=purpose)
    site.sign(SignAnswer(signed, answer_sdp(site.kd.fingerprint)), said)
    assert "not made for an offer" in refusal(site)


# The tunnel


@pytest.mark.parametrize("octets", [b"\x00", b"\x04\x00\x01a", b"\x06\x00\x03\x00\x00\x00", b"\x01\x00\x00"])
def test_malformed_tunnel_messages_end_the_tunnel(octets: bytes):
    site = Site()
    site.send_raw(octets)
    (failed,) = site.happened(ConnectionFailed)
    assert isinstance(failed.error, DecodeError)
    assert site.kd.next_timeout() is None


def test_another_version_is_answered_and_closed():
    site = Site()
    site.take(site.kd.connection_lost(site.now))
    site.reconnect_with(SupportedProfiles((), version=9))
    assert UnsupportedVersion(0) in site.told
    assert isinstance(site.events[-1], ConnectionFailed)


def test_messages_of_the_wrong_direction_end_the_tunnel():
    site = Site()
    site.join()
    site.send_forged(SignAnswerAck(answer_sdp()))
    assert isinstance(site.happened(ConnectionFailed)[0].error, UnexpectedMessage)
    assert site.kd.roster == ()


def test_what_stands_before_and_after_a_malformed_message():
    site = Site()
    alice = Endpoint()
    site.send_raw(b"\x05\x00\x10" + alice.id.bytes + b"\x05\x00\x00" + b"\x05\x00\x10" + alice.id.bytes)
    (failed,) = site.happened(ConnectionFailed)
    assert isinstance(failed.error, DecodeError)


def test_a_malformed_message_together_with_the_end_of_the_connection():
    """The reply to it cannot be sent any more, which must not matter."""
    site = Site()
    site.md.send(SignAnswer(b"rubbish", answer_sdp(site.kd.fingerprint)))
    site.tls.sendall(site.md.data_to_send() + b"\x05\x00\x00")
    site.tls.shutdown()
    site.settle()
    assert isinstance(site.events[-1], ConnectionFailed)


def test_a_refusal_together_with_the_end_of_the_connection():
    site = Site()
    site.md.send(SignAnswer(b"rubbish", answer_sdp(site.kd.fingerprint)))
    site.tls.sendall(site.md.data_to_send())
    site.tls.shutdown()
    site.settle()
    assert site.events[-1] == ConnectionClosed()


def test_two_answers_under_one_origin_end_the_tunnel():
    site = Site()
    answer = answer_sdp(site.kd.fingerprint)
    site.send_forged(SignAnswer(offer_sdp(BOB), answer), SignAnswer(offer_sdp(BOB, token="2"), answer))
    assert isinstance(site.happened(ConnectionFailed)[0].error, IllegalParameter)


@pytest.mark.parametrize(
    "offered",
    [b"rubbish", b"\xff" * 60_000, b"v=0\r\n" + b"a=x\r\n" * 12_000, offer_sdp(BOB).replace(b"a=identity:", b"a=x:")],
    ids=["rubbish", "not text", "large", "no identity"],
)
def test_a_malformed_offer_is_refused_and_nobody_else_notices(offered: bytes):
    site = Site()
    alice = site.join()
    site.send(SignAnswer(offered, answer_sdp(site.kd.fingerprint)))
    assert refusal(site)
    assert not alice.disconnected
    assert still_works(site)


def test_messages_for_associations_that_do_not_exist_begin_nothing():
    site = Site()
    stray = uuid4()
    datagrams = (b"", b"\x17\xfe\xfd", b"\x16\xfe\xfd\x00\x00" + bytes(7) + b"\x01\x0b", Random(1).randbytes(60))
    site.send(*(TunneledDtls(stray, datagram) for datagram in datagrams), EndpointDisconnect(stray))
    assert site.events[1:] == []
    assert site.kd.next_timeout() is None
    assert still_works(site)


def test_abandoned_handshakes_end_by_themselves():
    site = Site()
    mallory = Endpoint()
    site.lose = lambda _: True
    site.shake_hands(mallory)
    site.wait(31)
    assert [left.association_id for left in site.happened(EndpointLeft)] == [mallory.id]
    assert site.kd.next_timeout() is None


def test_abandoned_handshakes_make_room_for_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoints, "MAX_ASSOCIATIONS", 3)
    site = Site()
    alice = site.join()
    site.lose = lambda message: message.association_id != alice.id
    hostile = [Endpoint() for _ in range(6)]
    for endpoint in hostile:
        site.shake_hands(endpoint)
    site.lose = lambda _: False
    assert [endpoint.disconnected for endpoint in hostile] == [True] * 4 + [False] * 2
    assert still_works(site)
    assert not alice.disconnected


def test_members_are_not_given_up_for_newcomers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoints, "MAX_ASSOCIATIONS", 2)
    site = Site()
    members = [site.join("a@idp-a.localhost"), site.join("b@idp-a.localhost")]
    late = site.join("c@idp-a.localhost")
    assert late.disconnected
    assert late.keys == []
    assert not any(member.disconnected for member in members)


def test_a_conference_that_is_full_takes_nobody_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roster, "MAX_MESSAGE_LENGTH", 600)
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    late = site.join("late@idp-a.localhost")
    assert late.keys == []
    assert late.disconnected
    assert site.happened(EndpointLeft)[-1].reason == "the conference is full"
    assert alice.keys
    assert bob.keys


# The key channel


def too_many_sources() -> bytes:
    return write_message(Announce(tuple(source(ssrc) for ssrc in range(roster.MAX_SOURCES + 1))))


@pytest.mark.parametrize(
    "message",
    [
        b"rubbish",
        b"\xf1\x00\x00\x01a",
        b"\xf1\x00\xff\xff",
        write_message(Roster(1, bytes(16), ())),
        write_message(Announce((source(1), source(1)))),
        too_many_sources(),
        b"\x00" * 65536,
    ],
    ids=["rubbish", "malformed", "truncated", "a roster", "one source twice", "too many sources", "large"],
)
def test_a_member_that_breaks_the_key_channel_is_let_go_and_the_others_stay(message: bytes):
    site = Site()
    alice, mallory = site.join(), site.join("mallory@idp-a.localhost")
    mallory.sctp.send(message)
    site.settle()
    site.wait(1)
    assert [left.association_id for left in site.happened(EndpointLeft)] == [mallory.id]
    assert mallory.disconnected
    assert [member.identity for member in alice.roster.members] == [ALICE]


def test_other_streams_are_nobodys_and_text_is_not_for_the_key_channel():
    site = Site()
    alice = site.join()
    alice.sctp.send(write_message(Announce((source(1),))), stream_id=0, ppid=51)
    site.settle()
    assert alice.disconnected
    assert "payload protocol 51" in site.happened(EndpointLeft)[0].reason


def test_an_acknowledgement_of_another_key_changes_nothing():
    site, alice = Site(), Endpoint()
    alice.acknowledges = False
    site.join(endpoint=alice)
    alice.say(EktKeyAck(alice.keys[0].spi ^ 1))
    site.settle()
    site.wait(1)
    assert site.kd.roster[0].spi == 0
    assert not alice.disconnected


def test_an_endpoint_that_shuts_its_channel_down_while_it_is_told_something():
    """SCTP takes nothing between SHUTDOWN and its end; the member leaves, and nothing breaks."""
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.wait(1)
    bob.sctp.is_deaf = True
    alice.announce(1)
    site.settle()
    site.wait(0.2)
    bob.sctp.shutdown()
    site.settle()
    for ssrc in (2, 3):
        alice.announce(ssrc)
        site.settle()
        site.wait(0.2)
    site.wait(120)
    assert [left.association_id for left in site.happened(EndpointLeft)] == [bob.id]
    assert [each.ssrc for each in alice.roster.members[0].sources] == [3]


def test_an_endpoint_that_aborts_its_channel_has_left():
    site = Site()
    alice = site.join()
    alice.sctp.abort()
    site.settle()
    assert [left.association_id for left in site.happened(EndpointLeft)] == [alice.id]


def test_endpoints_do_not_get_keys_through_others_associations():
    """The Media Distributor mixes associations up: records of one are dropped by the other."""
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    alice.announce(1)
    for datagram in alice.dtls.datagrams_to_send():
        site.md.send(TunneledDtls(bob.id, datagram))
    site.settle()
    site.wait(1)
    assert all(member.sources == () for member in site.kd.roster)
    assert not bob.disconnected


def test_the_media_distributor_learns_no_end_to_end_key():
    site = Site()
    alice, bob = site.join(), site.join("bob@idp-a.localhost")
    site.wait(200)
    everything = repr(site.told).encode() + b"".join(message.dtls_message for message in site.heard(TunneledDtls))
    keys = site.heard(MediaKeys)
    hop_octets = b"".join(each.client_write_key + each.server_write_key for each in keys)
    for key in [*alice.keys, *bob.keys]:
        assert key.key not in everything + hop_octets
        assert key.salt not in everything + hop_octets


def test_noise_on_a_live_association_is_dropped():
    site = Site()
    alice = site.join()
    chance = Random(2)
    for number in range(50):
        noise = bytes([(20, 21, 22, 23)[number % 4]]) + b"\xfe\xfd\x00" + bytes([number % 2]) + chance.randbytes(60)
        site.send(TunneledDtls(alice.id, noise))
    alice.announce(9)
    site.settle()
    site.wait(1)
    assert [each.ssrc for each in site.kd.roster[0].sources] == [9]


def test_association_ids_are_what_the_media_distributor_says_and_members_ids_are_not():
    site = Site()
    site.join()
    assert UUID(bytes=site.kd.roster[0].id) not in site.endpoints
    assert len(site.happened(EndpointKeyed)) == 1
