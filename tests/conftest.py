"""For all tests."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import settings

TIME_LIMIT = 120.0
"""Seconds for one test: a promise in a page that never settles must not hold up all others. What four people do has
taken 87 of them, on two cores with a load of 20."""

# A test asserts nothing about time: machines are noisy, and `./run bench` measures.
settings.register_profile("perc", deadline=None)
settings.load_profile("perc")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = limited(item.obj)


def limited(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(test)
    async def run(*arguments: Any, **fixtures: Any) -> None:
        async with asyncio.timeout(TIME_LIMIT):
            await test(*arguments, **fixtures)

    return run
