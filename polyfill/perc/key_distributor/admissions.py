"""Who may come: validated offers, and what is remembered of them for the life of the conference.

A certificate is good for one association, and an assertion with it:

    accept ──▶ WAITING ──claim──▶ LIVE ──release──▶ over
                  └──────────not in time──────────────┘

While it is live, the same offer may be made again (renegotiation) without asking the identity provider again. Before
and after that, an offer seen before is a replay. It is known again by what its a=identity says, not by how that is
written; but many a signature can be written in another way, too, and only its provider knows that it is the same. So
what is over, is over for the certificate. An RTCPeerConnection makes one of its own, and so loses nothing by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from perc.errors import IdentityRejected
from perc.key_distributor.offer import Offer
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint

WAITING_TIME = 60.0
"""Seconds from a validated offer to its DTLS association: longer than ICE takes where it succeeds at all."""

MAX_OFFERS = 10_000
"""Offers accepted in the life of a conference: each is remembered, in some hundred octets."""

MAX_OFFERS_OF_STRANGERS = 8_000
"""Of those, how many may be from identities that nobody has admitted: a provider that invents names without end keeps
no guest out."""

MAX_OFFERS_PER_IDENTITY = 256
"""The same for one identity, so that no member can use up the conference's."""


@dataclass(slots=True, eq=False)
class Admission:
    """An identity that may come, with one of these certificates; `association_id` from when it has come."""

    identity: str
    domain: str
    """Of the provider that vouched for it."""
    fingerprints: frozenset[Fingerprint]
    tls_id: str | None
    verified_at: int
    expires: float
    association_id: UUID | None = None
    is_over: bool = False

    @property
    def is_live(self) -> bool:
        """Whether whom it is for is here."""
        return self.association_id is not None and not self.is_over


class Admissions:
    """The validated offers of one conference."""

    def __init__(self, trace: Trace = NO_TRACE) -> None:
        self._trace = trace
        self._waiting: set[Admission] = set()
        self._by_fingerprint: dict[Fingerprint, Admission] = {}
        self._by_assertion: dict[str, Admission] = {}

    def renegotiating(self, offer: Offer) -> Admission | None:
        """The live admission that this offer was accepted for, or None for a new offer.

        `IdentityRejected` for an offer that was accepted before and is not, or no longer, that of a live association.
        """
        admission = self._by_assertion.get(offer.assertion_hash)
        if admission is None:
            self._check_not_over(offer)
            return None
        if not admission.is_live:
            raise IdentityRejected("the offer was made before; a new one is needed")
        return self._same_certificate(admission, offer)

    def accept(self, offer: Offer, identity: str, now: float, verified_at: int, *, is_stranger: bool = False) -> None:
        """Admit the one who made a validated offer; a stranger is one whom nobody has said to let in.

        `IdentityRejected` if a fingerprint belongs to another identity, or its association is over, or there were too
        many offers.
        """
        # A fingerprint belongs to one identity for the life of a conference, or one user's offer could be given out as
        # another's (RFC 8844, Section 3: unknown key share).
        if any(admission.identity != identity for admission in self._known(offer)):
            raise IdentityRejected("the certificate belongs to another identity of this conference")
        # Once more, since it may have ended while the provider was asked.
        self._check_not_over(offer)
        room = MAX_OFFERS_OF_STRANGERS if is_stranger else MAX_OFFERS
        if len(self._by_assertion) >= room or self._offers_of(identity) >= MAX_OFFERS_PER_IDENTITY:
            raise IdentityRejected("too many offers in this conference")
        admission = self._admission_for(offer, identity, now, verified_at)
        self._by_assertion[offer.assertion_hash] = admission
        for fingerprint in offer.fingerprints:
            self._by_fingerprint[fingerprint] = admission

    def awaited(self, certificate: Certificate) -> Admission | None:
        """The admission that waits for whoever owns this certificate."""
        names = [Fingerprint.of(certificate.der, algorithm) for algorithm in ("sha-256", "sha-384", "sha-512")]
        admissions = {self._by_fingerprint[name] for name in names if name in self._by_fingerprint}
        # One certificate comes once, by however many hashes it was announced; and for one, or it is not known whose.
        return admissions.pop() if len(admissions) == 1 and admissions <= self._waiting else None

    def expected(self) -> tuple[Fingerprint, ...]:
        """The fingerprints that are awaited."""
        return tuple(sorted((each for entry in self._waiting for each in entry.fingerprints), key=str))

    def claim(self, admission: Admission, association_id: UUID) -> bool:
        """Bind an admission to the association on which its certificate has been proved; False if it came too late."""
        if admission not in self._waiting:
            return False
        self._waiting.remove(admission)
        admission.association_id = association_id
        return True

    def release(self, admission: Admission) -> None:
        """Its association is over, and with it what its certificate and its assertions were good for."""
        self._waiting.discard(admission)
        admission.is_over = True

    def next_timeout(self) -> float | None:
        """When the next admission will have waited too long."""
        return min((entry.expires for entry in self._waiting), default=None)

    def handle_timeout(self, now: float) -> None:
        """End the admissions that nobody came for."""
        for admission in [entry for entry in self._waiting if entry.expires <= now]:
            self._trace.emit(TraceName.OFFER_EXPIRED, identity=admission.identity)
            self.release(admission)

    def _known(self, offer: Offer) -> set[Admission]:
        return {self._by_fingerprint[each] for each in offer.fingerprints if each in self._by_fingerprint}

    def _check_not_over(self, offer: Offer) -> None:
        if any(admission.is_over for admission in self._known(offer)):
            raise IdentityRejected("the offer's certificate was used before; a new connection is needed")

    def _admission_for(self, offer: Offer, identity: str, now: float, verified_at: int) -> Admission:
        """A new one, or that of this certificate, whose owner has asked its provider again."""
        known = next(iter(self._known(offer)), None)
        if known is None:
            domain, expires = offer.assertion.domain, now + WAITING_TIME
            admission = Admission(identity, domain, offer.fingerprints, offer.tls_id, verified_at, expires)
            self._waiting.add(admission)
            return admission
        self._same_certificate(known, offer).expires = now + WAITING_TIME
        return known

    def _offers_of(self, identity: str) -> int:
        return sum(admission.identity == identity for admission in self._by_assertion.values())

    @staticmethod
    def _same_certificate(admission: Admission, offer: Offer) -> Admission:
        if (offer.fingerprints, offer.tls_id) != (admission.fingerprints, admission.tls_id):
            raise IdentityRejected("the offer changes the certificate of an association that is in use")
        return admission
