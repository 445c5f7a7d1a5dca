"""An offer that asks to join, and what an answer must be for the Key Distributor to sign it."""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import DecodeError, IllegalParameter
from perc.identity.assertion import IdentityAssertion, assertion_hash, identity_hash, read_identity
from perc.identity.sdp import read_sdp
from perc.x509.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class Offer:
    """What binds an offer: its certificate, its assertion, and the hash by which its answer names it."""

    fingerprints: frozenset[Fingerprint]
    assertion: IdentityAssertion
    assertion_hash: str
    """By which it is known again: `hash` is another one if the same a=identity is written in another way."""
    hash: str
    tls_id: str | None


def read_offer(octets: bytes) -> Offer:
    """The offer in an SDP; `DecodeError` unless it has an identity and a fingerprint."""
    description = read_sdp(octets)
    if description.identity is None:
        raise DecodeError("the offer has no identity")
    if not description.fingerprints:
        raise DecodeError("the offer has no fingerprint")
    assertion = read_identity(description.identity)
    fingerprints = frozenset(description.fingerprints)
    hashes = assertion_hash(assertion), identity_hash(description.identity)
    return Offer(fingerprints, assertion, *hashes, description.tls_id)


def check_answer(octets: bytes, own: Fingerprint) -> None:
    """`IllegalParameter` (or `DecodeError`) for an answer that would let an endpoint talk to anyone else.

    The Media Distributor writes the answers and is not trusted, so what the Key Distributor puts its name to may bind
    its own certificate and no other, and leaves it the DTLS server: "the Endpoint MUST act as the DTLS client and the
    Key Distributor MUST act as the DTLS server" (RFC 8871, Section 4.5.1).
    """
    description = read_sdp(octets)
    if description.identity is not None:
        raise IllegalParameter("the answer has an identity already")
    if not description.fingerprints:
        raise IllegalParameter("the answer has no fingerprint")
    if any(not fingerprint.matches(own) for fingerprint in description.fingerprints):
        raise IllegalParameter("the answer has a fingerprint that is not the Key Distributor's")
    used = [section for section in description.media if not section.rejected]
    if description.setups - {"passive"} or not used or any(section.setup is None for section in used):
        raise IllegalParameter("the answer does not make every endpoint the DTLS client")
