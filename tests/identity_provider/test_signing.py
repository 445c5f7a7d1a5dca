"""`POST /session` and `POST /sign`: what the frame may do, and nobody else."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.store import open_store
from tests.identity_provider.site import ASKING, ORIGIN, Provider, problem


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_the_assertion_is_what_the_proxy_expects(provider: Provider) -> None:
    provider.with_session()
    contents = '{"fingerprint": [], "größe": 1}'
    answer = provider.sign({"contents": contents, "origin": ASKING, "usernameHint": "alice@idp.example"})
    header, payload, signature = answer.json()["assertion"].split(".")
    key = SigningKeys(open_store(provider.config.database), 1e9, provider.clock).current()
    assert json.loads(decoded(header)) == {"alg": "ES256", "kid": key.kid, "typ": "webrtc-identity+jws"}
    now = int(provider.clock())
    assert json.loads(decoded(payload)) == {
        "contents": contents,
        "identity": "alice@idp.example",
        "iss": "idp.example:8443",
        "iat": now,
        "exp": now + 300,
    }
    raw = decoded(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.private_key.public_key().verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))


def test_the_session_is_partitioned(provider: Provider) -> None:
    answer = provider.redeem(provider.code())
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-idp=")
    assert cookie.endswith("; Secure; HttpOnly; SameSite=None; Partitioned")


def test_a_code_is_good_once(provider: Provider) -> None:
    code = provider.code()
    assert provider.redeem(code).status_code == 204
    assert problem(provider.redeem(code)) == (403, "code-refused")


def test_a_code_is_good_for_thirty_seconds(provider: Provider) -> None:
    code = provider.code()
    provider.clock.now += 30
    assert problem(provider.redeem(code)) == (403, "code-refused")


def test_a_stolen_code_is_no_good_without_the_frames_secret(provider: Provider) -> None:
    code = provider.code()
    assert problem(provider.redeem(code, verifier="x" * 43)) == (403, "code-refused")
    # And it is gone: whoever has stolen it cannot try again.
    assert problem(provider.redeem(code)) == (403, "code-refused")


def test_a_code_is_no_good_in_another_sites_frame(provider: Provider) -> None:
    assert problem(provider.redeem(provider.code(), origin="https://evil.example")) == (403, "code-refused")


def test_old_codes_of_an_account_make_room(provider: Provider) -> None:
    first = provider.code()
    for _ in range(5):
        provider.clock.now += 1
        provider.code()
    assert problem(provider.redeem(first)) == (403, "code-refused")


def test_without_a_session_login_is_required(provider: Provider) -> None:
    assert problem(provider.sign()) == (401, "login-required")


def test_a_session_ends(provider: Provider) -> None:
    provider.with_session()
    provider.clock.now += provider.config.session_lifetime + 1
    assert problem(provider.sign()) == (401, "login-required")


def test_a_session_is_for_the_site_that_was_consented_to(provider: Provider) -> None:
    provider.with_session()
    document = {"contents": "{}", "origin": "https://evil.example"}
    assert problem(provider.sign(document)) == (401, "login-required")


def test_a_hint_that_names_someone_else_requires_their_login(provider: Provider) -> None:
    provider.with_session()
    document = {"contents": "{}", "origin": ASKING, "usernameHint": "anna"}
    assert problem(provider.sign(document)) == (401, "login-required")


def test_a_forged_cookie_is_nobodys(provider: Provider) -> None:
    provider.client.cookies.set("__Host-idp", "guess")
    assert problem(provider.sign()) == (401, "login-required")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_only_this_sites_own_frame_may_ask(headers: dict[str, str], provider: Provider) -> None:
    code = provider.code()
    assert problem(provider.redeem(code, **headers)) == (403, "cross-site")
    assert provider.redeem(code).status_code == 204
    assert problem(provider.sign(None, **headers)) == (403, "cross-site")


def test_a_browser_that_does_not_say_who_asks_is_not_served(provider: Provider) -> None:
    provider.with_session()
    document = {"contents": "{}", "origin": ASKING}
    assert problem(provider.client.post("/sign", json=document, headers={"Origin": ORIGIN})) == (403, "cross-site")


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        ([], (400, "not-an-object")),
        ({}, (400, "malformed")),
        ({"contents": 5, "origin": ASKING}, (400, "malformed")),
        ({"contents": "{}"}, (400, "malformed")),
        ({"contents": "{}", "origin": ASKING, "usernameHint": []}, (400, "malformed")),
        ({"contents": "x" * 16385, "origin": ASKING}, (413, "too-large")),
        ({"contents": "ä" * 9000, "origin": ASKING}, (413, "too-large")),
        ({"contents": "x" * 60000, "origin": ASKING}, (413, "too-large")),
        ({"contents": "{}", "origin": "x" * 301}, (413, "too-large")),
    ],
)
def test_malformed_requests(document: object, refusal: tuple[int, str], provider: Provider) -> None:
    provider.with_session()
    assert problem(provider.sign(document)) == refusal


def test_contents_up_to_the_limit_are_signed(provider: Provider) -> None:
    provider.with_session()
    assert provider.sign({"contents": "x" * 16384, "origin": ASKING}).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 30000])
def test_what_is_not_json(body: bytes, provider: Provider) -> None:
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    assert problem(provider.client.post("/sign", content=body, headers=headers)) == (400, "not-json")


def test_half_a_character_is_no_text(provider: Provider) -> None:
    body = b'{"code": "\\ud800", "verifier": "x", "origin": "x"}'
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    assert problem(provider.client.post("/session", content=body, headers=headers)) == (400, "malformed")


def test_a_form_is_not_json(provider: Provider) -> None:
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    assert problem(provider.client.post("/sign", data={"contents": "{}"}, headers=headers)) == (415, "not-json")
