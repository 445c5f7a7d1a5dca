"""The committed vectors are what their generator makes."""

from __future__ import annotations

import pytest

from tests.vectors.generate_transform import DIRECTORY, files

FILES = files()


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_up_to_date(name: str) -> None:
    assert (DIRECTORY / name).read_text() == FILES[name]


def test_there_are_no_others() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(FILES)
