"""The documents name files, tests, links and steps of the call flow that exist."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DECISIONS = ROOT / "docs" / "decisions"
DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
PLACES = (".", "tests", "polyfill", "polyfill/perc", "backend", "backend/perc_server", "browser", "docs")
"""From where a document may name a file."""
MADE = {"identity/webrtc-identity.js"}
"""By the build."""

_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
"""To a file of this repository; `#fragment` is not part of it."""
_SECTION = re.compile(r"^### (4\.1\.\d) .*?\n```mermaid\n(.*?)^```$", re.M | re.S)
_ARROW = re.compile(r"^ *\w+-?->>\w+: \((\d+)\) ", re.M)

_FILE = re.compile(r"`([\w.-]+/[\w./-]*\.(?:py|js|json|md)|(?:[\w-]+/)+)(?:::(\w+))?`")
"""With its folder; a name alone is said of what the text around it is about."""


def named(document: Path) -> list[tuple[str, str]]:
    return _FILE.findall(document.read_text("utf-8"))


def found(name: str) -> Path | None:
    return next((ROOT / place / name for place in PLACES if (ROOT / place / name).exists()), None)


def relative(document: Path) -> str:
    return str(document.relative_to(ROOT))


def functions_of(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_named_files_exist(document: Path) -> None:
    assert [name for name, _ in named(document) if name not in MADE and found(name) is None] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_named_tests_exist(document: Path) -> None:
    tests = [(path, test) for name, test in named(document) if test and (path := found(name)) is not None]
    assert [f"{path}::{test}" for path, test in tests if test not in functions_of(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_links_lead_to_files(document: Path) -> None:
    links = _LINK.findall(document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_each_decision_is_in_the_index() -> None:
    records = [path.name for path in sorted(DECISIONS.glob("0*.md"))]
    assert len(records) > 10
    assert _LINK.findall((DECISIONS / "README.md").read_text("utf-8")) == records


def steps_of_the_call_flow() -> list[str]:
    """Return the steps that the page's event log knows."""
    script = 'import { STEPS } from "./browser/ladder/steps.js"; console.log(JSON.stringify([...STEPS.keys()]))'
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return json.loads(done.stdout)


def test_sequence_diagrams_show_each_step_of_the_call_flow_once_and_in_order() -> None:
    sections = _SECTION.findall((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    drawn = [f"{section} ({number})" for section, diagram in sections for number in _ARROW.findall(diagram)]
    assert drawn == steps_of_the_call_flow()


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
