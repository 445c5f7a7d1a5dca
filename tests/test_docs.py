"""What the documents name exists: files, and in the threat model each test by its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
PLACES = (".", "tests", "polyfill", "polyfill/perc", "backend", "backend/perc_server", "browser", "docs")
"""From where a document may name a file."""
MADE = {"identity/webrtc-identity.js"}
"""By the build."""

_FILE = re.compile(r"`([\w.-]+/[\w./-]*\.(?:py|js|json|md)|(?:[\w-]+/)+)(?:::(\w+))?`")
"""With its folder; a name alone is said of what the text around it is about."""


def named(document: Path) -> list[tuple[str, str]]:
    return _FILE.findall(document.read_text("utf-8"))


def found(name: str) -> Path | None:
    return next((ROOT / place / name for place in PLACES if (ROOT / place / name).exists()), None)


def functions_of(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    assert [name for name, _ in named(document) if name not in MADE and found(name) is None] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_tests_exist(document: Path) -> None:
    tests = [(path, test) for name, test in named(document) if test and (path := found(name)) is not None]
    assert [f"{path}::{test}" for path, test in tests if test not in functions_of(path)] == []


def names_a_test(text: str) -> bool:
    """A file of tests or of their vectors; a folder says nothing."""
    return any(
        Path(name).suffix in {".py", ".json"} and (ROOT / "tests" / name).is_file() for name, _ in _FILE.findall(text)
    )


def test_each_attack_that_is_stopped_names_a_test() -> None:
    rows = re.findall(r"^\| (.*) \| (.*) \|(.*)\|$", (ROOT / "docs" / "threat-model.md").read_text("utf-8"), re.M)
    attacks = [(attack, test) for attack, stopped, test in rows if "**not stopped" not in stopped]
    assert len(attacks) > 50
    assert [attack for attack, test in attacks if not attack.startswith("attack") and not names_a_test(test)] == []


@pytest.mark.parametrize(
    "text", ["", "`call_processing/`", "`test_rooms.py`", "`ekt/sender.py`", "`tunnel/test_none.py`"]
)
def test_what_names_no_test(text: str) -> None:
    assert not names_a_test(text)
