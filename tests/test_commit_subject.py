"""The commit-msg hook accepts and rejects what CONTRIBUTING.md says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "commit_subject.py"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    specification = importlib.util.spec_from_file_location("commit_subject", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "message",
    [
        "dtls: write a key log",
        "tls, dtls: write a key log for debugging\n",
        "sctp tests: allow SHUTDOWN ACK as the answer to INIT\n\nRFC 9260, Section 9.2.\n",
        "ci: print the time of each step",
        "a: " + 69 * "x",
        "docs: draw the call flow\n# Please enter the commit message.\n# Lines with # are ignored.\n",
        'Revert "dtls: write a key log"',
        "Merge branch 'main' into topic",
        "fixup! dtls: write a key log",
    ],
)
def test_acceptable_messages_pass(hook: ModuleType, message: str) -> None:
    assert hook.problem(message) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "area"),
        ("# Only a comment.\n", "area"),
        ("Write a key log", "area"),
        ("DTLS: write a key log", "area"),
        ("dtls write a key log", "area"),
        ("dtls write a key log: for Wireshark", "area"),
        ("dtls:write a key log", "area"),
        ("dtls: ", "area"),
        (": write a key log", "area"),
        ("a: " + 70 * "x", "73 characters"),
        ("dtls: write a key log.", "full stop"),
        ("dtls: write a key log\nfor Wireshark\n", "second line"),
    ],
)
def test_other_messages_are_rejected_with_a_reason(hook: ModuleType, message: str, expected: str) -> None:
    assert expected in hook.problem(message)


@pytest.mark.parametrize(("message", "status"), [("dtls: write a key log\n", 0), ("Key log\n", 1)])
def test_exit_status_tells_git_whether_to_commit(tmp_path: Path, message: str, status: int) -> None:
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text(message, encoding="utf-8")
    done = subprocess.run([sys.executable, SCRIPT, file], capture_output=True, text=True, check=False)
    assert (done.returncode, bool(done.stderr)) == (status, status == 1)
