"""Behind a reverse proxy: an address that a header claims counts if the proxy was named, and from nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
import uvicorn

from perc_server.call_processing import limits
from perc_server.call_processing.app import server_config
from perc_server.call_processing.config import CallProcessingConfig, ControlConfig
from perc_server.call_processing.limits import STARTS
from perc_server.certificates import DemoCertificates
from perc_server.cli import parser
from tests.call_processing.test_signalling import FINGERPRINT, ORIGIN, OURS, certificates  # noqa: F401 - fixture

PROXY = "192.0.2.1"


def served(certificates: DemoCertificates, assets: Path, *trusted: str) -> uvicorn.Config:  # noqa: F811
    (assets / "v1").mkdir()
    (assets / "v1" / "index.html").write_text("the page")
    (assets / "manifest.json").write_text('{"assets": "v1"}')
    control = ControlConfig("127.0.0.1", 1, certificates.control_client, certificates.control_server_certificate)
    config = CallProcessingConfig("127.0.0.1", 0, ORIGIN, control, "127.0.0.1", (), assets, trusted_proxies=trusted)
    return server_config(config)


@pytest.mark.parametrize(("trusted", "allowed"), [((), STARTS), (("203.0.113.9",), STARTS), ((PROXY,), 2 * STARTS)])
async def test_an_address_that_a_header_claims(
    trusted: tuple[str, ...],
    allowed: int,
    certificates: DemoCertificates,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "STARTS_PER_SECOND", 1e-6)
    server = served(certificates, tmp_path, *trusted)
    server.load()
    transport = httpx2.ASGITransport(app=server.loaded_app, client=(PROXY, 1))
    statuses = []
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        for number in range(2 * STARTS):
            body = json.dumps({"version": 1, "room": f"r{number}", "fingerprint": FINGERPRINT})
            headers = {**OURS, "X-Forwarded-For": f"198.51.100.{number}"}
            statuses.append((await client.post("/start-conf", content=body, headers=headers)).status_code)
    assert statuses.count(503) == allowed, "without a Media Distributor"
    assert statuses.count(503) + statuses.count(429) == 2 * STARTS


def test_proxies_are_named_on_the_command_line() -> None:
    options = [
        *("call-processing", "--port", "8000", "--origin", ORIGIN, "--assets", "dist", "--control", "md:8444"),
        *("--control-certificate", "a.pem", "--control-peer", "b.pem", "--tunnel-address", "md"),
    ]
    assert parser().parse_args(options).trusted_proxy == []
    named = parser().parse_args([*options, "--trusted-proxy", PROXY, "--trusted-proxy", "2001:db8::1"])
    assert named.trusted_proxy == [PROXY, "2001:db8::1"]
