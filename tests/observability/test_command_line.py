"""Options of the command line, and a server as a process of its own: what it writes and where it shows metrics."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from perc_server import demo
from perc_server.cli import log_options, parser
from perc_server.observability.listener import MetricsAddress
from perc_server.observability.logs import LogOptions
from tests.end_to_end.deployment import REPOSITORY, free_port, wait_for_port

OPTIONS = ["--log-level", "debug", "--log-format", "json", "--log-identities", "--metrics", "127.0.0.1:9100"]


def test_logging_and_metrics_have_quiet_defaults() -> None:
    arguments = parser().parse_args(["serve"])
    assert log_options(arguments) == LogOptions("info", "text", identities=False)
    assert (arguments.metrics, arguments.key_log) == (None, None)


@pytest.mark.parametrize("options", [["--log-level", "trace"], ["--log-format", "xml"], ["--metrics", "9100"]])
def test_an_invalid_option_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["serve", *options])
    assert "error: argument" in capsys.readouterr().err


def test_serve_passes_its_options_on_and_gives_each_server_a_metrics_port(tmp_path: Path) -> None:
    arguments = parser().parse_args(["serve", "--state", str(tmp_path), "--key-log", "keys.log", *OPTIONS])
    commands = [parser().parse_args(command) for command in demo.commands(arguments)]
    assert [log_options(command) for command in commands] == [LogOptions("debug", "json", identities=True)] * 4
    assert [command.metrics for command in commands] == [MetricsAddress("127.0.0.1", 9100 + each) for each in range(4)]
    assert [getattr(command, "key_log", None) for command in commands] == [Path("keys.log"), None, None, None]


@dataclass(frozen=True)
class Process:
    """An identity provider, and the lines that it has written when it has ended."""

    process: asyncio.subprocess.Process
    port: int
    metrics_port: int

    @property
    def origin(self) -> str:
        return f"http://idp.localhost:{self.port}"

    async def ended(self) -> list[dict[str, str]]:
        self.process.send_signal(signal.SIGTERM)
        _, errors = await self.process.communicate()
        return [json.loads(line) for line in errors.decode().splitlines()]


async def start(directory: Path, port: int, metrics: str) -> asyncio.subprocess.Process:
    paths = os.pathsep.join(str(REPOSITORY / each) for each in ("polyfill", "backend"))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "perc_server", "identity-provider"),
        *("--port", str(port), "--origin", f"http://idp.localhost:{port}", "--name", "IdP"),
        *("--database", f"sqlite:///{directory / 'idp.db'}"),
        *("--metrics", metrics, "--log-format", "json", "--log-level", "debug"),
        env={**os.environ, "PYTHONPATH": paths},
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Process]:
    port, metrics_port = free_port(), free_port()
    process = await start(tmp_path, port, f"127.0.0.1:{metrics_port}")
    try:
        await wait_for_port(port, process)
        yield Process(process, port, metrics_port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_metrics_are_shown_at_their_own_address_only(provider: Process) -> None:
    async with httpx2.AsyncClient(headers={"Host": f"idp.localhost:{provider.port}"}) as client:
        assert (await client.get(f"http://127.0.0.1:{provider.port}/metrics")).status_code == 404
        assert (await client.get(f"http://127.0.0.1:{provider.port}/login")).status_code == 200
        metrics = await client.get(f"http://127.0.0.1:{provider.metrics_port}/metrics")
        assert (await client.get(f"http://127.0.0.1:{provider.metrics_port}/login")).status_code == 404
    assert 'perc_idp_requests_total{status="200"} 1.0' in metrics.text
    assert 'perc_idp_requests_refused_total{type="not-here"} 1.0' in metrics.text
    await provider.ended()


async def test_every_line_of_a_process_is_json_without_addresses(provider: Process) -> None:
    async with httpx2.AsyncClient(headers={"Host": f"idp.localhost:{provider.port}"}) as client:
        await client.get(f"http://127.0.0.1:{provider.port}/login?username=alice")
        await client.get(f"http://127.0.0.1:{provider.port}/alice%0Aforged")
    reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
    writer.write(b"no HTTP from alice at 192.0.2.1\r\n\r\n")
    await reader.read()
    writer.close()
    lines = await provider.ended()
    codes = [line["code"] for line in lines]
    assert {"metrics-listening", "started", "request-answered", "request-refused", "library"} <= set(codes)
    assert {"logger": "uvicorn.error", "message": "Invalid HTTP request received."}.items() <= next(
        line.items() for line in lines if line["code"] == "library"
    )
    assert not re.search(r"alice|forged|\d+\.\d+\.\d+\.\d+|localhost", json.dumps(lines))


async def test_a_metrics_address_in_use_ends_the_server_instead_of_hiding_its_metrics(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    process = await start(tmp_path, free_port(), f"127.0.0.1:{taken.sockets[0].getsockname()[1]}")
    _, errors = await process.communicate()
    taken.close()
    assert process.returncode == 1
    assert b"address already in use" in errors
