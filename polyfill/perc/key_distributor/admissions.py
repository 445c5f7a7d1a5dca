"""Who may come: validated offers, and what is remembered of them for the life of the conference.

An assertion is good for one association:

    accept ──▶ WAITING ──claim──▶ LIVE ──release──▶ spent
                  └──────────not in time──────────────┘

While it is live, the same offer may be made again (renegotiation) without asking the identity provider again. Before
and after that, an offer seen before is a replay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from perc.errors import IdentityRejected
from perc.key_distributor.offer import Offer
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint

WAITING_TIME = 60.0
"""Seconds from a validated offer to its DTLS association: longer than ICE takes where it succeeds at all."""

MAX_OFFERS = 10_000
"""Offers accepted in the life of a conference: each is remembered, in some hundred octets."""

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
    offers: set[str] = field(default_factory=set)


class Admissions:
    """The validated offers of one conference."""

    def __init__(self) -> None:
        self._active: dict[Fingerprint, Admission] = {}
        self._owners: dict[Fingerprint, str] = {}
        self._offers: dict[str, str] = {}

    def renegotiating(self, offer: Offer) -> Admission | None:
        """The live admission that this offer was accepted for, or None for a new offer.

        `IdentityRejected` for an offer that was accepted before and is not, or no longer, that of a live association.
        """
        if offer.hash not in self._offers:
            return None
        for fingerprint in offer.fingerprints:
            admission = self._active.get(fingerprint)
            if admission is not None and admission.association_id is not None and offer.hash in admission.offers:
                return self._same_certificate(admission, offer)
        raise IdentityRejected("the offer was made before; a new one is needed")

    def accept(self, offer: Offer, identity: str, now: float, verified_at: int) -> None:
        """Admit the one who made a validated offer.

        `IdentityRejected` if a fingerprint belongs to another identity, or there were too many offers.
        """
        # A fingerprint belongs to one identity for the life of a conference, or one user's offer could be given out as
        # another's (RFC 8844, Section 3: unknown key share).
        if any(self._owners.get(fingerprint, identity) != identity for fingerprint in offer.fingerprints):
            raise IdentityRejected("the certificate belongs to another identity of this conference")
        if len(self._offers) >= MAX_OFFERS or self._offers_of(identity) >= MAX_OFFERS_PER_IDENTITY:
            raise IdentityRejected("too many offers in this conference")
        admission = self._admission_for(offer, identity, now, verified_at)
        admission.offers.add(offer.hash)
        self._offers[offer.hash] = identity
        for fingerprint in offer.fingerprints:
            self._owners[fingerprint] = identity
            self._active[fingerprint] = admission

    def awaited(self, certificate: Certificate) -> Admission | None:
        """The admission that waits for whoever owns this certificate."""
        for algorithm in ("sha-256", "sha-384", "sha-512"):
            admission = self._active.get(Fingerprint.of(certificate.der, algorithm))
            if admission is not None and admission.association_id is None:
                return admission
        return None

    def expected(self) -> tuple[Fingerprint, ...]:
        """The fingerprints that are awaited."""
        return tuple(fingerprint for fingerprint, entry in self._active.items() if entry.association_id is None)

    def claim(self, admission: Admission, association_id: UUID) -> bool:
        """Bind an admission to the association on which its certificate has been proved; False if it came too late."""
        is_active = any(self._active.get(fingerprint) is admission for fingerprint in admission.fingerprints)
        if not is_active or admission.association_id is not None:
            return False
        admission.association_id = association_id
        return True

    def release(self, admission: Admission) -> None:
        """Its association is over, and with it what its assertion was good for."""
        for fingerprint in admission.fingerprints:
            if self._active.get(fingerprint) is admission:
                del self._active[fingerprint]

    def next_timeout(self) -> float | None:
        """When the next admission will have waited too long."""
        return min((entry.expires for entry in self._active.values() if entry.association_id is None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Spend the admissions that nobody came for."""
        for admission in set(self._active.values()):
            if admission.association_id is None and admission.expires <= now:
                self.release(admission)

    def _admission_for(self, offer: Offer, identity: str, now: float, verified_at: int) -> Admission:
        """A new one, or the active one of this certificate, whose owner has asked its provider again."""
        active = next((self._active[each] for each in offer.fingerprints if each in self._active), None)
        if active is None:
            domain, expires = offer.assertion.domain, now + WAITING_TIME
            return Admission(identity, domain, offer.fingerprints, offer.tls_id, verified_at, expires)
        active.expires = now + WAITING_TIME
        return self._same_certificate(active, offer)

    def _offers_of(self, identity: str) -> int:
        return sum(owner == identity for owner in self._offers.values())

    @staticmethod
    def _same_certificate(admission: Admission, offer: Offer) -> Admission:
        if (offer.fingerprints, offer.tls_id) != (admission.fingerprints, admission.tls_id):
            raise IdentityRejected("the offer changes the certificate of an association that is in use")
        return admission
