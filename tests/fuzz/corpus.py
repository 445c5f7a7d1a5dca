"""The saved inputs of each target, one a line in hex: its part of the corpus, and those that showed a defect.

    python -m tests.fuzz.corpus TARGET FOLDER        takes up the files of a folder

The corpus is small on purpose: an input is kept if it goes from some line of `perc` to another as no seed and no
shorter input does. What showed a defect is kept for good.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import perc
from tests.fuzz.target import Target

CORPUS = Path(__file__).parent / "corpus"
DEFECTS = Path(__file__).parent / "defects"
_CODE = str(Path(perc.__file__).parent)
MAX_INPUT = 4096
"""Octets of a saved input: what takes more to find is found by the seeds."""
MAX_CORPUS = 6 * 1024
"""Octets of one target's saved inputs, so that all of them stay below 300 KB as text."""

Step = tuple[str, int, int]


def load(name: str) -> list[bytes]:
    """A target's part of the corpus."""
    return _read(CORPUS / f"{name}.hex")


def defects(name: str) -> list[bytes]:
    """The inputs that showed a defect of a target, or of its peers."""
    return _read(DEFECTS / f"{name}.hex")


def keep_defects(name: str, inputs: Iterable[bytes]) -> None:
    """Save inputs that show a defect, unless they are there already."""
    DEFECTS.mkdir(exist_ok=True)
    _write(DEFECTS / f"{name}.hex", dict.fromkeys((*defects(name), *inputs)))


def add(target: Target, inputs: Iterable[bytes]) -> None:
    """Saves, of all inputs known now, those that are worth it, the shortest first."""
    reached: set[Step] = set()
    for seed in target.seeds():
        _reach(target, seed, reached)
    kept: list[bytes] = []
    room = MAX_CORPUS
    for each in sorted({*load(target.name), *inputs}, key=lambda octets: (len(octets), octets)):
        if each and len(each) <= min(room, MAX_INPUT) and _reach(target, each, reached):
            kept.append(each)
            room -= len(each)
    CORPUS.mkdir(exist_ok=True)
    _write(CORPUS / f"{target.name}.hex", kept)


def _read(path: Path) -> list[bytes]:
    return [bytes.fromhex(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


def _write(path: Path, inputs: Iterable[bytes]) -> None:
    path.write_text("".join(f"{each.hex()}\n" for each in inputs), "ascii")


def _reach(target: Target, octets: bytes, reached: set[Step]) -> bool:
    """Whether an input takes a step that is not in `reached` yet, where it is noted. One that shows a defect does not
    belong here."""
    steps: set[Step] = set()
    try:
        with _traced(steps):
            target.run(octets)
    except Exception:
        return False
    new = not steps <= reached
    reached |= steps
    return new


@contextmanager
def _traced(steps: set[Step]) -> Iterator[None]:
    last: dict[FrameType, int] = {}

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_CODE):
            return None
        if event == "line":
            steps.add((frame.f_code.co_filename, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        elif event == "return":
            last.pop(frame, None)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


if __name__ == "__main__":
    from tests.fuzz.registry import TARGETS

    add(TARGETS[sys.argv[1]], [path.read_bytes() for path in Path(sys.argv[2]).iterdir()])
