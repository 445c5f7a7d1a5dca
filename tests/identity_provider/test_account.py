"""The account page, changing the password, withdrawing consents, signing out."""

from __future__ import annotations

import pytest

from tests.identity_provider.site import ASKING, ORIGIN, Provider, problem


def test_the_account_shows_who_it_is_and_which_sites_may_use_it(provider: Provider) -> None:
    provider.with_session()
    page = provider.client.get("/account").text
    assert "alice@idp.example" in page
    assert ASKING in page


@pytest.mark.parametrize(
    "path",
    ["/", "/account", "/account/password", "/account/passkeys", "/account/passkeys?id=x", "/account/passkeys/new"],
)
def test_these_pages_are_for_people_who_are_signed_in(path: str, provider: Provider) -> None:
    answer = provider.client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_signing_out_ends_this_browsers_sign_in_and_the_sites_that_came_of_it(provider: Provider) -> None:
    provider.with_session()
    elsewhere, here = provider.browser(), provider.client
    provider.client = elsewhere
    provider.with_session()
    provider.client = here
    answer = provider.post("/sign-out", where="here")
    assert answer.headers["location"] == "/login"
    assert "__Host-sign-in=; Path=/; Max-Age=0" in answer.headers["set-cookie"]
    assert problem(provider.sign()) == (401, "login-required")
    provider.client = elsewhere
    assert provider.is_signed_in()
    assert provider.sign().status_code == 200


def test_a_token_is_of_no_use_after_signing_out(provider: Provider) -> None:
    token = provider.signed_in().client.cookies["__Host-sign-in"]
    provider.post("/sign-out", where="here")
    provider.client.cookies.set("__Host-sign-in", token)
    assert not provider.is_signed_in()


def test_a_code_is_of_no_use_after_signing_out(provider: Provider) -> None:
    code = provider.code()
    provider.post("/sign-out", where="here")
    assert problem(provider.redeem(code)) == (403, "code-refused")


def test_signing_out_everywhere(provider: Provider) -> None:
    browsers = [provider.browser() for _ in range(3)]
    for browser in browsers:
        provider.client = browser
        provider.with_session()
    provider.post("/sign-out", where="everywhere")
    for browser in browsers:
        provider.client = browser
        assert not provider.is_signed_in()
        assert problem(provider.sign()) == (401, "login-required")


def test_signing_out_everywhere_is_ones_own_everywhere(provider: Provider) -> None:
    anna = provider.browser()
    provider.client, alice = anna, provider.client
    provider.signed_in("anna")
    provider.client = alice
    provider.signed_in().post("/sign-out", where="everywhere")
    provider.client = anna
    assert provider.is_signed_in()


def test_one_browser_is_one_person(provider: Provider) -> None:
    """Signing in as someone else ends what came of the first sign-in, in frames, too."""
    provider.with_session()
    provider.post_form(provider.client.get("/login?again=1"), name="anna", password="anna-demo")
    assert "anna@idp.example" in provider.client.get("/account").text
    assert problem(provider.sign()) == (401, "login-required")


@pytest.mark.parametrize("hours", [0, 13])
def test_signing_in_again_keeps_what_sites_have_and_signing_out_ends_it(hours: int, provider: Provider) -> None:
    """Even if the sign-in that it came from had run out in between."""
    provider.with_session()
    provider.clock.now += hours * 3600
    assert provider.is_signed_in() == (hours == 0)
    provider.signed_in()
    assert provider.sign().status_code == 200
    provider.post("/sign-out", where="here")
    assert problem(provider.sign()) == (401, "login-required")


def test_someone_else_at_a_browser_ends_what_sites_have_even_later(provider: Provider) -> None:
    provider.with_session()
    provider.clock.now += 13 * 3600
    provider.signed_in("anna")
    assert problem(provider.sign()) == (401, "login-required")


def test_a_consent_can_be_withdrawn_and_its_session_is_gone(provider: Provider) -> None:
    provider.with_session()
    answer = provider.post("/account/sites", origin=ASKING)
    page = provider.client.get(answer.headers["location"]).text
    assert ASKING not in page
    assert "can no longer use your identity" in page
    assert problem(provider.sign()) == (401, "login-required")
    assert "Use your identity?" in provider.client.get(provider.login_url()).text


def test_a_code_is_of_no_use_after_its_consent_is_withdrawn(provider: Provider) -> None:
    code = provider.code()
    provider.post("/account/sites", origin=ASKING)
    assert problem(provider.redeem(code)) == (403, "code-refused")


def test_withdrawing_one_consent_leaves_the_others(provider: Provider) -> None:
    provider.with_session()
    provider.code(origin="https://other.example")
    provider.post("/account/sites", origin="https://other.example")
    assert provider.sign().status_code == 200


def change(provider: Provider, current: str = "alice-demo", password: str = "correct horse battery") -> str:
    page = provider.client.get("/account/password")
    answer = provider.post_form(page, current=current, password=password)
    return answer.headers.get("location", "") or answer.text


def test_the_password_is_changed_for_whoever_knows_the_current_one(provider: Provider) -> None:
    provider.signed_in()
    assert change(provider) == "/account?done=password"
    provider.client = provider.browser()
    assert provider.sign_in("alice", "alice-demo").status_code == 401
    assert provider.sign_in("alice", "correct horse battery").status_code == 303


@pytest.mark.parametrize(
    ("current", "password", "words"),
    [
        ("wrong", "correct horse battery", "not your current password"),
        ("", "correct horse battery", "not your current password"),
        ("anna-demo", "correct horse battery", "not your current password"),
        ("alice-demo", "short", "at least 8"),
        ("alice-demo", "x" * 129, "at most 128"),
        ("alice-demo", "alice-alice", "your name"),
        ("alice-demo", "alice-demo", "name"),
    ],
)
def test_the_password_stays(current: str, password: str, words: str, provider: Provider) -> None:
    provider.signed_in()
    assert words in change(provider, current, password)
    provider.client = provider.browser()
    assert provider.sign_in().status_code == 303


def test_the_same_password_is_no_change(provider: Provider) -> None:
    provider.register("carol", "correct horse battery")
    assert "the password that you have" in change(provider, "correct horse battery", "correct horse battery")


def test_a_new_password_ends_everything_but_this_browsers_new_sign_in(provider: Provider) -> None:
    here, elsewhere = provider.client, provider.browser()
    provider.client = elsewhere
    provider.with_session()
    provider.client = here
    stolen = provider.with_session().client.cookies["__Host-sign-in"]
    change(provider)
    assert provider.is_signed_in()
    assert problem(provider.sign()) == (401, "login-required")
    thief = provider.browser()
    thief.cookies.set("__Host-sign-in", stolen)
    for browser in (elsewhere, thief):
        provider.client = browser
        assert not provider.is_signed_in()


def test_guessing_the_current_password_is_stopped(provider: Provider) -> None:
    """A machine that was left signed in is no place to try passwords at."""
    provider.signed_in()
    for _ in range(10):
        assert "not your current" in change(provider, "wrong")
    assert "Too many attempts" in change(provider)
    provider.clock.now += 600
    assert change(provider) == "/account?done=password"


def test_the_notice_is_one_of_the_sites_own(provider: Provider) -> None:
    page = provider.signed_in().client.get("/account", params={"done": "<b>Call this number</b>"}).text
    assert "Call this number" not in page


def test_people_get_a_page_when_something_is_wrong_and_programs_a_document(provider: Provider) -> None:
    accept = {"Accept": "text/html,*/*"}
    for path, status in (("/nowhere", 404), ("/login?origin=x", 400), ("/sign", 405)):
        page = provider.client.get(path, headers=accept)
        assert page.status_code == status
        assert "That did not work" in page.text
    assert problem(provider.client.get("/login?origin=x")) == (400, "bad-origin")
    assert ORIGIN not in page.text
