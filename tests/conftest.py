"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# A test asserts nothing about time: machines are noisy, and `./run bench` measures.
settings.register_profile("perc")
settings.load_profile("perc")
