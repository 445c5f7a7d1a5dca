"""The demo as its user meets it: one command, one URL, all parties as processes; and its certificates."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from perc_server.certificates import demo_certificates
from tests.browser.conftest import assets  # noqa: F401 - fixture
from tests.end_to_end.deployment import REPOSITORY, free_port


async def test_the_demo_prints_one_url_and_ends_when_told(assets: None, tmp_path: Path) -> None:  # noqa: F811
    port = free_port()
    options = {
        "--state": str(tmp_path),
        "--port": str(port),
        "--tunnel-port": str(free_port()),
        "--control-port": str(free_port()),
    }
    paths = os.pathsep.join(str(REPOSITORY / directory) for directory in ("polyfill", "backend"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "perc_server", "serve"),
        *(word for option in options.items() for word in option),
        *("--identity-provider-ports", str(free_port()), str(free_port())),
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == f"Open http://localhost:{port}/\n".encode()
        async with httpx2.AsyncClient() as client:
            page = await client.get(f"http://localhost:{port}/")
        assert page.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert await process.stdout.read() == b""
        assert await process.wait() == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


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
