"""The saved corpus: for each target a file of inputs, one a line in hex.

    python -m tests.fuzz.corpus TARGET FOLDER        takes up the files of a folder

Small on purpose: an input is kept if it goes from some line of `perc` to another as no seed and no shorter input does.
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

_FOLDER = Path(__file__).parent / "corpus"
_CODE = str(Path(perc.__file__).parent)
MAX_INPUT = 4096
"""Octets of a saved input: what takes more to find is found by the seeds."""
MAX_CORPUS = 6 * 1024
"""Octets of one target's saved inputs, so that all of them stay below 300 KB as text."""

Step = tuple[str, int, int]


def load(name: str) -> list[bytes]:
    """The saved inputs of a target."""
    path = _FOLDER / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


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
    _FOLDER.mkdir(exist_ok=True)
    (_FOLDER / f"{target.name}.hex").write_text("".join(f"{each.hex()}\n" for each in kept), "ascii")


def _reach(target: Target, octets: bytes, reached: set[Step]) -> bool:
    """Whether an input takes a step that is not in `reached` yet, where it is noted; a defect counts as one."""
    steps: set[Step] = set()
    try:
        with _traced(steps):
            target.run(octets)
    except Exception:
        return True
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
