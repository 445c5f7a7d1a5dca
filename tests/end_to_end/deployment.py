"""All parties of a deployment: call processing and two identity providers as processes, the Media Distributor in this
one, where a test can look at it from inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import StorageState

from perc_server.certificates import demo_certificates
from perc_server.demo import IDENTITY_PROVIDERS, MEDIA_DISTRIBUTOR_NAME
from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.server import MediaDistributor, running
from tests.end_to_end.tampering import Attack, Taps
from tests.media_distributor.recording import Recording

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Deployment:
    """Where everything is, and the seams of the Media Distributor."""

    port: int
    identity_provider_ports: tuple[int, int]
    media_distributor: MediaDistributor
    taps: Taps
    attack: Attack
    sessions: dict[str, StorageState] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def conference(self, room: str) -> Conference:
        """The Media Distributor's part of a conference that is running."""
        conference = self.media_distributor.conference(room)
        assert conference is not None
        return conference

    @contextlib.contextmanager
    def recorded(self) -> Iterator[Recording]:
        """Everything that the Media Distributor forwards meanwhile."""
        recording = Recording()
        with self.taps.listening(recording):
            yield recording

    def identity_provider(self, label: str) -> str:
        index = [provider.label for provider in IDENTITY_PROVIDERS].index(label)
        return f"idp-{label}.localhost:{self.identity_provider_ports[index]}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def wait_for_port(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None:
                raise RuntimeError(f"a server ended with {process.returncode}") from None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


@contextlib.asynccontextmanager
async def deployed(state: Path) -> AsyncIterator[Deployment]:
    """A deployment on ports of its own, ended with the context."""
    certificates = demo_certificates(state / "certificates", MEDIA_DISTRIBUTOR_NAME)
    config = MediaDistributorConfig(
        tunnel_name=MEDIA_DISTRIBUTOR_NAME,
        tunnel_certificate=certificates.media_distributor,
        control_certificate=certificates.control_server,
        control_peer_certificate=certificates.control_client_certificate,
    )
    taps, attack = Taps(), Attack()
    port, *provider_ports = free_port(), free_port(), free_port()
    async with running(config, taps, attack) as media_distributor, contextlib.AsyncExitStack() as stack:
        command = [
            *("call-processing", "--port", str(port), "--origin", f"http://localhost:{port}"),
            *("--assets", str(REPOSITORY / "browser" / "dist"), "--trust-anchors", str(certificates.authority)),
            *("--control", f"127.0.0.1:{media_distributor.control_port}"),
            *("--control-certificate", str(certificates.control_client)),
            *("--control-peer", str(certificates.control_server_certificate), "--tunnel-address", "127.0.0.1"),
        ]
        commands = []
        for provider, provider_port in zip(IDENTITY_PROVIDERS, provider_ports, strict=True):
            command += ["--identity-provider", f"{provider.host}:{provider_port}"]
            accounts = [option for account in provider.accounts for option in ("--demo-account", account)]
            commands.append(
                [
                    *("identity-provider", "--port", str(provider_port)),
                    *("--origin", f"http://{provider.host}:{provider_port}"),
                    *("--database", f"sqlite:///{state / f'idp-{provider.label}.db'}"),
                    *("--name", f"Identity provider {provider.label.upper()}", *accounts),
                ]
            )
        ports = [*provider_ports, port]
        for arguments, at in zip([*commands, command], ports, strict=True):
            process = await stack.enter_async_context(_process(arguments))
            await wait_for_port(at, process)
        first, second = provider_ports
        yield Deployment(port, (first, second), media_distributor, taps, attack)


@contextlib.asynccontextmanager
async def _process(arguments: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    paths = os.pathsep.join(str(REPOSITORY / directory) for directory in ("polyfill", "backend"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "perc_server", *arguments), cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": paths}
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
