"""The contents of an assertion: what the identity provider signs, and what must come back (RFC 8827, Section 7.4).

RFC 8827 binds the fingerprints. Inside a conference this project binds more, as members beside them, so that what was
signed for one purpose serves no other:

    {"fingerprint": [{"algorithm": "sha-256", "digest": "AB:CD:…"}],
     "conference": "https://perc.example/perc/room", "type": "answer", "offer": "…hash of the offer's a=identity…"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from perc.errors import DecodeError, IdentityRejected
from perc.identity.strict_json import read_object, read_string
from perc.x509.fingerprint import Fingerprint

MAX_CONTENTS = 8 * 1024
"""Characters of contents: eight fingerprints and a URL need less than two thousand."""

INVALID = "idp-token-invalid"
"""The errorDetail for an assertion that is genuine and still not the one that is needed (W3C webrtc-identity)."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an assertion is for: this conference, and an offer or the answer to one offer (by `identity_hash`)."""

    conference: str
    offer: str | None = None

    @property
    def type(self) -> str:
        """`offer`, or `answer` where there is an offer that it answers."""
        return "offer" if self.offer is None else "answer"


def write_contents(fingerprints: Iterable[Fingerprint], purpose: Purpose) -> str:
    """What the identity provider is asked to sign."""
    contents: dict[str, Any] = {
        "fingerprint": [_fingerprint_to_json(fingerprint) for fingerprint in fingerprints],
        "conference": purpose.conference,
        "type": purpose.type,
    }
    if purpose.offer is not None:
        contents["offer"] = purpose.offer
    return json.dumps(contents, separators=(",", ":"))


def check_contents(contents: str, fingerprints: Iterable[Fingerprint], purpose: Purpose) -> None:
    """`IdentityRejected` unless contents that an identity provider confirmed cover this SDP, here and for this purpose.

    `fingerprints` are those of the SDP.
    """
    try:
        members = read_object(contents, MAX_CONTENTS)
        asserted = _read_fingerprints(members)
        conference, kind = read_string(members, "conference"), read_string(members, "type")
        offer = read_string(members, "offer") if purpose.offer is not None else None
    except DecodeError as error:
        raise IdentityRejected(f"the assertion's contents are not a conference's: {error}", INVALID) from None
    # "The RTCPeerConnection decodes the contents and validates that it contains a fingerprint value for every
    # a=fingerprint attribute in the session description" (webrtc-identity, Verifying Identity Assertions).
    if not set(fingerprints) <= asserted:
        raise IdentityRejected("the assertion does not cover a fingerprint of the SDP", INVALID)
    if conference != purpose.conference:
        raise IdentityRejected("the assertion was made for another conference", INVALID)
    if kind != purpose.type:
        raise IdentityRejected(f"the assertion was not made for an {purpose.type}", INVALID)
    if offer != purpose.offer:
        raise IdentityRejected("the assertion answers another offer", INVALID)


def _fingerprint_to_json(fingerprint: Fingerprint) -> dict[str, str]:
    algorithm, digest = str(fingerprint).split(" ")
    return {"algorithm": algorithm, "digest": digest}


def _read_fingerprints(members: dict[str, Any]) -> set[Fingerprint]:
    entries = members.get("fingerprint")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DecodeError("no array of fingerprints")
    return {Fingerprint.parse(f"{read_string(entry, 'algorithm')} {read_string(entry, 'digest')}") for entry in entries}
