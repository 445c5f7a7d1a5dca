"""Waiting for conditions instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Return once the condition holds; fail if it does not within a time that is ample on any machine."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def settled(turns: int = 20) -> None:
    """Let everything that is on its way over loopback arrive."""
    for _ in range(turns):
        await asyncio.sleep(0.001)


async def arrived(turns: int = 500) -> None:
    """As `settled`, while the loop's time stands still."""
    for _ in range(turns):
        await asyncio.sleep(0)
