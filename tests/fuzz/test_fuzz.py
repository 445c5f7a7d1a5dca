"""The saved corpus and the seeds in every run of the tests; coverage-guided fuzzing in the nightly tier.

PERC_FUZZ_SECONDS=600 pytest -m nightly tests/fuzz        or ./run fuzz 600, which keeps all that is new
./run fuzz replay TARGET HEX                              what either has printed
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import corpus, replay
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Target

SECONDS = float(os.environ.get("PERC_FUZZ_SECONDS", "30"))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_saved_inputs_show_no_defect(name: str) -> None:
    target = TARGETS[name]
    for octets in (b"", *target.seeds(), *corpus.load(name)):
        target.run(octets)


def test_each_saved_corpus_has_a_target_and_is_small() -> None:
    files = [*corpus.CORPUS.iterdir(), *corpus.DEFECTS.iterdir()]
    assert {path.stem for path in files} <= set(TARGETS)
    assert sum(path.stat().st_size for path in files) < 300_000


@pytest.mark.parametrize("name", sorted(path.stem for path in corpus.DEFECTS.iterdir()))
def test_inputs_that_showed_a_defect_are_handled_now(name: str) -> None:
    for octets in corpus.defects(name):
        replay.replay(name, octets.hex())


def test_a_defect_is_kept_and_its_input_can_be_replayed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(data: bytes) -> None:
        assert b"\xff" not in data, "a planted defect"

    monkeypatch.setitem(TARGETS, "planted", Target("planted", run, lambda: ()))
    monkeypatch.setattr(corpus, "DEFECTS", tmp_path)
    for _ in range(2):
        corpus.keep_defects("planted", [b"\x00\xff"])
    assert corpus.defects("planted") == [b"\x00\xff"]
    *_, name, octets = replay.command("planted", b"\x00\xff").split(" ")
    (tmp_path / "octets").write_bytes(bytes.fromhex(octets))
    for source in (octets, str(tmp_path / "octets")):
        with pytest.raises(AssertionError, match="a planted defect"):
            replay.replay(name, source)
    replay.replay(name, "00" * 4096)


@pytest.mark.nightly
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheels for this platform (Linux x86-64 only)")
def test_some_seconds_of_coverage_guided_fuzzing() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(SECONDS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
