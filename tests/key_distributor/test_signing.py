from __future__ import annotations

import json
from itertools import count
from uuid import uuid4

import pytest

from perc.errors import ApiMisuse, IdentityRejected
from perc.identity.contents import Purpose, check_contents
from perc.identity.sdp import read_sdp
from perc.identity.verdict import Verdict
from perc.key_distributor import signing as module
from perc.key_distributor.admission_policy import AdmissionPolicy, Guestbook
from perc.key_distributor.admissions import Admissions
from perc.key_distributor.events import (
    AnswerRefused,
    AnswerSigned,
    AssertionRequested,
    Event,
    PeerValidated,
    SignAnswerReceived,
    ValidationRequested,
)
from perc.key_distributor.signing import IDENTITY_TIME_LIMIT, Signing, Terms
from perc.tunnel.messages import SignAnswer, SignAnswerAck, SignAnswerReject, write_message
from perc.tunnel.origin import origin_of
from tests.dtls.parties import ENDPOINT
from tests.key_distributor.peers import (
    ALICE,
    BOB,
    CONFERENCE,
    KD,
    answer_sdp,
    identity_value,
    offer,
    offer_sdp,
    sign_answer,
    verdict,
)

OWN_IDENTITY = identity_value("the owner's", "idp-b.localhost:8002")


class Desk:
    """A `Signing` and what it has said."""

    def __init__(self) -> None:
        self.replies: list[SignAnswerAck | SignAnswerReject] = []
        self.admissions = Admissions()
        self.guestbook = Guestbook(AdmissionPolicy())
        terms = Terms(CONFERENCE, KD, self.guestbook, count(1))
        self.signing = Signing(terms, self.admissions, self.send)

    def send(self, reply: SignAnswerAck | SignAnswerReject) -> None:
        write_message(reply)
        self.replies.append(reply)

    def receive(self, message: SignAnswer, now: float = 0.0) -> list[Event]:
        return self.signing.receive(message, now)

    def judge(self, request_id: int, said: Verdict | IdentityRejected, now: float = 0.1) -> list[Event]:
        return self.signing.validated(request_id, said, now, 1_700_000_000)

    def signed(self, *fingerprints, token: str = "token") -> SignAnswerAck:
        events = self.receive(sign_answer(*fingerprints, token=token))
        request_id = events[0].request_id
        if isinstance(events[1], ValidationRequested):
            self.judge(request_id, verdict(*fingerprints))
        assert self.signing.asserted(request_id, OWN_IDENTITY, 0.2) == [AnswerSigned(request_id)]
        reply = self.replies[-1]
        assert isinstance(reply, SignAnswerAck)
        return reply


def reason_of(events: list[Event]) -> str:
    (event,) = events
    assert isinstance(event, AnswerRefused)
    return event.reason


def test_from_an_offer_to_a_signed_answer():
    desk = Desk()
    message = sign_answer(ALICE)
    assert desk.receive(message) == [
        SignAnswerReceived(1, (ALICE,)),
        ValidationRequested(1, "idp-a.localhost:8001", "default", "token"),
    ]
    validated = desk.judge(1, verdict(ALICE))
    assert validated[0] == PeerValidated(1, "alice@idp-a.localhost", "idp-a.localhost:8001")
    asked = validated[1]
    assert isinstance(asked, AssertionRequested)
    check_contents(asked.contents, [KD], Purpose(CONFERENCE, offer(ALICE).hash))
    assert json.loads(asked.contents)["type"] == "answer"
    assert desk.signing.asserted(1, OWN_IDENTITY, 0.2) == [AnswerSigned(1)]
    (reply,) = desk.replies
    assert isinstance(reply, SignAnswerAck)
    assert read_sdp(reply.answer).identity == OWN_IDENTITY
    assert origin_of(reply.answer) == origin_of(message.answer)
    assert desk.admissions.expected() == (ALICE,)


def test_several_at_once_in_any_order_while_one_stalls():
    desk = Desk()
    for number in range(3):
        desk.receive(sign_answer(ALICE, token=f"{number}"))
    for request_id in (3, 1):
        desk.judge(request_id, verdict(ALICE))
    for request_id in (1, 3):
        assert desk.signing.asserted(request_id, OWN_IDENTITY, 0.2) == [AnswerSigned(request_id)]
    (late,) = desk.signing.handle_timeout(IDENTITY_TIME_LIMIT)
    assert late == AnswerRefused(2, "your identity provider did not answer in time")
    assert [type(reply) for reply in desk.replies] == [SignAnswerAck, SignAnswerAck, SignAnswerReject]


def test_a_request_is_due_in_time_and_a_verdict_after_that_means_nothing():
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    assert desk.signing.next_timeout() == IDENTITY_TIME_LIMIT
    assert desk.judge(1, verdict(ALICE), IDENTITY_TIME_LIMIT) == []
    desk.signing.handle_timeout(IDENTITY_TIME_LIMIT)
    assert desk.judge(1, verdict(ALICE)) == []
    assert len(desk.replies) == 1
    assert desk.admissions.expected() == ()
    assert desk.signing.next_timeout() is None


def test_the_own_provider_may_stall_or_refuse_too():
    desk = Desk()
    for number in (1, 2):
        desk.receive(sign_answer(ALICE, token=f"{number}"))
        desk.judge(number, verdict(ALICE))
    assert "has no identity: sign in" in reason_of(desk.signing.asserted(1, IdentityRejected("sign in"), 0.2))
    late = reason_of(desk.signing.handle_timeout(0.1 + IDENTITY_TIME_LIMIT))
    assert late == "the Key Distributor's identity provider did not answer in time"


def test_verdicts_for_another_state_are_the_callers_mistake():
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    with pytest.raises(ApiMisuse):
        desk.signing.asserted(1, OWN_IDENTITY, 0.1)
    desk.judge(1, verdict(ALICE))
    with pytest.raises(ApiMisuse):
        desk.judge(1, verdict(ALICE))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (IdentityRejected("expired", "idp-token-expired"), "expired"),
        (verdict(BOB), "does not cover"),
        (verdict(ALICE, purpose=Purpose("http://localhost:8000/perc/other")), "another conference"),
        (verdict(ALICE, purpose=Purpose(CONFERENCE, "hash")), "not made for an offer"),
        (verdict(ALICE, name="alice@idp-b.localhost"), "another domain"),
        (verdict(ALICE, name="alice"), "not user@host"),
        (verdict(ALICE, name="ali\ud800ce@idp-a.localhost"), "cannot be shown"),
        (IdentityRejected("half a character: \ud800"), "half a character: ?"),
        (Verdict("alice@idp-a.localhost", "[]"), "not a conference's"),
        (Verdict("alice@idp-a.localhost", verdict(ALICE).contents + " " * 10_000_000), "not a conference's"),
    ],
    ids=[
        "stale",
        "fingerprint",
        "conference",
        "answer as offer",
        "domain",
        "name",
        "surrogate",
        "reason",
        "rubbish",
        "10 MB",
    ],
)
def test_an_identity_that_does_not_hold_is_refused(said: Verdict | IdentityRejected, reason: str):
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    assert reason in reason_of(desk.judge(1, said))
    assert isinstance(desk.replies[0], SignAnswerReject)
    assert reason in desk.replies[0].reason
    assert desk.admissions.expected() == ()


def test_a_fingerprint_smuggled_into_an_offer_is_refused():
    desk = Desk()
    desk.receive(SignAnswer(offer_sdp(ALICE, lines=(f"a=fingerprint:{BOB}",)), answer_sdp()))
    assert "does not cover" in reason_of(desk.judge(1, verdict(ALICE)))


def test_an_answer_signed_by_the_key_distributor_is_no_offer():
    """The signed answer comes back as an offer: its assertion says what it was made for."""
    desk = Desk()
    signed = desk.signed(ALICE)
    desk.receive(SignAnswer(signed.answer, answer_sdp()))
    contents = verdict(KD, name="owner@idp-b.localhost", purpose=Purpose(CONFERENCE, offer(ALICE).hash))
    assert "not made for an offer" in reason_of(desk.judge(2, contents))


def test_an_answer_with_another_fingerprint_is_not_signed():
    desk = Desk()
    message = SignAnswer(offer_sdp(ALICE), answer_sdp(media=(f"a=fingerprint:{BOB}",)))
    reason = reason_of(desk.receive(message))
    assert "not the Key Distributor's" in reason
    assert desk.replies == [SignAnswerReject(origin_of(message.answer), reason)]


def test_an_answer_with_an_identity_is_not_signed():
    desk = Desk()
    message = SignAnswer(offer_sdp(ALICE), answer_sdp(lines=(f"a=identity:{OWN_IDENTITY}",)))
    assert "identity already" in reason_of(desk.receive(message))


def test_an_offer_is_accepted_once():
    desk = Desk()
    desk.signed(ALICE)
    assert "made before" in reason_of(desk.receive(sign_answer(ALICE)))


def test_an_offer_is_considered_once_at_a_time():
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    assert "considered already" in reason_of(desk.receive(sign_answer(ALICE)))


def test_a_live_offer_may_be_made_again_without_asking_its_provider():
    desk = Desk()
    desk.signed(ENDPOINT.fingerprint)
    admission = desk.admissions.awaited(ENDPOINT.certificate)
    assert admission is not None
    assert desk.admissions.claim(admission, uuid4())
    received, asked = desk.receive(sign_answer(ENDPOINT.fingerprint))
    assert isinstance(received, SignAnswerReceived)
    assert isinstance(asked, AssertionRequested)
    assert desk.signing.asserted(2, OWN_IDENTITY, 0.2) == [AnswerSigned(2)]


def test_a_certificate_of_another_identity_is_refused():
    desk = Desk()
    desk.signed(ALICE)
    desk.receive(sign_answer(ALICE, token="mallory's"))
    validated, *refused = desk.judge(2, verdict(ALICE, name="mallory@idp-a.localhost"))
    assert isinstance(validated, PeerValidated)
    assert "another identity" in reason_of(refused)


def test_who_is_not_wanted_is_validated_and_refused():
    desk = Desk()
    desk.guestbook.policy = AdmissionPolicy.of((), "refuse")
    desk.receive(sign_answer(ALICE))
    validated, *refused = desk.judge(1, verdict(ALICE))
    assert isinstance(validated, PeerValidated)
    assert reason_of(refused) == "the host does not admit alice@idp-a.localhost"
    assert desk.admissions.expected() == ()


SMUGGLED = f"{OWN_IDENTITY} x\r\na=fingerprint:{BOB}"


@pytest.mark.parametrize("identity", ["rubbish", "", "A" * 30_000, SMUGGLED, f"{OWN_IDENTITY} \ud800"])
def test_an_own_assertion_that_is_none_is_not_sent(identity: str):
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    desk.judge(1, verdict(ALICE))
    assert "cannot be signed" in reason_of(desk.signing.asserted(1, identity, 0.2))


def test_an_answer_that_grows_beyond_the_tunnel_is_refused():
    desk = Desk()
    lines = tuple(f"a=note:{'x' * 1000}" for _ in range(63))
    desk.receive(SignAnswer(offer_sdp(ALICE), answer_sdp(lines=lines)))
    desk.judge(1, verdict(ALICE))
    own = identity_value("x" * 2000)
    assert "cannot be signed: a sign_answer_ack of" in reason_of(desk.signing.asserted(1, own, 0.2))


def test_what_is_pending_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_PENDING", 2)
    desk = Desk()
    for number in range(2):
        desk.receive(sign_answer(ALICE, token=f"{number}"))
    assert "too many" in reason_of(desk.receive(sign_answer(ALICE, token="2")))
    desk.judge(1, IdentityRejected("no"))
    assert len(desk.receive(sign_answer(ALICE, token="3"))) == 2


def test_a_stalled_provider_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_PENDING_PER_PROVIDER", 1)
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    assert "too many" in reason_of(desk.receive(sign_answer(ALICE, token="2")))
    elsewhere = offer_sdp(ALICE).replace(
        identity_value().encode(), identity_value(domain="IDP-A.localhost:444").encode()
    )
    assert "too many" in reason_of(desk.receive(SignAnswer(elsewhere, answer_sdp()))), "another port is no other"
    other = offer_sdp(ALICE).replace(identity_value().encode(), OWN_IDENTITY.encode())
    assert len(desk.receive(SignAnswer(other, answer_sdp()))) == 2


def test_a_long_reason_is_cut_to_what_fits():
    desk = Desk()
    desk.receive(sign_answer(ALICE))
    assert len(reason_of(desk.judge(1, IdentityRejected("ä" * 4000))).encode()) == 4094


def test_ids_are_not_used_again():
    ids = count(1)
    first = Signing(Terms(CONFERENCE, KD, Guestbook(AdmissionPolicy()), ids), Admissions(), lambda _: None)
    first.receive(sign_answer(ALICE), 0)
    second = Signing(Terms(CONFERENCE, KD, Guestbook(AdmissionPolicy()), ids), Admissions(), lambda _: None)
    second.receive(sign_answer(ALICE), 0)
    assert second.validated(1, verdict(ALICE), 0, 0) == []
