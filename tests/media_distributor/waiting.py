"""Waiting for conditions instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Return once the condition holds; fail if it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def settled(turns: int = 20) -> None:
    """Let everything that is on its way over loopback arrive."""
    for _ in range(turns):
        await asyncio.sleep(0.001)
