"""./run bench keys: what key distribution costs, on CPython and in Chromium's Worker."""

from __future__ import annotations

import sys

from tests.bench import chromium, conference, handshakes
from tests.bench.report import publish

if __name__ == "__main__":
    on_cpython = [*handshakes.measure(), *conference.measure_time(), *conference.measure_memory()]
    publish([*on_cpython, *chromium.measure()], sys.argv[1:])
