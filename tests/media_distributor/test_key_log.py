"""The tunnels' key log: what stands in it, who can read it, and that it exists only when asked for."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from OpenSSL import SSL

from perc_server.certificates import DemoCertificates
from perc_server.cli import parser
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.key_log import KeyLog
from perc_server.media_distributor.server import MediaDistributor, running
from perc_server.observability.logs import LogOptions
from tests.media_distributor.call_processing_stand_in import CallProcessing
from tests.media_distributor.certificates import Identity
from tests.media_distributor.key_distributor_stand_in import KeyDistributor
from tests.media_distributor.waiting import until
from tests.observability.observing import captured

LABELS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.log"


@pytest.fixture
def config(certificates: DemoCertificates, file: Path) -> MediaDistributorConfig:
    return MediaDistributorConfig(
        tunnel_name="md.example",
        tunnel_certificate=certificates.media_distributor,
        control_certificate=certificates.control_server,
        control_peer_certificate=certificates.control_client_certificate,
        key_log=file,
    )


@pytest.fixture
async def distributor(config: MediaDistributorConfig) -> AsyncIterator[MediaDistributor]:
    async with running(config) as distributor:
        yield distributor


def lines(file: Path) -> list[str]:
    return sorted(file.read_text().splitlines())


async def tunnel(distributor: MediaDistributor, certificates: DemoCertificates) -> KeyDistributor:
    identity = Identity.make("Key Distributor")
    call = await CallProcessing.connect(distributor.control_port, certificates)
    await call.request("start-conference", conference="room", fingerprint=str(identity.fingerprint))
    key_distributor = await KeyDistributor.dial(distributor.tunnel_port, identity)
    await until(lambda: key_distributor.is_up)
    key_distributor.transport.abort()
    await call.close()
    return key_distributor


async def test_the_secrets_are_those_of_the_client(
    distributor: MediaDistributor, certificates: DemoCertificates, file: Path
) -> None:
    first = await tunnel(distributor, certificates)
    assert first.tls.get_protocol_version_name() == "TLSv1.3"
    assert lines(file) == sorted(first.secrets)
    assert {line.split()[0] for line in lines(file)} == LABELS
    assert {line.split()[1] for line in lines(file)} == {first.tls.client_random().hex()}
    second = await tunnel(distributor, certificates)
    assert lines(file) == sorted(first.secrets + second.secrets)


@pytest.mark.usefixtures("distributor")
def test_only_the_owner_can_read_the_file(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_others_can_read_is_closed_to_them_and_keeps_its_lines(file: Path) -> None:
    file.write_text("earlier\n")
    file.chmod(0o644)
    log = KeyLog(file)
    log.write(SSL.Connection(SSL.Context(SSL.TLS_METHOD), None), b"later")
    log.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == "earlier\nlater\n"


def test_a_symbolic_link_is_refused(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        KeyLog(file)


def test_what_is_not_a_regular_file_is_refused_and_keeps_its_mode(file: Path) -> None:
    os.mkfifo(file, 0o640)
    reader = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="not a regular file"):
        KeyLog(file)
    os.close(reader)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


async def test_the_start_warns_of_the_file_and_only_with_it(config: MediaDistributorConfig, file: Path) -> None:
    for key_log in (file, None):
        with captured(LogOptions()) as stream:
            async with running(replace(config, key_log=key_log)):
                pass
        assert bool(re.search("WARNING .* key-log: .*hop-by-hop keys", stream.getvalue())) is (key_log is not None)


def test_no_key_log_is_written_unless_the_command_line_names_one() -> None:
    assert parser().parse_args(["serve"]).key_log is None
    assert parser().parse_args(["serve", "--key-log", "keys.log"]).key_log == Path("keys.log")
