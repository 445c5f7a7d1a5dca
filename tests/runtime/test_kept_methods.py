"""Dataclasses whose methods were compiled when perc was built."""

from __future__ import annotations

import dataclasses

import pytest

from perc.runtime import kept_methods


def define(fields: str) -> type:
    """Compiles a dataclass with these fields, one letter each."""
    return dataclasses.make_dataclass("Made", list(fields), frozen=True, slots=True)


def filename(made: type) -> str:
    """Where the methods of a dataclass were compiled."""
    return str(made.__init__.__code__.co_filename)  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _the_real_compiler_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataclasses, "exec", exec, raising=False)


def test_what_was_kept_is_not_compiled_again() -> None:
    kept = kept_methods.keep(lambda: define("ab"))
    kept_methods.install(kept)
    made = define("ab")
    assert filename(made) == kept_methods.FILENAME
    assert made(1, 2) == made(1, 2) != made(2, 1)
    assert repr(made(1, b=2)) == "Made(a=1, b=2)"
    with pytest.raises(TypeError):
        made(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made(1, 2).a = 3  # type: ignore[attr-defined]


def test_what_was_not_kept_is_compiled_as_ever() -> None:
    kept_methods.install(kept_methods.keep(lambda: define("ab")))
    made = define("abc")
    assert filename(made) != kept_methods.FILENAME
    assert dataclasses.astuple(made(1, 2, 3)) == (1, 2, 3)
