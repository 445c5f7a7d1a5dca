"""For all tests."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

TIME_LIMIT = 120.0
"""Seconds for one test: a promise in a page that never settles must not hold up all others. What four people do has
taken 87 of them, on two cores with a load of 20."""

# A test asserts nothing about time, and no health check does: machines are noisy, and `./run bench` measures.
_TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The gate has the same examples in each run. The nightly tier looks for others, and prints how to have one again.
settings.register_profile("gate", _TIMELESS, derandomize=True, database=None)
settings.register_profile("nightly", _TIMELESS, print_blob=True)
settings.load_profile("nightly" if os.environ.get("PERC_RANDOM") == "1" else "gate")


# What takes longest begins first, so that two lanes end together (see all_tests in `run`).
LONGEST_FIRST = (
    *("test_swapped_streams", "test_survival", "test_admission", "test_call", "test_no_plaintext", "test_rekey"),
    *("test_page", "test_attacks", "test_hostile_identity_provider", "test_ending", "test_taken_sources"),
    *("test_identity_hostile_providers", "test_key_distributor_class", "test_identity_provider_pages"),
    *("test_blind_media_distributor", "test_keyboard", "test_demo", "test_identity_work_in_chromium"),
    *("test_identity_provider_and_shim", "test_tunnel_in_chromium", "test_transform", "test_crowd"),
)


def duration_class(item: pytest.Item) -> int:
    name = item.path.stem
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=duration_class)
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = limited(item.obj)


def limited(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(test)
    async def run(*arguments: Any, **fixtures: Any) -> None:
        async with asyncio.timeout(TIME_LIMIT):
            await test(*arguments, **fixtures)

    return run
