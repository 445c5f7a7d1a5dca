"""What an identity provider counts, as a scraper reads it: each counter moves for its reason."""

from __future__ import annotations

import pytest

from perc_server.identity_provider.counts import IdentityProviderCounts, LimitKind
from perc_server.identity_provider.signing_in import WRONG_PASSWORD
from perc_server.identity_provider.throttle import Limits
from tests.identity_provider.site import ASKING, SAME_ORIGIN, Provider
from tests.observability.observing import value


def total(provider: Provider, name: str, **labels: str) -> int:
    return int(value(provider.app.state.metrics, f"perc_idp_{name}_total", **labels))


def test_sign_ins_are_counted_by_method_and_refusal(provider: Provider) -> None:
    provider.sign_in()
    assert total(provider, "sign_ins", method="password") == 1
    provider.client = provider.browser()
    for _ in range(11):
        provider.sign_in("anna", "wrong")
    assert total(provider, "sign_ins_refused", reason="wrong-password") == 10
    assert total(provider, "sign_ins_refused", reason="too-many") == 1
    assert total(provider, "limits_reached", limit="name") == 1
    assert total(provider, "requests", status="401") == 10
    assert total(provider, "requests", status="429") == 1


def test_an_unknown_name_counts_as_a_wrong_password(provider: Provider) -> None:
    assert WRONG_PASSWORD in provider.sign_in("nobody", "wrong").text
    assert total(provider, "sign_ins_refused", reason="wrong-password") == 1


def test_passkeys_are_counted_by_refusal(provider: Provider) -> None:
    provider.signed_in()
    authenticator = provider.authenticator()
    assert provider.add_passkey(authenticator).status_code == 303
    assert provider.use_passkey(authenticator).status_code == 303
    assert total(provider, "sign_ins", method="passkey") == 1
    provider.post("/account/passkeys/new", "/account/passkeys/new", credential="{}", label="Laptop")
    assert total(provider, "passkeys_refused", reason="malformed") == 1
    used = authenticator.get(provider.options("/login/passkey/options"))
    provider.send_passkey(used)
    provider.send_passkey(used)
    assert total(provider, "passkeys_refused", reason="challenge") == 1
    provider.send_passkey("{}")
    assert total(provider, "passkeys_refused", reason="malformed") == 2
    provider.use_passkey(provider.authenticator())
    assert total(provider, "passkeys_refused", reason="unknown") == 1
    assert total(provider, "sign_ins_refused", reason="passkey") == 3


def test_registrations_are_counted_by_refusal(provider: Provider) -> None:
    provider.register("carol")
    assert total(provider, "registrations") == 1
    for reason, name, password in (
        ("taken", "carol", "correct horse battery"),
        ("bad-name", "c", "correct horse battery"),
        ("bad-password", "dave", "password"),
    ):
        provider.register(name, password)
        assert total(provider, "registrations_refused", reason=reason) == 1
    for number in range(20):
        provider.register(f"user{number}")
    assert total(provider, "registrations_refused", reason="too-many") >= 1
    assert total(provider, "limits_reached", limit="registrations") >= 1


def test_refused_password_changes_are_counted(provider: Provider) -> None:
    provider.signed_in()
    page = "/account/password"
    provider.post(page, page, current="wrong", password="correct horse battery")
    assert total(provider, "password_changes_refused", reason="wrong-password") == 1
    provider.post(page, page, current="alice-demo", password="short")
    assert total(provider, "password_changes_refused", reason="bad-password") == 1
    for _ in range(11):
        provider.post(page, page, current="wrong", password="correct horse battery")
    assert total(provider, "password_changes_refused", reason="too-many") >= 1
    assert total(provider, "limits_reached", limit="own-name") >= 1


def test_assertions_are_counted_by_refusal(provider: Provider) -> None:
    provider.sign()
    assert total(provider, "assertions_refused", reason="not-signed-in") == 1
    provider.with_session()
    provider.sign()
    assert total(provider, "assertions_signed") == 1
    assert total(provider, "codes_redeemed") == 1
    provider.sign({"contents": "{}", "origin": "https://other.example"})
    assert total(provider, "assertions_refused", reason="other-site") == 1
    provider.sign({"contents": "{}", "origin": ASKING, "usernameHint": "anna"})
    assert total(provider, "assertions_refused", reason="other-account") == 1
    assert total(provider, "requests_refused", type="login-required") == 3


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_refusals_are_counted_by_type_for_people_and_for_programs(provider: Provider, accept: str) -> None:
    headers = {**SAME_ORIGIN, "Accept": accept}
    browser = provider.browser()
    refusals = {
        "not-here": browser.get("/nowhere", headers=headers),
        "csrf": browser.post("/login", data={"name": "alice"}, headers=headers),
        "cross-site": browser.post("/login", headers=headers | {"Origin": "https://other.example"}),
        "bad-origin": browser.get("/login?origin=x", headers=headers),
        "bad-challenge": browser.get(f"/login?origin={ASKING}", headers=headers),
        "code-refused": browser.post(
            "/session", json={"code": "x", "verifier": "x", "origin": ASKING}, headers=headers
        ),
        "malformed": browser.post("/sign", json={"contents": 1, "origin": ASKING}, headers=headers),
        "not-an-object": browser.post("/sign", json=[], headers=headers),
        "not-json": browser.post("/sign", content="{", headers=headers | {"Content-Type": "application/json"}),
        "wrong-host": browser.get("/login", headers=headers | {"Host": "other.example"}),
    }
    for kind, answer in refusals.items():
        assert answer.status_code >= 400
        assert total(provider, "requests_refused", type=kind) == 1, kind


def test_the_limit_of_a_network_is_counted() -> None:
    counts = IdentityProviderCounts()
    limits = Limits(lambda: 0.0, counts)
    for number in range(31):
        limits.guess(f"user{number}", "192.0.2.0")
    assert counts.limits == {LimitKind.NETWORK: 1}


def test_public_routes_do_not_show_metrics(provider: Provider) -> None:
    assert provider.client.get("/metrics").status_code == 404
