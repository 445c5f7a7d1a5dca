"""Which passwords are accepted, and how many are hashed at once."""

from __future__ import annotations

import asyncio

import pytest
from argon2.profiles import CHEAPEST

from perc_server.identity_provider.passwords import COMMON, MIN_PASSWORD, WAITING, Passwords, objection
from perc_server.problems import Problem


@pytest.mark.parametrize(
    "password", ["correct horse", "zehn kleine", "пароль-из-слов", "        ö      x", "x7$kQ2!p", "w" * 60 + "abc1"]
)
def test_passwords_that_are_accepted(password: str) -> None:
    assert objection(password, "alice") is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short77", "at least 8"),
        ("x" * 129, "at most 128"),
        ("Password123", "Everyone"),
        ("sunshine!!", "Everyone"),
        ("aaaaaaaaaa", "row"),
        ("abababab", "row"),
        ("12345678", "row"),
        ("87654321", "row"),
        ("QWERTYUI", "row"),
        ("alice1234", "name"),
        ("AliceAlice", "name"),
    ],
)
def test_passwords_that_are_guessed_first(password: str, reason: str) -> None:
    assert reason in (objection(password, "alice") or "")


def test_the_list_has_nothing_that_is_too_short_anyway() -> None:
    assert min(map(len, COMMON.split())) >= MIN_PASSWORD


def test_length_counts_characters_and_not_octets() -> None:
    assert objection("ööööabcd", "alice") is None
    assert "at least" in (objection("öööö", "alice") or "")


async def test_one_password_however_the_keyboard_spells_it() -> None:
    passwords = Passwords(CHEAPEST)
    assert await passwords.verify(await passwords.hash("schr\u00f6dingers"), "schro\u0308dingers")


async def test_a_burst_does_not_queue_for_ever() -> None:
    passwords = Passwords(CHEAPEST)
    outcomes = await asyncio.gather(*(passwords.verify(None, "x") for _ in range(WAITING + 10)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert len(refused) == 10
    assert refused[0].kind == "busy"
    assert not await passwords.verify(None, "x")
