"""Making an account, in the popup or on the page alone."""

from __future__ import annotations

import pytest

from tests.identity_provider.site import ASKING, CHALLENGE, Provider


def test_a_new_person_goes_on_to_consent_and_gets_a_session(provider: Provider) -> None:
    answer = provider.register("carol", origin=ASKING, challenge=CHALLENGE)
    assert answer.status_code == 303
    consent = provider.client.get(answer.headers["location"])
    assert "carol@idp.example" in consent.text
    assert ASKING in consent.text
    assert provider.redeem(provider.code("carol")).status_code == 204
    assert provider.sign().status_code == 200


def test_without_a_site_that_asks_it_leads_to_the_account(provider: Provider) -> None:
    answer = provider.register("carol")
    assert answer.headers["location"] == "/account"
    assert "carol@idp.example" in provider.client.get("/account").text


def test_the_account_is_there_the_next_time(provider: Provider) -> None:
    provider.register("Carol", "correct horse battery")
    provider.client = provider.browser()
    assert provider.sign_in("carol", "correct horse battery").status_code == 303


@pytest.mark.parametrize("name", ["alice", "Alice", " ALICE ", "a1ice", "al.ice", "allce"])
def test_nobody_gets_a_name_that_is_or_looks_like_anothers(name: str, provider: Provider) -> None:
    page = provider.register(name)
    assert page.status_code == 422
    assert "is taken" in page.text
    assert not provider.is_signed_in()


@pytest.mark.parametrize("name", ["", "x", "admin", "аlice", "\u212aate", "alice\x00", "<b>bold</b>", "x" * 65])
def test_names_that_are_none(name: str, provider: Provider) -> None:
    page = provider.register(name)
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text
    assert "<b>" not in page.text


def test_a_password_that_is_guessed_first(provider: Provider) -> None:
    page = provider.register("carol", "password123")
    assert page.status_code == 422
    assert "Everyone who guesses" in page.text
    assert "password123" not in page.text


def test_the_password_of_someone_elses_account_is_of_no_use(provider: Provider) -> None:
    """To register under a name is not to sign in."""
    assert provider.register("alice", "alice-demo").status_code == 422
    assert not provider.is_signed_in()


def test_a_flood_is_stopped(provider: Provider) -> None:
    for number in range(20):
        assert provider.register("alice", f"correct horse {number}").status_code == 422
    page = provider.register("carol")
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    provider.clock.now += 3600
    assert provider.register("carol").status_code == 303


def test_the_fields_say_to_the_browser_what_they_are(provider: Provider) -> None:
    page = provider.client.get("/register").text
    assert 'autocomplete="username"' in page
    assert 'autocomplete="new-password"' in page
