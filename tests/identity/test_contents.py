from __future__ import annotations

import json
from typing import Any

import pytest

from perc.errors import IdentityRejected
from perc.identity.contents import MAX_CONTENTS, Purpose, check_contents, write_contents
from perc.x509.fingerprint import Fingerprint
from tests.identity.sdps import MINE, OTHER

CONFERENCE = "http://localhost:8000/perc/room"
OFFER = Purpose(CONFERENCE)
ANSWER = Purpose(CONFERENCE, "hash-of-the-offer")


def altered(purpose: Purpose = OFFER, **members: Any) -> str:
    contents = json.loads(write_contents([MINE], purpose)) | members
    return json.dumps({name: value for name, value in contents.items() if value is not None})


def test_the_format_is_that_of_rfc_8827_with_the_conference_beside_it():
    assert json.loads(write_contents([MINE], ANSWER)) == {
        "fingerprint": [{"algorithm": "sha-256", "digest": str(MINE).split(" ")[1]}],
        "conference": CONFERENCE,
        "type": "answer",
        "offer": "hash-of-the-offer",
    }
    assert "offer" not in json.loads(write_contents([MINE], OFFER))


@pytest.mark.parametrize("purpose", [OFFER, ANSWER])
def test_what_was_written_for_a_purpose_is_accepted_for_it(purpose: Purpose):
    check_contents(write_contents([MINE], purpose), [MINE], purpose)
    check_contents(write_contents([MINE, OTHER], purpose), [MINE], purpose)  # more than the SDP has is no harm


def test_digests_may_be_in_lower_case_and_members_may_be_added():
    contents = altered(fingerprint=[{"algorithm": "SHA-256", "digest": MINE.value.hex(":")}], more=1)
    check_contents(contents, [MINE], OFFER)


@pytest.mark.parametrize(
    "contents",
    [
        write_contents([OTHER], OFFER),
        altered(conference="http://localhost:8000/perc/other"),
        altered(conference=None),
        altered(type="answer"),
        altered(type=None),
        altered(fingerprint=None),
        altered(fingerprint=[]),
        altered(fingerprint={"algorithm": "sha-256", "digest": "AB"}),
        altered(fingerprint=["sha-256"]),
        altered(fingerprint=[{"algorithm": "sha-256", "digest": 1}]),
        "not JSON",
        '{"type":"offer",' + write_contents([MINE], OFFER)[1:],  # a member twice
        altered(padding="x" * MAX_CONTENTS),
    ],
)
def test_an_offer_is_refused_for_any_other_contents(contents: str):
    with pytest.raises(IdentityRejected) as rejection:
        check_contents(contents, [MINE], OFFER)
    assert rejection.value.error_detail == "idp-token-invalid"


def test_a_smuggled_fingerprint_is_not_covered():
    with pytest.raises(IdentityRejected, match="does not cover"):
        check_contents(write_contents([MINE], OFFER), [MINE, OTHER], OFFER)
    with pytest.raises(IdentityRejected, match="does not cover"):
        check_contents(write_contents([MINE], OFFER), [MINE, Fingerprint("sha-384", bytes(48))], OFFER)


def test_an_answer_is_no_offer_and_an_offer_no_answer():
    with pytest.raises(IdentityRejected, match="not made for an offer"):
        check_contents(write_contents([MINE], ANSWER), [MINE], OFFER)
    with pytest.raises(IdentityRejected):
        check_contents(write_contents([MINE], OFFER), [MINE], ANSWER)


def test_an_answer_is_for_one_offer():
    with pytest.raises(IdentityRejected, match="another offer"):
        check_contents(write_contents([MINE], Purpose(CONFERENCE, "other")), [MINE], ANSWER)
