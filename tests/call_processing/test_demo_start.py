"""The demo's start: if one of its processes cannot be started, none is left behind."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from perc_server import demo
from perc_server.cli import parser


@pytest.fixture
async def signals() -> AsyncIterator[None]:
    """As they were before."""
    yield
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_a_process_that_cannot_be_started_leaves_no_other_behind(
    signals: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = asyncio.create_subprocess_exec, list[asyncio.subprocess.Process]()

    async def two_and_no_more(*_command: str) -> asyncio.subprocess.Process:
        if len(started) == 2:
            raise OSError("no more processes")
        started.append(await start(sys.executable, "-c", "import time; time.sleep(600)"))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", two_and_no_more)
    arguments: Any = parser().parse_args(["serve", "--state", str(tmp_path)])
    with pytest.raises(OSError, match="no more processes"):
        await demo.serve(arguments)
    assert [process.returncode for process in started] == [-signal.SIGTERM] * 2
