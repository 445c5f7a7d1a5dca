"""The saved corpus and the seeds in every run of the tests; some seconds of coverage-guided fuzzing beside it.

PERC_FUZZ_SECONDS=600 pytest tests/fuzz        or ./run fuzz 600, which keeps what it finds
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.registry import TARGETS

SECONDS = float(os.environ.get("PERC_FUZZ_SECONDS", "30"))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_saved_inputs_show_no_defect(name: str) -> None:
    target = TARGETS[name]
    for octets in (b"", *target.seeds(), *corpus.load(name)):
        target.run(octets)


def test_each_saved_corpus_has_a_target_and_is_small() -> None:
    folder = Path(corpus.__file__).parent / "corpus"
    files = list(folder.iterdir())
    assert {path.stem for path in files} <= set(TARGETS)
    assert sum(path.stat().st_size for path in files) < 300_000


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheels for this platform (Linux x86-64 only)")
def test_some_seconds_of_coverage_guided_fuzzing() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(SECONDS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
