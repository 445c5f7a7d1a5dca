"""Runs one input of one target again, without instrumentation: what the search or a test has printed.

python -m tests.fuzz.replay TARGET HEX        or, in place of HEX, a file with the octets
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.fuzz.registry import TARGETS

COMMAND = "./run fuzz replay"


def command(name: str, octets: bytes) -> str:
    """The command that replays an input."""
    return f"{COMMAND} {name} {octets.hex() or chr(34) * 2}"


def replay(name: str, source: str) -> None:
    """Run an input, given in hex or as a file; a defect is raised."""
    try:
        octets = bytes.fromhex(source)
    except ValueError:
        octets = Path(source).read_bytes()
    TARGETS[name].run(octets)


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Run one input of a fuzz target again.")
    parser.add_argument("target", choices=list(TARGETS), metavar="TARGET")
    parser.add_argument("input", metavar="HEX|FILE")
    arguments = parser.parse_args()
    replay(arguments.target, arguments.input)
    print(f"{arguments.target}: the input shows no defect")


if __name__ == "__main__":
    main()
