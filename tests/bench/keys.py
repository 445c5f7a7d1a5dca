"""./run bench keys: what key distribution costs on CPython."""

from __future__ import annotations

import sys

from tests.bench import conference, handshakes
from tests.bench.report import publish

if __name__ == "__main__":
    publish([*handshakes.measure(), *conference.measure_time(), *conference.measure_memory()], sys.argv[1:])
