from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import ApiMisuse, DecodeError
from perc.identity.assertion import (
    MAX_IDENTITY,
    IdentityAssertion,
    assertion_hash,
    identity_hash,
    read_identity,
    write_identity,
)

ASSERTION = IdentityAssertion("idp-a.localhost:8001", "default", "signed.by.the.idp")


def encode(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.b64encode(text.encode()).decode()


def test_written_is_read():
    assert read_identity(write_identity(ASSERTION)) == ASSERTION
    assert ASSERTION.host == "idp-a.localhost"


def test_the_example_of_rfc_8827_is_read():
    value = encode(
        {"idp": {"domain": "example.org", "protocol": "bogus"}, "assertion": '{"identity":"bob@example.org"}'}
    )
    assert read_identity(value) == IdentityAssertion("example.org", "bogus", '{"identity":"bob@example.org"}')


def test_protocol_has_a_default_and_extensions_are_passed_over():
    value = encode({"idp": {"domain": "example.org"}, "assertion": "x", "more": 1})
    assert read_identity(f"{value} foo=bar;baz").protocol == "default"


@pytest.mark.parametrize(
    "value",
    [
        "!!!!",
        "YQ",  # not padded
        encode("not json"),
        encode([]),
        encode({"idp": {"domain": "a"}}),
        encode({"assertion": "x"}),
        encode({"idp": "a", "assertion": "x"}),
        encode({"idp": {"domain": "a"}, "assertion": {"an": "object"}}),
        encode({"idp": {"domain": "a"}, "assertion": ""}),
        encode({"idp": {"domain": "a", "protocol": None}, "assertion": "x"}),
        encode('{"idp": {"domain": "a"}, "assertion": "x", "assertion": "y"}'),
        encode('{"idp": {"domain": "a", "domain": "b"}, "assertion": "x"}'),
        encode("[" * 5000),
        base64.b64encode(b"\xff").decode(),
        "A" * (MAX_IDENTITY + 4),
    ],
)
def test_malformed_values_are_refused(value: str):
    with pytest.raises(DecodeError):
        read_identity(value)


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "idp/evil",
        "idp\\evil",
        "idp?x",
        "idp#x",
        "user@idp",
        "idp:",
        "idp:0",
        "idp:99999",
        "idp:80:80",
        "-idp",
        "idp.",
        ".idp",
        "idp evil",
        "idp\n",
        "idp%2e",
        "ïdp",
        "\u212aey",  # KELVIN SIGN, whose lower case is k
        "[::1]",
        "a" * 64,
        ".".join(["a" * 60] * 5),
    ],
)
def test_domains_that_are_more_than_a_domain_are_refused(domain: str):
    with pytest.raises(DecodeError):
        read_identity(encode({"idp": {"domain": domain}, "assertion": "x"}))


@pytest.mark.parametrize("protocol", ["", "a/b", "a\\b", "..", ".", "a?b", "a#b", "a%2fb", "a b", "a" * 65])
def test_protocols_that_would_lead_elsewhere_are_refused(protocol: str):
    with pytest.raises(DecodeError):
        read_identity(encode({"idp": {"domain": "idp.example", "protocol": protocol}, "assertion": "x"}))


def test_what_would_not_be_read_is_not_written():
    with pytest.raises(ApiMisuse):
        write_identity(IdentityAssertion("a/b", "default", "x"))


def test_the_hash_of_an_offer():
    # SHA-256("abc") of FIPS 180-2, Appendix B.1, in base64url.
    assert identity_hash("abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"


def test_an_assertion_is_the_same_however_it_is_written():
    provider = {"domain": "IDP-A.localhost:8001"}
    others = [
        f"{write_identity(ASSERTION)} x=1",
        encode({"assertion": ASSERTION.assertion, "idp": provider, "more": 1}),
        encode(json.dumps({"idp": provider, "assertion": ASSERTION.assertion}, indent=1)),
    ]
    assert {assertion_hash(read_identity(value)) for value in others} == {assertion_hash(ASSERTION)}


def test_an_assertion_is_another_if_anything_in_it_is():
    others = [
        IdentityAssertion("idp-a.localhost:8002", "default", "signed.by.the.idp"),
        IdentityAssertion("idp-a.localhost:8001", "other", "signed.by.the.idp"),
        IdentityAssertion("idp-a.localhost:8001", "default", "signed.by.the.other"),
        IdentityAssertion("idp-a.localhost:8001", "defaultsigned.by.the", ".idp"),
        IdentityAssertion("idp-a.localhost:8001", "default", "half \ud800"),
    ]
    assert len({assertion_hash(each) for each in [ASSERTION, *others]}) == 6


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_anything_else_raises_only_decode_errors(octets: bytes):
    for value in (octets.decode("latin-1"), base64.b64encode(octets).decode()):
        with suppress(DecodeError):
            read_identity(value)
