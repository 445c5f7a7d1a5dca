"""Sign_answer: from an offer and its answer to a signed answer, or to a refusal (4.1.3).

    SignAnswer ──▶ EXPECT_VERDICT ──validated──▶ EXPECT_ASSERTION ──asserted──▶ SignAnswerAck
        │                │                             │
        └────────────────┴──── refused, or too late ───┴──────────────────────▶ SignAnswerReject

Many are under way at once, each with identity providers that may be slow or hostile, and none waits for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from perc.errors import ApiMisuse, IdentityRejected, PeerError
from perc.identity.assertion import read_identity
from perc.identity.contents import Purpose, check_contents, write_contents
from perc.identity.sdp import insert_identity
from perc.identity.verdict import Verdict, check_name
from perc.key_distributor.admission_policy import Decision, Guestbook
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
from perc.key_distributor.offer import Offer, check_answer, read_offer
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.tunnel.messages import MAX_REASON, MessageTooLarge, SignAnswer, SignAnswerAck, SignAnswerReject
from perc.tunnel.origin import origin_of
from perc.x509.fingerprint import Fingerprint

IDENTITY_TIME_LIMIT = 5.0
"""Seconds for one request to an identity provider: the offerer's user is waiting, and its HTTP request too."""

MAX_PENDING = 256
"""Answers being signed at once: each holds up to 64 KiB."""

MAX_PENDING_PER_PROVIDER = 96
"""The same for offers of one identity provider, so that one that stalls leaves room for the others."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The conference (origin and path of its page), the Key Distributor's fingerprint, who may come, ids that are never
    reused."""

    conference: str
    own: Fingerprint
    guestbook: Guestbook
    request_ids: Iterator[int]


class _State(Enum):
    EXPECT_VERDICT = "the offerer's provider is asked"
    EXPECT_ASSERTION = "the Key Distributor's own provider is asked"


@dataclass(slots=True)
class _Request:
    id: int
    origin: str
    offer: Offer
    answer: bytes = field(repr=False)
    state: _State
    deadline: float


class Refusal(Enum):
    """At which step an answer was refused; the values stand in a trace, which must not hold a provider's own words."""

    OFFER = "offer-not-accepted"
    IDENTITY = "identity-not-accepted"
    OWN_IDENTITY = "no-own-identity"
    ANSWER = "answer-not-signable"
    TIMEOUT = "identity-provider-timeout"


class Signing:
    """The sign_answers of one tunnel. `terms` say what the Key Distributor signs for; `send` takes the replies."""

    def __init__(
        self,
        terms: Terms,
        admissions: Admissions,
        send: Callable[[SignAnswerAck | SignAnswerReject], None],
        trace: Trace = NO_TRACE,
    ) -> None:
        self._trace = trace
        self._terms = terms
        self._admissions = admissions
        self._send = send
        self._requests: dict[int, _Request] = {}

    def receive(self, message: SignAnswer, now: float) -> list[Event]:
        """Check an offer and its answer, and ask for the offerer's identity, unless this very offer is live already."""
        request_id, origin = next(self._terms.request_ids), origin_of(message.answer)
        self._trace.emit(TraceName.OFFER_RECEIVED, request=request_id)
        try:
            check_answer(message.answer, self._terms.own)
            offer = read_offer(message.offer)
            live = self._admissions.renegotiating(offer)
            self._check_capacity(offer)
        except (PeerError, IdentityRejected) as error:
            return self._refuse(request_id, origin, Refusal.OFFER, str(error))
        deadline = now + IDENTITY_TIME_LIMIT
        request = _Request(request_id, origin, offer, message.answer, _State.EXPECT_VERDICT, deadline)
        self._requests[request_id] = request
        received = SignAnswerReceived(request_id, tuple(sorted(offer.fingerprints, key=str)))
        if live is not None:
            return [received, self._ask_own_provider(request, now)]
        assertion = offer.assertion
        asked = ValidationRequested(request_id, assertion.domain, assertion.protocol, assertion.assertion)
        return [received, asked]

    def validated(
        self, request_id: int, verdict: Verdict | IdentityRejected, now: float, verified_at: int
    ) -> list[Event]:
        """What the offerer's provider said; the Key Distributor's own is asked next, or the answer refused."""
        request = self._expect(request_id, _State.EXPECT_VERDICT, now)
        if request is None:
            return []
        events: list[Event] = []
        try:
            identity = self._judge(request.offer, verdict)
            # Validated is who it is; whether they may come is asked next.
            self._trace.emit(TraceName.IDENTITY_VALIDATED, request=request_id, identity=identity)
            events.append(PeerValidated(request_id, identity, request.offer.assertion.domain))
            self._admit(request.offer, identity, now, verified_at)
        except IdentityRejected as error:
            return events + self._refuse(request_id, request.origin, Refusal.IDENTITY, str(error))
        return [*events, self._ask_own_provider(request, now)]

    def asserted(self, request_id: int, identity: str | IdentityRejected, now: float) -> list[Event]:
        """The `a=identity` value that the Key Distributor's own provider gave; the answer goes back with it."""
        request = self._expect(request_id, _State.EXPECT_ASSERTION, now)
        if request is None:
            return []
        if isinstance(identity, IdentityRejected):
            reason = f"the Key Distributor has no identity: {identity}"
            return self._refuse(request_id, request.origin, Refusal.OWN_IDENTITY, reason)
        try:
            read_identity(identity)
            self._send(SignAnswerAck(insert_identity(request.answer, identity)))
        except (PeerError, MessageTooLarge) as error:
            return self._refuse(request_id, request.origin, Refusal.ANSWER, f"the answer cannot be signed: {error}")
        del self._requests[request_id]
        self._trace.emit(TraceName.ANSWER_SIGNED, request=request_id)
        return [AnswerSigned(request_id)]

    def clear(self) -> None:
        """Forget what is pending: nobody is left to be told."""
        self._requests.clear()

    def next_timeout(self) -> float | None:
        """When the next identity provider will have taken too long."""
        return min((request.deadline for request in self._requests.values()), default=None)

    def handle_timeout(self, now: float) -> list[Event]:
        """Refuse what identity providers did not answer in time."""
        late = [request for request in self._requests.values() if request.deadline <= now]
        events: list[Event] = []
        for request in late:
            whose = "your" if request.state is _State.EXPECT_VERDICT else "the Key Distributor's"
            reason = f"{whose} identity provider did not answer in time"
            events += self._refuse(request.id, request.origin, Refusal.TIMEOUT, reason)
        return events

    def _check_capacity(self, offer: Offer) -> None:
        pending = self._requests.values()
        if any(request.offer.assertion_hash == offer.assertion_hash for request in pending):
            raise IdentityRejected("this offer is being considered already")
        # Ports cost a provider nothing.
        of_provider = sum(request.offer.assertion.host == offer.assertion.host for request in pending)
        if len(pending) >= MAX_PENDING or of_provider >= MAX_PENDING_PER_PROVIDER:
            raise IdentityRejected("too many are joining at this moment")

    def _judge(self, offer: Offer, verdict: Verdict | IdentityRejected) -> str:
        """The offerer's name; `IdentityRejected` if there is none, or not for this offer and conference."""
        if isinstance(verdict, IdentityRejected):
            raise verdict
        check_contents(verdict.contents, offer.fingerprints, Purpose(self._terms.conference))
        return check_name(verdict.identity, offer.assertion)

    def _admit(self, offer: Offer, identity: str, now: float, verified_at: int) -> None:
        """Await who made the offer; `IdentityRejected` if they are not wanted, or the offer is not good (any more)."""
        decision = self._terms.guestbook.decide(identity)
        if decision is Decision.REFUSE:
            raise IdentityRejected(f"the host does not admit {identity}")
        self._admissions.accept(offer, identity, now, verified_at, is_stranger=decision is Decision.ASK)

    def _ask_own_provider(self, request: _Request, now: float) -> AssertionRequested:
        request.state = _State.EXPECT_ASSERTION
        request.deadline = now + IDENTITY_TIME_LIMIT
        self._trace.emit(TraceName.ASSERTION_REQUESTED, request=request.id)
        # Contents are made from the Key Distributor's own certificate, never read from an SDP.
        purpose = Purpose(self._terms.conference, request.offer.hash)
        return AssertionRequested(request.id, write_contents([self._terms.own], purpose))

    def _expect(self, request_id: int, state: _State, now: float) -> _Request | None:
        """The request, or None if it is too late for it; `ApiMisuse` if it waits for something else."""
        request = self._requests.get(request_id)
        if request is None or request.deadline <= now:
            return None
        if request.state is not state:
            raise ApiMisuse(f"request {request_id} does not expect this")
        return request

    def _refuse(self, request_id: int, origin: str, refusal: Refusal, reason: str) -> list[Event]:
        self._requests.pop(request_id, None)
        self._trace.emit(TraceName.ANSWER_REFUSED, request=request_id, code=refusal.value)
        # Some of it may be an identity provider's own words, with anything in them that JavaScript takes for text.
        reason = reason.encode(errors="replace")[:MAX_REASON].decode(errors="ignore")
        self._send(SignAnswerReject(origin, reason))
        return [AnswerRefused(request_id, reason)]
