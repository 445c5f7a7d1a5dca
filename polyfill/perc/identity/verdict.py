"""What an IdP proxy said of an assertion, and whether it may say so (RFC 8827, Section 8.1; W3C webrtc-identity)."""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import IdentityRejected
from perc.identity.assertion import IdentityAssertion
from perc.identity.contents import INVALID

MAX_IDENTITY_NAME = 2**10
"""Octets of a name in UTF-8: the roster's field for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of validateAssertion (RTCIdentityValidationResult): who it was, and what was signed."""

    identity: str
    contents: str


def check_name(identity: str, assertion: IdentityAssertion) -> str:
    """The name `user@host`, host in lower case; `IdentityRejected` if this identity provider has no say over it.

    RFC 8827, Section 8.1: an identity provider is authoritative for the names of its own domain; third-party providers,
    which that section leaves to local policy, are not trusted here. The port is no part of the domain. Hosts are
    compared as A-labels, ASCII case aside; a name in U-labels is refused rather than guessed at.
    """
    user, at, host = identity.partition("@")
    # RFC 8827, Section 8.1: an `@` in the user's part has to be percent-encoded, so there is exactly one.
    if not at or not user or "@" in host:
        raise IdentityRejected("the identity is not user@host", INVALID)
    # A name is shown to people: nothing in it may be invisible, or change how the rest is displayed. That leaves out
    # JavaScript's lone surrogates, too, which have no octets.
    if " " in user or not user.isprintable():
        raise IdentityRejected("the identity has characters that cannot be shown", INVALID)
    if not host.isascii() or host.lower() != assertion.host:
        raise IdentityRejected("the identity provider vouched for a name of another domain", INVALID)
    if len(identity.encode()) > MAX_IDENTITY_NAME:
        raise IdentityRejected("the identity is too long", INVALID)
    return f"{user}@{host.lower()}"
