"""The value of `a=identity`: which identity provider, and what it asserted (RFC 8827, Sections 5 and 7.4.1).

{"idp": {"domain": "idp.example:8443", "protocol": "default"}, "assertion": "…"}, in base64
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass

from perc.errors import ApiMisuse, DecodeError
from perc.identity.strict_json import read_object, read_string

MAX_IDENTITY = 24 * 1024
"""Characters of an a=identity value: room for a signed assertion, and still most of the tunnel's 64 KiB for the SDP."""

DEFAULT_PROTOCOL = "default"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII)
_PROTOCOL = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class IdentityAssertion:
    """What an identity provider said of a peer; `assertion` means something to its IdP proxy alone."""

    domain: str
    protocol: str
    assertion: str

    @property
    def host(self) -> str:
        """The domain without its port, in lower case: the part after `@` in the names of this provider."""
        return self.domain.partition(":")[0].lower()


def check_provider(domain: str, protocol: str) -> None:
    """`DecodeError` unless both can stand in https://DOMAIN/.well-known/idp-proxy/PROTOCOL and mean just that.

    W3C webrtc-identity forbids `/` and `\\` in a protocol, RFC 8827, Section 7.5, wants an authority for a domain. Both
    are made into a URL, so what is taken here is a list of what may stand there: a host name (in A-labels) with an
    optional port, and the unreserved characters of RFC 3986 without a path's `.` and `..`.
    """
    match = _DOMAIN.fullmatch(domain)
    if match is None or len(match["host"]) > 253 or int(match["port"] or 443) > 65535:
        raise DecodeError("an identity provider whose domain is not a domain")
    if not _PROTOCOL.fullmatch(protocol) or protocol in {".", ".."}:
        raise DecodeError("an identity provider with an impossible protocol")


def read_identity(value: str) -> IdentityAssertion:
    """The assertion in an a=identity value; `DecodeError` if it is not well-formed."""
    if len(value) > MAX_IDENTITY:
        raise DecodeError(f"an a=identity of {len(value)} characters, more than {MAX_IDENTITY}")
    # RFC 8827, Section 5: extensions may follow behind a space; none are known here.
    encoded = value.partition(" ")[0]
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise DecodeError("an a=identity that is not base64") from None
    members = read_object(text, MAX_IDENTITY)
    provider = members.get("idp")
    if not isinstance(provider, dict):
        raise DecodeError("an a=identity without an identity provider")
    domain = read_string(provider, "domain")
    protocol = read_string(provider, "protocol", DEFAULT_PROTOCOL)
    check_provider(domain, protocol)
    # Host names are the same in any case, and here in one, so that no provider passes for two.
    return IdentityAssertion(domain.lower(), protocol, read_string(members, "assertion"))


def write_identity(assertion: IdentityAssertion) -> str:
    """The a=identity value; `ApiMisuse` if it would not be read again."""
    provider = {"domain": assertion.domain, "protocol": assertion.protocol}
    text = json.dumps({"idp": provider, "assertion": assertion.assertion}, separators=(",", ":"))
    value = base64.b64encode(text.encode()).decode()
    try:
        read_identity(value)
    except DecodeError as error:
        raise ApiMisuse(f"not an identity assertion: {error}") from None
    return value


def identity_hash(value: str) -> str:
    """How an answer names the offer it answers: base64url, unpadded, of SHA-256 over the offer's a=identity value."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()).decode().rstrip("=")


def assertion_hash(assertion: IdentityAssertion) -> str:
    """SHA-256 of what an a=identity says: the same for every other way of writing it."""
    said = json.dumps([assertion.domain, assertion.protocol, assertion.assertion])
    return hashlib.sha256(said.encode()).hexdigest()
