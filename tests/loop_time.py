"""The time of the running event loop in a test's hands: timers strike when the story says so, on any machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def movable_time() -> Iterator[Callable[[float], None]]:
    """Yield a function that moves the loop's time forward by so many seconds; what is due by then happens next."""
    loop = asyncio.get_running_loop()
    time, ahead = loop.time, 0.0

    def move(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: time() + ahead)
        yield move


@contextmanager
def standing_time() -> Iterator[None]:
    """The loop's time stands still: what happens meanwhile happens at once. Only `asyncio.sleep(0)` returns."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: now)
        yield
