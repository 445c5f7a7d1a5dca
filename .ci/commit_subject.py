#!/usr/bin/env python3
"""Check the first line of a commit message, as a commit-msg hook: `.ci/commit_subject.py FILE`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

MAXIMUM_LENGTH = 72
"""Characters; `git log --oneline` and mails cut longer subjects."""

# What git itself writes, and what is squashed before it is merged.
_EXEMPT = re.compile(r"(Merge |Revert \"|fixup! |squash! |amend! )")

# One area or several: "dtls: write a key log", "tls, dtls: …", "sctp tests: …".
_SUBJECT = re.compile(r"[a-z][a-z0-9_./-]*([, ]+[a-z0-9_./-]+){0,2}: \S")


def problem(message: str) -> str | None:
    """Return what is wrong with the subject and body of a commit message, or None."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    if _EXEMPT.match(subject):
        return None
    if not _SUBJECT.match(subject):
        return 'the subject must start with an area in lower case, a colon and a space: "dtls: write a key log"'
    if len(subject) > MAXIMUM_LENGTH:
        return f"the subject has {len(subject)} characters; at most {MAXIMUM_LENGTH} are allowed"
    if subject.endswith("."):
        return "the subject must not end with a full stop"
    if lines[1:] and lines[1].strip():
        return "the second line must be empty; the reasons go below it"
    return None


def main() -> None:
    """Exit with a message if the commit message in the file that the arguments name is not acceptable."""
    found = problem(Path(sys.argv[1]).read_text("utf-8"))
    if found is not None:
        sys.exit(f"commit message: {found}")


if __name__ == "__main__":
    main()
