"""The demo: all parties on this machine, each a process of its own, talking only through their protocols."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass

from perc_server.certificates import demo_certificates
from perc_server.observability.logs import LogOptions

MEDIA_DISTRIBUTOR_NAME = "md.localhost"
START_LIMIT = 90.0  # seconds until a port must be open; a quiet machine takes two, a busy one has taken forty
POLL = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class DemoIdentityProvider:
    """One of the two identity providers; host names of their own, because cookies ignore ports."""

    label: str
    accounts: tuple[str, ...]

    @property
    def host(self) -> str:
        """Its host name."""
        return f"idp-{self.label}.localhost"


IDENTITY_PROVIDERS = (
    DemoIdentityProvider("a", ("alice:alice-demo", "anna:anna-demo")),
    DemoIdentityProvider("b", ("bob:bob-demo", "ben:ben-demo")),
)


async def serve(arguments: argparse.Namespace) -> None:
    """Starts everyone, prints one URL, and ends everyone as soon as one ends or a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    processes: list[asyncio.subprocess.Process] = []
    try:
        for command in commands(arguments):
            processes.append(await asyncio.create_subprocess_exec(sys.executable, "-m", "perc_server", *command))
        ended = [asyncio.create_task(process.wait()) for process in processes]
        await _announce(arguments, ended)
        await asyncio.wait([*ended, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
    if not stop.is_set():
        raise SystemExit("A server ended; its last words are above.")


def commands(arguments: argparse.Namespace) -> list[list[str]]:
    """The command lines of the parties."""
    arguments.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificates = demo_certificates(arguments.state / "certificates", MEDIA_DISTRIBUTOR_NAME)
    media_distributor = [
        "media-distributor",
        *("--tunnel-name", MEDIA_DISTRIBUTOR_NAME),
        *("--tunnel-certificate", str(certificates.media_distributor)),
        *("--tunnel-port", str(arguments.tunnel_port)),
        *("--control-certificate", str(certificates.control_server)),
        *("--control-peer", str(certificates.control_client_certificate)),
        *("--control-port", str(arguments.control_port)),
    ]
    call_processing = [
        "call-processing",
        *("--port", str(arguments.port)),
        *("--origin", f"http://localhost:{arguments.port}"),
        *("--assets", str(arguments.assets)),
        *("--trust-anchors", str(certificates.authority)),
        *("--control", f"127.0.0.1:{arguments.control_port}"),
        *("--control-certificate", str(certificates.control_client)),
        *("--control-peer", str(certificates.control_server_certificate)),
        *("--tunnel-address", "127.0.0.1"),
    ]
    identity_providers = []
    for provider, port in zip(IDENTITY_PROVIDERS, arguments.identity_provider_ports, strict=True):
        call_processing += ["--identity-provider", f"{provider.host}:{port}"]
        identity_providers.append(_identity_provider(arguments, provider, port))
    if arguments.key_log is not None:
        media_distributor += ["--key-log", str(arguments.key_log)]
    return _observed(arguments, [media_distributor, *identity_providers, call_processing])


def _observed(arguments: argparse.Namespace, commands: list[list[str]]) -> list[list[str]]:
    """Add the options that all have in common; metrics on one port after the other, in this order."""
    for number, command in enumerate(commands):
        command.extend(LogOptions(arguments.log_level, arguments.log_format, arguments.log_identities).arguments)
        if arguments.metrics is not None:
            command.extend(["--metrics", str(arguments.metrics.later(number))])
    return commands


def _identity_provider(arguments: argparse.Namespace, provider: DemoIdentityProvider, port: int) -> list[str]:
    command = [
        "identity-provider",
        *("--port", str(port)),
        *("--origin", f"http://{provider.host}:{port}"),
        *("--database", f"sqlite:///{arguments.state / f'idp-{provider.label}.db'}"),
        *("--name", f"Identity provider {provider.label.upper()}"),
    ]
    for account in provider.accounts:
        command += ["--demo-account", account]
    return command


async def _announce(arguments: argparse.Namespace, ended: list[asyncio.Task[int]]) -> None:
    ports = [arguments.tunnel_port, arguments.control_port, *arguments.identity_provider_ports, arguments.port]
    for port in ports:
        try:
            async with asyncio.timeout(START_LIMIT):
                while not await _is_open(port):
                    if any(task.done() for task in ended):
                        return
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise SystemExit(f"Port {port} was not opened within {START_LIMIT:g} s.") from None
    print(f"Open http://localhost:{arguments.port}/", flush=True)


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
