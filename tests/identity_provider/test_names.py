"""Nobody's name passes for another's."""

from __future__ import annotations

import pytest

from perc_server.identity_provider.names import canonical, look, objection


@pytest.mark.parametrize("name", ["al", "alice", "alice2", "anna.b", "anna-lena_b", "x" * 32])
def test_names_that_people_have(name: str) -> None:
    assert objection(canonical(name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "x" * 33,
        "2alice",
        "-alice",
        "alice-",
        "al..ice",
        "al ice",
        "alice@idp.example",
        "alice\x00",
        "ali\nce",
        "álice",
        "аlice",  # Cyrillic а
        "alice\u200b",
        "ａｌｉｃｅ",
        "\u212aate",  # the Kelvin sign
        "alice/../admin",
        "<b>",
    ],
)
def test_names_that_nobody_has(name: str) -> None:
    assert objection(canonical(name)) is not None


@pytest.mark.parametrize("name", ["admin", "root", "postmaster", "Security", "adm1n", "key.distributor", "n0-reply"])
def test_names_that_would_speak_for_the_service(name: str) -> None:
    assert objection(canonical(name)) == "This name is reserved."


@pytest.mark.parametrize("other", ["a1ice", "al.ice", "al-ice", "allce", "a_l_i_c_e", "aiice"])
def test_what_looks_like_alice(other: str) -> None:
    assert look(other) == look("alice")


@pytest.mark.parametrize("other", ["anna", "alicia", "malice", "alice2", "ben", "bob"])
def test_what_does_not(other: str) -> None:
    assert look(other) != look("alice")


def test_upper_case_is_the_same_name() -> None:
    assert canonical(" Alice ") == "alice"
