"""Coverage-guided fuzzing of all targets, or of some.

    python -m tests.fuzz [--seconds N] [--save] [TARGET...]

The time is shared out evenly. An input that shows a defect is printed, with what it raises and the command that replays
it, and is kept among the defects, where it stays as a test; with `--save` every input that reaches something new goes
into the corpus.
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
from tests.fuzz.replay import command
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
        folders = found, known, broken = tuple(Path(name) / each for each in ("found", "known", "broken"))
        for folder in folders:
            folder.mkdir()
        for number, octets in enumerate([*target.seeds(), *corpus.load(target.name), *corpus.defects(target.name)]):
            (known / str(number)).write_bytes(octets)
        report = Path(name) / "report"
        sound = _libfuzzer(target, report, broken, (f"-max_total_time={seconds}", str(found), str(known)))
        text = report.read_text("utf-8", "replace")
        runs = re.search(r"number_of_executed_units: (\d+)", text)
        print(f"{target.name}: {runs[1] if runs else '?'} runs, {len(list(found.iterdir()))} new inputs", flush=True)
        if not sound:
            _report_defects(target, text, [path.read_bytes() for path in broken.iterdir()])
        if save:
            # In a process without instrumentation.
            subprocess.run([sys.executable, "-m", "tests.fuzz.corpus", target.name, found], check=True)
        return sound


def _report_defects(target: Target, text: str, inputs: list[bytes]) -> None:
    corpus.keep_defects(target.name, inputs)
    print(text[-8000:], "To replay it:", *(command(target.name, octets) for octets in inputs), sep="\n", flush=True)


def _libfuzzer(target: Target, report: Path, broken: Path, options: tuple[str, ...]) -> bool:
    """libFuzzer ends its process, so it gets one of its own, which inherits the instrumented modules."""
    process = os.fork()
    if process == 0:
        _become_libfuzzer(target, report, broken, options)
    _, status = os.waitpid(process, 0)
    return status == 0


def _become_libfuzzer(target: Target, report: Path, broken: Path, options: tuple[str, ...]) -> None:
    limits = (f"-timeout={TIME_LIMIT}", f"-rss_limit_mb={MEMORY_LIMIT}", f"-max_len={MAX_LENGTH}")

    def run(data: bytes) -> None:
        # Atheris writes no artifact for an exception, and libFuzzer does for a timeout and for too much memory.
        try:
            target.run(data)
        except BaseException:
            (broken / "exception").write_bytes(data)
            raise

    try:
        os.dup2(os.open(report, os.O_WRONLY | os.O_CREAT), sys.stderr.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        flags = ("-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={broken}/")
        atheris.Setup([sys.argv[0], *flags, *limits, *options], run)
        atheris.Fuzz()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
