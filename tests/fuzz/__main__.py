"""Coverage-guided fuzzing of all targets, or of some.

    python -m tests.fuzz [--seconds N] [--save] [TARGET...]

The time is shared out evenly. An input that shows a defect is printed, with what it raises, and goes into the corpus,
to stay there as a test; with `--save` so does every input that reaches something new.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import traceback
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import atheris

# Atheris names each module that it instruments.
with redirect_stderr(StringIO()), atheris.instrument_imports(include=["perc"], enable_loader_override=False):
    from tests.fuzz.registry import TARGETS

from tests.fuzz import corpus
from tests.fuzz.target import Target

TIME_LIMIT = 30
"""Seconds that one input may take, under instrumentation and on a machine that is busy."""
MEMORY_LIMIT = 1024
"""Megabytes of the whole process."""
MAX_LENGTH = 8192
"""Octets of an input."""


def main() -> None:
    arguments = _arguments()
    names = arguments.targets or list(TARGETS)
    seconds = max(1, round(arguments.seconds / len(names)))
    sound = [_fuzz(TARGETS[name], seconds, save=arguments.save) for name in names]
    if not all(sound):
        sys.exit("there are defects")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided fuzzing.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--save", action="store_true", help="keep new inputs in the corpus")
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET")
    return parser.parse_args()


def _fuzz(target: Target, seconds: int, *, save: bool) -> bool:
    """Whether no defect was found."""
    with tempfile.TemporaryDirectory() as name:
        found, known, report = (Path(name) / each for each in ("found", "known", "report"))
        found.mkdir()
        known.mkdir()
        for number, octets in enumerate([*target.seeds(), *corpus.load(target.name)]):
            (known / str(number)).write_bytes(octets)
        # What shows a defect is written beside what is found, named for its kind.
        options = (f"-max_total_time={seconds}", f"-artifact_prefix={found}/", str(found), str(known))
        sound = _libfuzzer(target, report, options)
        text = report.read_text("utf-8", "replace")
        runs = re.search(r"number_of_executed_units: (\d+)", text)
        print(f"{target.name}: {runs[1] if runs else '?'} runs, {len(list(found.iterdir()))} new inputs", flush=True)
        if not sound:
            print(text[-8000:], *(f"{path.name} {path.read_bytes().hex()}" for path in found.glob("*-*")), sep="\n")
        if save or not sound:
            # In a process without instrumentation.
            subprocess.run([sys.executable, "-m", "tests.fuzz.corpus", target.name, found], check=True)
        return sound


def _libfuzzer(target: Target, report: Path, options: tuple[str, ...]) -> bool:
    """libFuzzer ends its process, so it gets one of its own, which inherits the instrumented modules."""
    process = os.fork()
    if process == 0:
        _become_libfuzzer(target, report, options)
    _, status = os.waitpid(process, 0)
    return status == 0


def _become_libfuzzer(target: Target, report: Path, options: tuple[str, ...]) -> None:
    limits = (f"-timeout={TIME_LIMIT}", f"-rss_limit_mb={MEMORY_LIMIT}", f"-max_len={MAX_LENGTH}")
    try:
        os.dup2(os.open(report, os.O_WRONLY | os.O_CREAT), sys.stderr.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        atheris.Setup([sys.argv[0], "-verbosity=0", "-print_final_stats=1", *limits, *options], target.run)
        atheris.Fuzz()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
