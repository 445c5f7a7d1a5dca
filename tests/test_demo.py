"""The demo as its user meets it: one command, one URL, all parties as processes; and its certificates."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from playwright.async_api import Browser, StorageState

from perc_server.certificates import demo_certificates
from perc_server.demo import IDENTITY_PROVIDERS
from tests.browser.conftest import assets, browser, playwright  # noqa: F401 - fixtures
from tests.end_to_end.conftest import Come, come  # noqa: F401 - a fixture
from tests.end_to_end.deployment import REPOSITORY, free_port
from tests.end_to_end.household import Household
from tests.end_to_end.people import see_and_hear_one_another


@dataclass(frozen=True)
class Demo:
    """What the one command started, and the URL that it printed."""

    process: asyncio.subprocess.Process
    origin: str
    identity_provider_ports: tuple[int, int]
    sessions: dict[str, StorageState] = field(default_factory=dict)

    def identity_provider(self, label: str) -> str:
        """What the page calls it."""
        ports = zip(IDENTITY_PROVIDERS, self.identity_provider_ports, strict=True)
        [name] = [f"{provider.host}:{port}" for provider, port in ports if provider.label == label]
        return name


@pytest.fixture
async def deployment(assets: None, tmp_path: Path) -> AsyncIterator[Demo]:  # noqa: F811
    """The demo on ports of its own."""
    ports = (free_port(), free_port())
    options = {
        "--state": str(tmp_path),
        "--port": str(free_port()),
        "--tunnel-port": str(free_port()),
        "--control-port": str(free_port()),
    }
    paths = os.pathsep.join(str(REPOSITORY / directory) for directory in ("polyfill", "backend"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "perc_server", "serve"),
        *(word for option in options.items() for word in option),
        *("--identity-provider-ports", *map(str, ports)),
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        words = (await process.stdout.readline()).decode().split()
        assert words == ["Open", f"http://localhost:{options['--port']}/"]
        yield Demo(process, words[1], ports)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.fixture
def household(browser: Browser, deployment: Demo) -> Household:  # noqa: F811
    return Household(browser, deployment)


async def test_the_demo_prints_one_url_and_ends_when_told(deployment: Demo) -> None:
    async with httpx2.AsyncClient() as client:
        page = await client.get(deployment.origin)
    assert page.status_code == 200
    deployment.process.send_signal(signal.SIGTERM)
    assert deployment.process.stdout is not None
    assert await deployment.process.stdout.read() == b""
    assert await deployment.process.wait() == 0


@pytest.mark.chromium
async def test_two_people_see_and_hear_each_other_in_the_demo(come: Come) -> None:  # noqa: F811
    alice, bob = await come("alice"), await come("bob")
    await bob.join(await alice.open_room("demo"))
    await see_and_hear_one_another([alice, bob])


def test_the_demo_ca_signs_the_media_distributor_only(tmp_path: Path) -> None:
    files = demo_certificates(tmp_path / "certificates", "md.localhost")
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    certificate = x509.load_pem_x509_certificate(files.media_distributor.read_bytes())
    verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName("md.localhost"))
    assert verifier.verify(certificate, []) == [certificate, authority]
    assert b"PRIVATE" not in files.authority.read_bytes(), "the CA's key is forgotten"


def test_secrets_are_the_owners_alone_and_made_once(tmp_path: Path) -> None:
    files = demo_certificates(tmp_path / "certificates", "md.localhost")
    for file in (files.media_distributor, files.control_server, files.control_client):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = files.media_distributor.read_bytes()
    assert demo_certificates(tmp_path / "certificates", "md.localhost").media_distributor.read_bytes() == before
