"""A running Media Distributor, with call processing and a Key Distributor that stand in for the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from perc_server.certificates import DemoCertificates, demo_certificates
from perc_server.media_distributor.config import MediaDistributorConfig, Timeouts
from perc_server.media_distributor.seams import ForwardedPacket
from perc_server.media_distributor.server import MediaDistributor, running
from tests.media_distributor.call_processing_stand_in import CallProcessing
from tests.media_distributor.certificates import Identity
from tests.media_distributor.endpoint_stand_in import Endpoint, Media
from tests.media_distributor.key_distributor_stand_in import KeyDistributor
from tests.media_distributor.recording import Recording
from tests.media_distributor.waiting import settled, until


@dataclass
class Stage:
    """Everyone in a story."""

    distributor: MediaDistributor
    config: MediaDistributorConfig
    certificates: DemoCertificates
    call: CallProcessing
    identity: Identity = field(default_factory=lambda: Identity.make("Key Distributor"))
    key_distributor: KeyDistributor | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    forwarded: list[ForwardedPacket] = field(default_factory=list)

    async def start(self, conference: str = "room") -> KeyDistributor:
        """A conference with its Key Distributor."""
        await self.call.request("start-conference", conference=conference, fingerprint=str(self.identity.fingerprint))
        return await self.dial()

    async def dial(self) -> KeyDistributor:
        self.key_distributor = await KeyDistributor.dial(self.distributor.tunnel_port, self.identity)
        await until(lambda: self.key_distributor and self.key_distributor.is_up)
        return self.key_distributor

    def endpoint(self, name: str, *media: Media, mid_id: int = 4) -> Endpoint:
        self.endpoints.append(Endpoint(name, list(media), mid_id))
        return self.endpoints[-1]

    async def join(self, name: str, *media: Media, mid_id: int = 4) -> Endpoint:
        return await self.endpoint(name, *media, mid_id=mid_id).join(self.call)

    async def connect(self) -> CallProcessing:
        """A further control connection."""
        return await CallProcessing.connect(self.distributor.control_port, self.certificates)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    return demo_certificates(tmp_path_factory.mktemp("certificates"), "md.example")


@pytest.fixture
def timeouts() -> Timeouts:
    return Timeouts()


@pytest.fixture
async def stage(certificates: DemoCertificates, timeouts: Timeouts) -> AsyncIterator[Stage]:
    config = MediaDistributorConfig(
        tunnel_name="md.example",
        tunnel_certificate=certificates.media_distributor,
        control_certificate=certificates.control_server,
        control_peer_certificate=certificates.control_client_certificate,
        timeouts=timeouts,
    )
    recording = Recording()
    async with running(config, recording) as distributor:
        call = await CallProcessing.connect(distributor.control_port, certificates)
        stage = Stage(distributor, config, certificates, call, forwarded=recording.packets)
        yield stage
        for endpoint in stage.endpoints:
            if hasattr(endpoint, "transport"):
                endpoint.transport.close()
        if stage.key_distributor is not None:
            stage.key_distributor.transport.abort()
        await call.close()
        await settled()
