"""Passkeys: added, used, renamed, removed; and what must not count (WebAuthn Level 3, Sections 7.1 and 7.2)."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perc_server.identity_provider.passkeys import MAX_PASSKEYS
from tests.identity_provider.authenticator import USER_PRESENT, USER_VERIFIED, Authenticator, base64url, decoded
from tests.identity_provider.site import ASKING, CHALLENGE, ORIGIN, SAME_ORIGIN, Provider, problem

ADDED = "/account?done=passkey-added"


@pytest.fixture
def passkey(provider: Provider) -> Authenticator:
    """One of Alice's, who is signed out now."""
    authenticator = provider.signed_in().authenticator()
    assert provider.add_passkey(authenticator).headers["location"] == ADDED
    provider.client = provider.browser()
    return authenticator


def test_a_passkey_signs_in(provider: Provider, passkey: Authenticator) -> None:
    assert provider.use_passkey(passkey).headers["location"] == "/account"
    assert "alice@idp.example" in provider.client.get("/account").text


def test_a_passkey_leads_to_the_site_that_asks(provider: Provider, passkey: Authenticator) -> None:
    answer = provider.use_passkey(passkey, origin=ASKING, challenge=CHALLENGE)
    assert ASKING in provider.client.get(answer.headers["location"]).text


def test_what_is_asked_of_authenticators(provider: Provider) -> None:
    options = provider.signed_in().options("/account/passkeys/options")
    assert options["rp"]["id"] == "idp.example"
    assert options["user"]["name"] == "alice@idp.example"
    assert b"alice" not in base64.urlsafe_b64decode(options["user"]["id"] + "==")
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    provider.client.get("/login?again=1")
    options = provider.options("/login/passkey/options")
    assert (options["rpId"], options["userVerification"]) == ("idp.example", "required")
    # No names: whoever asks does not learn who has passkeys.
    assert options["allowCredentials"] == []


def test_an_authenticator_is_told_which_passkeys_there_are(provider: Provider) -> None:
    passkey = provider.signed_in().authenticator()
    provider.add_passkey(passkey)
    (excluded,) = provider.options("/account/passkeys/options")["excludeCredentials"]
    assert excluded["id"] == base64url(passkey.credential_id)


def test_passkeys_are_listed_renamed_and_removed(provider: Provider, passkey: Authenticator) -> None:
    provider.use_passkey(passkey)
    page = provider.client.get("/account").text
    assert "Laptop" in page
    assert "last used" in page
    identifier = base64url(passkey.credential_id)
    provider.post("/account/passkeys", id=identifier, action="rename", label="  Old\nlaptop\x00  ")
    assert "Old laptop" in provider.client.get("/account").text
    provider.post("/account/passkeys", id=identifier, action="remove")
    assert "Old laptop" not in provider.client.get("/account").text
    provider.client = provider.browser()
    assert provider.use_passkey(passkey).status_code == 401


@pytest.mark.parametrize(("label", "shown"), [("", "Passkey"), ("\x00\n", "Passkey"), ("x" * 200, "x" * 64)])
def test_a_label_is_a_line_of_text(label: str, shown: str, provider: Provider) -> None:
    provider.signed_in().add_passkey(provider.authenticator(), label)
    assert f"<strong>{shown}</strong>" in provider.client.get("/account").text


def test_a_label_is_shown_as_text(provider: Provider) -> None:
    provider.signed_in().add_passkey(provider.authenticator(), "<script>alert(1)</script>")
    assert "<script>alert" not in provider.client.get("/account").text


def test_nobody_changes_anothers_passkey(provider: Provider, passkey: Authenticator) -> None:
    identifier = base64url(passkey.credential_id)
    provider.signed_in("anna")
    assert problem(provider.client.get("/account/passkeys", params={"id": identifier})) == (404, "no-passkey")
    for action in ("rename", "remove"):
        assert problem(provider.post("/account/passkeys", id=identifier, action=action)) == (404, "no-passkey")
    provider.client = provider.browser()
    assert provider.use_passkey(passkey).status_code == 303


def test_to_add_one_takes_a_recent_sign_in(provider: Provider) -> None:
    """Whoever finds a machine that was left signed in must not be able to come back."""
    options = provider.signed_in().options("/account/passkeys/options")
    provider.clock.now += 601
    assert "Is it still you?" in provider.client.get("/account/passkeys/new").text
    assert problem(provider.client.post("/account/passkeys/options", headers=SAME_ORIGIN)) == (403, "sign-in-again")
    credential = provider.authenticator().create(options)
    assert problem(provider.post("/account/passkeys/new", credential=credential)) == (403, "sign-in-again")
    again = provider.client.get("/login?again=1")
    assert provider.post_form(again, name="alice", password="alice-demo").headers["location"] == "/account"
    assert provider.add_passkey(provider.authenticator()).headers["location"] == ADDED


def test_an_account_has_so_many_and_no_more(provider: Provider) -> None:
    provider.signed_in()
    for _ in range(MAX_PASSKEYS):
        assert provider.add_passkey(provider.authenticator()).headers["location"] == ADDED
    assert provider.add_passkey(provider.authenticator()).status_code == 422


@pytest.mark.parametrize(
    "claims",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://idp.example"},
        {"origin": "http://idp.example:8443"},
        {"origin": "https://sub.idp.example:8443"},
        {"rp_id": "evil.example"},
        {"rp_id": "example"},
        {"flags": USER_PRESENT},
        {"flags": USER_VERIFIED},
        {"client_data": {"crossOrigin": True}},
        {"client_data": {"crossOrigin": "no"}},
        {"client_data": {"crossOrigin": True, "topOrigin": "https://evil.example"}},
        {"client_data": {"topOrigin": "https://evil.example"}},
        {"client_data": {"type": "payment.get"}},
        {"client_data": {"challenge": base64url(bytes(32))}},
    ],
)
def test_responses_that_do_not_count(claims: dict[str, Any], provider: Provider, passkey: Authenticator) -> None:
    for name, value in claims.items():
        setattr(passkey, name, value)
    answer = provider.use_passkey(passkey)
    assert answer.status_code == 401
    assert "does not open an account here" in answer.text
    assert not provider.is_signed_in()
    assert provider.signed_in().add_passkey(provider.authenticator(**claims)).status_code == 422


@pytest.mark.parametrize("fmt", ["tpm", "android-safetynet", "android-key", "apple", "fido-u2f"])
def test_attestations_that_were_not_asked_for(fmt: str, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do not even reach the parsers that would find them good."""
    module = sys.modules["webauthn.registration.verify_registration_response"]
    monkeypatch.setattr(module, f"verify_{fmt.replace('-', '_')}", lambda **_statement: True)
    passkey = provider.signed_in().authenticator(attestation={"fmt": fmt, "attStmt": {}})
    assert provider.add_passkey(passkey).status_code == 422


@pytest.mark.parametrize("fmt", ["other", 5, None, ["none"]])
def test_attestations_that_are_none_at_all(fmt: object, provider: Provider) -> None:
    passkey = provider.signed_in().authenticator(attestation={"fmt": fmt, "attStmt": {}})
    assert provider.add_passkey(passkey).status_code == 422


def test_a_credential_id_is_not_of_any_length(provider: Provider) -> None:
    assert provider.signed_in().add_passkey(provider.authenticator(credential_id=b"x" * 1024)).status_code == 422
    assert provider.add_passkey(provider.authenticator(credential_id=b"x" * 1023)).headers["location"] == ADDED


def test_a_key_that_is_none_is_found_out_when_it_is_added(provider: Provider) -> None:
    """A point that is not on the curve would sign nobody in, ever."""
    passkey = provider.signed_in().authenticator()
    document = json.loads(passkey.create(provider.options("/account/passkeys/options")))
    y = passkey.key.public_key().public_numbers().y.to_bytes(32, "big")
    octets = decoded(document["response"]["attestationObject"]).replace(y, bytes(32))
    document["response"]["attestationObject"] = base64url(octets)
    answer = provider.post("/account/passkeys/new", "/account/passkeys/new", credential=json.dumps(document))
    assert answer.status_code == 422


def test_the_same_passkey_is_not_added_twice_nor_to_two_accounts(provider: Provider, passkey: Authenticator) -> None:
    provider.signed_in("anna")
    assert provider.add_passkey(passkey).status_code == 422
    provider.client = provider.browser()
    passkey.handle = b""
    assert provider.signed_in().add_passkey(passkey).status_code == 422
    assert provider.use_passkey(passkey).status_code == 303
    assert "alice@idp.example" in provider.client.get("/account").text


@pytest.mark.parametrize("whose", ["anna", "nobody"])
def test_a_passkey_that_says_it_is_anothers(whose: str, provider: Provider, passkey: Authenticator) -> None:
    """An authenticator that has Alice's key and Anna's handle is neither's."""
    others = provider.authenticator()
    provider.signed_in("anna").add_passkey(others)
    provider.client = provider.browser()
    passkey.handle = others.handle if whose == "anna" else b""
    assert provider.use_passkey(passkey).status_code == 401


def test_another_key_under_a_known_id(provider: Provider, passkey: Authenticator) -> None:
    forged = provider.authenticator(credential_id=passkey.credential_id, handle=passkey.handle, counter=100)
    assert provider.use_passkey(forged).status_code == 401


def test_a_counter_that_goes_back_is_a_copys(provider: Provider, passkey: Authenticator) -> None:
    passkey.counter = 10
    assert provider.use_passkey(passkey).status_code == 303
    for counter in (5, 10):
        passkey.counter = counter - 1
        assert provider.use_passkey(passkey).status_code == 401
    passkey.counter = 11
    assert provider.use_passkey(passkey).status_code == 303


def test_an_authenticator_without_a_counter(provider: Provider) -> None:
    passkey = provider.signed_in().authenticator(counter=0)
    provider.add_passkey(passkey)
    for _ in range(2):
        assert provider.use_passkey(passkey).status_code == 303


def test_a_response_counts_once(provider: Provider, passkey: Authenticator) -> None:
    provider.client.get("/login")
    response = passkey.get(provider.options("/login/passkey/options"))
    assert provider.send_passkey(response).status_code == 303
    assert provider.send_passkey(response).status_code == 401


def test_a_response_that_was_refused_does_not_count_later(provider: Provider, passkey: Authenticator) -> None:
    """Its challenge is used up, whoever tried."""
    provider.client.get("/login")
    options = provider.options("/login/passkey/options")
    forged = provider.authenticator(credential_id=passkey.credential_id, handle=passkey.handle)
    assert provider.send_passkey(forged.get(options)).status_code == 401
    assert provider.send_passkey(passkey.get(options)).status_code == 401


def test_a_response_counts_in_the_browser_that_asked(provider: Provider, passkey: Authenticator) -> None:
    """Neither one that was stolen on its way, nor one that a victim is made to send for an attacker (login CSRF)."""
    provider.client.get("/login")
    response = passkey.get(provider.options("/login/passkey/options"))
    provider.client = provider.browser()
    assert provider.send_passkey(response).status_code == 401


def test_a_new_passkey_belongs_to_the_sign_in_that_asked(provider: Provider) -> None:
    credential = provider.authenticator().create(provider.signed_in().options("/account/passkeys/options"))
    provider.client = provider.browser()
    provider.signed_in("anna")
    assert provider.post("/account/passkeys/new", credential=credential).status_code == 422


def test_challenges_for_adding_and_for_signing_in_are_not_the_same(provider: Provider, passkey: Authenticator) -> None:
    provider.signed_in()
    response = passkey.get(provider.options("/account/passkeys/options"))
    assert provider.send_passkey(response).status_code == 401


def test_a_challenge_ends(provider: Provider, passkey: Authenticator) -> None:
    provider.client.get("/login")
    response = passkey.get(provider.options("/login/passkey/options"))
    provider.clock.now += 300
    assert provider.send_passkey(response).status_code == 401


def test_challenges_are_not_given_out_without_end(provider: Provider) -> None:
    provider.client.get("/login")
    for _ in range(60):
        provider.options("/login/passkey/options")
    assert problem(provider.client.post("/login/passkey/options", headers=SAME_ORIGIN)) == (429, "too-many")
    provider.signed_in()
    assert problem(provider.client.post("/account/passkeys/options", headers=SAME_ORIGIN)) == (429, "too-many")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": ORIGIN}, {**SAME_ORIGIN, "Origin": "null"}, {**SAME_ORIGIN, "Sec-Fetch-Site": "cross-site"}],
)
@pytest.mark.parametrize("path", ["/login/passkey/options", "/account/passkeys/options"])
def test_options_are_for_this_sites_own_pages(path: str, headers: dict[str, str], provider: Provider) -> None:
    provider.signed_in()
    assert problem(provider.client.post(path, headers=headers)) == (403, "cross-site")


def test_a_browser_that_has_not_seen_the_page_gets_no_challenge(provider: Provider) -> None:
    assert problem(provider.client.post("/login/passkey/options", headers=SAME_ORIGIN)) == (403, "csrf")


def test_a_passkey_signs_in_where_the_name_is_locked(provider: Provider, passkey: Authenticator) -> None:
    """Whoever guesses at Alice's password locks passwords, not Alice."""
    for _ in range(11):
        page = provider.sign_in("alice", "wrong")
    assert page.status_code == 429
    assert provider.use_passkey(passkey).status_code == 303


@pytest.mark.parametrize(
    "credential",
    ["", "null", "5", "[]", "{}", "{", '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}', "[" * 5000],
)
def test_what_is_no_response_at_all(credential: str, provider: Provider, passkey: Authenticator) -> None:
    assert provider.send_passkey(credential).status_code == 401
    assert provider.signed_in().post("/account/passkeys/new", credential=credential).status_code == 422


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_response_is_refused_and_nothing_worse(
    data: st.DataObject, provider: Provider, passkey: Authenticator
) -> None:
    """Members of the response with octets changed, and taken away or put in."""
    provider.clock.now += 3600  # past all limits
    kind = data.draw(st.sampled_from(["get", "create"]))
    if kind == "create":
        provider.signed_in()
        response = provider.authenticator().create(provider.options("/account/passkeys/options"))
    else:
        provider.client.get("/login")
        response = passkey.get(provider.options("/login/passkey/options"))
    document = json.loads(response)
    name = data.draw(st.sampled_from(sorted(document["response"])))
    octets = bytearray(base64.urlsafe_b64decode(document["response"][name] + "=="))
    position = data.draw(st.integers(0, 10_000)) % len(octets)
    octets[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    document["response"][name] = base64url(bytes(octets))
    changed = json.dumps(document)
    if kind == "create":
        answer = provider.post("/account/passkeys/new", "/account/passkeys/new", credential=changed)
        assert answer.status_code in {303, 422}  # without attestation, nothing says that a key is not what it was
    elif json.loads(changed) != json.loads(response):
        assert provider.send_passkey(changed).status_code == 401
