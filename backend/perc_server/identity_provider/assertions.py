"""Identity assertions: a compact JSON Web Signature (RFC 7515) under ES256.

    {"alg": "ES256", "kid": …, "typ": "webrtc-identity+jws"} . {contents, identity, iss, iat, exp} . signature

`contents` is opaque: "The IdP MUST treat contents as opaque string" (webrtc-identity, generateAssertion).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from perc_server.identity_provider.keys import SigningKey, base64url

TYPE = "webrtc-identity+jws"
"""So that nothing else which this key might sign one day is an identity assertion (RFC 8725, Section 3.11)."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What is asserted; times are Unix seconds."""

    contents: str
    identity: str
    iss: str
    iat: int
    exp: int


def sign(assertion: Assertion, key: SigningKey) -> str:
    """The assertion in compact serialization."""
    header = {"alg": "ES256", "kid": key.kid, "typ": TYPE}
    signing_input = f"{_part(header)}.{_part(asdict(assertion))}"
    der = key.private_key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    # RFC 7518, Section 3.4: R and S as 32 octets each, not DER.
    signature = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
    return f"{signing_input}.{base64url(signature)}"


def _part(members: Mapping[str, object]) -> str:
    return base64url(json.dumps(members, separators=(",", ":")).encode())
