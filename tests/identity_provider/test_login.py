"""The login popup: sign-in, consent, code; and everything that it refuses."""

from __future__ import annotations

import pytest

from tests.identity_provider.site import ASKING, CHALLENGE, ORIGIN, SAME_ORIGIN, Provider, problem


def test_sign_in_leads_to_consent_and_consent_to_a_code(provider: Provider) -> None:
    answer = provider.sign_in()
    assert answer.status_code == 303
    consent = provider.client.get(answer.headers["location"])
    assert "alice@idp.example" in consent.text
    assert ASKING in consent.text
    granted = provider.post_form(consent, decision="allow")
    assert f'data-challenge="{CHALLENGE}"' in granted.text
    assert f'data-origin="{ASKING}"' in granted.text


def test_consent_is_asked_once_for_each_site(provider: Provider) -> None:
    provider.code()
    assert "data-code" in provider.client.get(provider.login_url()).text
    assert "Use your identity?" in provider.client.get(provider.login_url(origin="https://other.example")).text


def test_without_consent_there_is_no_code(provider: Provider) -> None:
    consent = provider.client.get(provider.sign_in().headers["location"])
    denied = provider.post_form(consent, decision="deny")
    assert "data-code" not in denied.text
    assert "data-code" not in provider.client.get(provider.login_url()).text


def test_another_account_can_be_chosen(provider: Provider) -> None:
    consent = provider.client.get(provider.sign_in().headers["location"])
    answer = provider.post_form(consent, decision="switch")
    assert "Password" in provider.client.get(answer.headers["location"]).text


def test_a_hint_that_names_someone_else_asks_for_their_password(provider: Provider) -> None:
    provider.sign_in()
    page = provider.client.get(provider.login_url(username="anna@idp.example"))
    assert 'value="anna"' in page.text


def test_without_a_site_that_asks_it_is_a_sign_in(provider: Provider) -> None:
    page = provider.client.get("/login")
    answer = provider.post_form(page, name="alice", password="alice-demo")
    assert "alice@idp.example" in provider.client.get(answer.headers["location"]).text


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", "wrong"), ("alice", "x" * 1000)])
def test_wrong_passwords_and_unknown_names_look_the_same(name: str, password: str, provider: Provider) -> None:
    page = provider.sign_in(name, password)
    assert page.status_code == 401
    assert "That name and password do not match." in page.text
    assert "__Host-sign-in" not in page.headers.get("set-cookie", "")


def test_guessing_is_stopped_even_for_the_right_password(provider: Provider) -> None:
    for _ in range(10):
        provider.sign_in("alice", "wrong")
    page = provider.sign_in("alice", "alice-demo")
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0


def guess(provider: Provider, name: str = "alice", times: int = 10) -> None:
    """From somebody else's browser."""
    own, provider.client = provider.client, provider.browser()
    for _ in range(times):
        assert provider.sign_in(name, "wrong").status_code == 401
    assert provider.sign_in(name, "wrong").status_code == 429
    provider.client = own


def test_whoever_guesses_does_not_lock_the_owners_browser(provider: Provider) -> None:
    provider.signed_in()
    guess(provider)
    assert provider.signed_in().is_signed_in()
    provider.clock.now += provider.config.sign_in_lifetime
    assert not provider.is_signed_in()
    guess(provider)
    assert provider.signed_in().is_signed_in(), "also when the sign-in has ended"


def test_whoever_guesses_does_not_keep_the_owner_from_changing_the_password(provider: Provider) -> None:
    provider.signed_in()
    guess(provider)
    fields = {"current": "alice-demo", "password": "correct horse battery"}
    answer = provider.post("/account/password", "/account/password", **fields)
    assert answer.headers["location"] == "/account?done=password"


def test_a_browser_is_the_owners_of_its_own_name_only(provider: Provider) -> None:
    provider.signed_in("anna")
    for _ in range(10):
        provider.sign_in("alice", "wrong", again="1")
    assert provider.sign_in("alice", "alice-demo", again="1").status_code == 429


def test_a_browser_that_was_signed_out_is_nobodys(provider: Provider) -> None:
    cookie = provider.signed_in().client.cookies["__Host-sign-in"]
    provider.post("/sign-out")
    provider.client.cookies.set("__Host-sign-in", cookie)
    guess(provider)
    assert provider.sign_in("alice", "alice-demo").status_code == 429


def test_guessing_at_the_owners_browser_is_stopped(provider: Provider) -> None:
    provider.signed_in()
    for _ in range(10):
        assert provider.sign_in("alice", "wrong", again="1").status_code == 401
    assert provider.sign_in("alice", "alice-demo", again="1").status_code == 429


def test_guessing_names_from_one_address_is_stopped(provider: Provider) -> None:
    for number in range(30):
        provider.sign_in(f"user{number}", "wrong")
    assert provider.sign_in("alice", "alice-demo").status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_forms_of_other_sites_are_refused(headers: dict[str, str], provider: Provider) -> None:
    page = provider.client.get(provider.login_url())
    answer = provider.post_form(page, headers or {"X-None": ""}, name="alice", password="alice-demo")
    assert problem(answer) == (403, "cross-site")


@pytest.mark.parametrize("token", ["", "guess"])
def test_forms_without_this_browsers_token_are_refused(token: str, provider: Provider) -> None:
    provider.client.get(provider.login_url())
    data = {"csrf": token, "name": "alice", "password": "alice-demo"}
    answer = provider.client.post(provider.login_url(), data=data, headers=SAME_ORIGIN)
    assert problem(answer) == (403, "csrf")


def test_an_empty_token_does_not_match_a_missing_cookie(provider: Provider) -> None:
    answer = provider.client.post(provider.login_url(), data={"csrf": ""}, headers=SAME_ORIGIN)
    assert problem(answer) == (403, "csrf")


def test_a_form_has_a_bounded_size(provider: Provider) -> None:
    page = provider.client.get(provider.login_url())
    assert problem(provider.post_form(page, name="x" * 20_000)) == (413, "too-large")


@pytest.mark.parametrize(
    "origin",
    [
        "javascript:alert(1)",
        "null",
        "https://perc.example/path",
        "https://user@perc.example",
        "https://PERC.example",
        "https://perc.example:port",
        "https://perc.example\n",
        "https://a\x00b",
        "https://[::1",
        "https://",
        f"https://{'x' * 400}.example",
    ],
)
def test_what_asks_must_be_a_web_origin(origin: str, provider: Provider) -> None:
    assert problem(provider.client.get(provider.login_url(origin=origin))) == (400, "bad-origin")


@pytest.mark.parametrize("challenge", ["", "short", "x" * 44, "<" * 43])
def test_the_challenge_must_be_one(challenge: str, provider: Provider) -> None:
    assert problem(provider.client.get(provider.login_url(challenge=challenge))) == (400, "bad-challenge")


def test_what_the_opener_sends_is_shown_as_text(provider: Provider) -> None:
    page = provider.client.get(provider.login_url(username='"><script>alert(1)</script>'))
    assert "<script>alert" not in page.text


def test_pages_cannot_be_framed_and_run_only_their_own_scripts(provider: Provider) -> None:
    headers = provider.client.get(provider.login_url()).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    # A popup that opted out of its opener could not tell it that the login is done.
    assert "cross-origin-opener-policy" not in headers


def test_sign_in_cookies_are_this_hosts_and_out_of_scripts_reach(provider: Provider) -> None:
    cookie = provider.sign_in().headers["set-cookie"]
    assert cookie.startswith("__Host-sign-in=")
    assert cookie.endswith("; Secure; HttpOnly; SameSite=Lax")


def test_a_sign_in_ends(provider: Provider) -> None:
    provider.code()
    provider.clock.now += provider.config.sign_in_lifetime + 1
    assert "Password" in provider.client.get(provider.login_url()).text


@pytest.mark.parametrize(
    "origin", ["http://localhost:8000", "https://perc.example.", "http://[::1]:8000", "http://192.0.2.1"]
)
def test_web_origins_of_every_kind(origin: str, provider: Provider) -> None:
    assert origin in provider.client.get(provider.login_url(origin=origin)).text
