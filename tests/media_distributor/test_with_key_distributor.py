"""The real Key Distributor at the end of the tunnel, OpenSSL's DTLS and libsrtp at the endpoints."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from perc.crypto.pyca import PycaProvider
from perc.identity.verdict import Verdict
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.distributor import KeyDistributor
from perc.key_distributor.events import AssertionRequested, ConnectionFailed, Event, ValidationRequested
from perc.x509.path import TrustAnchors
from tests.media_distributor.call_processing_stand_in import Refused
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import Endpoint, audio_packet, microphone, pairs
from tests.media_distributor.waiting import settled, until

CONFERENCE = "http://localhost:8000/perc/room"


class Host:
    """What the browser's runtime does: octets and time in, octets out, identity work by itself."""

    def __init__(self, distributor: KeyDistributor) -> None:
        self.distributor = distributor
        self.events: list[Event] = []
        self.writer: asyncio.StreamWriter | None = None

    async def run(self, port: int, trust_anchors: TrustAnchors) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer = writer
        await self.distributor.open("md.example", trust_anchors, CONFERENCE, datetime.now(UTC))
        try:
            writer.write(self.distributor.data_to_send())
            while data := await reader.read(65536):
                await self._take(await self.distributor.receive_data(data, self._now()))
                writer.write(self.distributor.data_to_send())
        finally:
            writer.close()
            await self._take(await self.distributor.connection_lost(self._now()))

    async def reconnect_when_cut(self, port: int, trust_anchors: TrustAnchors) -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                await self.run(port, trust_anchors)

    async def _take(self, events: list[Event]) -> None:
        for event in events:
            self.events.append(event)
            match event:
                case ValidationRequested(request_id, _, _, assertion):
                    verdict = Verdict("alice@idp.example", assertion)
                    await self._take(await self.distributor.validated(request_id, verdict, self._now()))
                case AssertionRequested(request_id, contents):
                    identity = identity_of(contents)
                    await self._take(await self.distributor.asserted(request_id, identity, self._now()))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class IdentifiedEndpoint(Endpoint):
    """Its offers carry an assertion whose text is what it asserts."""

    def offer(self) -> str:
        algorithm, digest = str(self.identity.fingerprint).split(" ")
        contents = {
            "fingerprint": [{"algorithm": algorithm, "digest": digest}],
            "conference": CONFERENCE,
            "type": "offer",
        }
        return super().offer().replace("t=0 0\r\n", f"t=0 0\r\na=identity:{identity_of(json.dumps(contents))}\r\n")


def identity_of(contents: str) -> str:
    value = {"idp": {"domain": "idp.example", "protocol": "default"}, "assertion": contents}
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.fixture
async def host(stage: Stage) -> AsyncIterator[Host]:
    distributor = await KeyDistributor.create(PycaProvider(), datetime.now(UTC))
    await distributor.set_admission_policy(AdmissionPolicy.of([], "admit"), 0)
    await stage.call.request("start-conference", conference="room", fingerprint=str(distributor.fingerprint))
    host = Host(distributor)
    anchors = TrustAnchors.from_pem(stage.certificates.authority.read_text())
    task = asyncio.create_task(host.reconnect_when_cut(stage.distributor.tunnel_port, anchors))
    await until(lambda: stage.call.of("tunnel"))
    yield host
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def identified(stage: Stage, name: str, *media: object) -> IdentifiedEndpoint:
    endpoint = IdentifiedEndpoint(name, list(media))  # type: ignore[arg-type]
    stage.endpoints.append(endpoint)
    await endpoint.join(stage.call)
    endpoint.say(b"a browser opens its key channel here")
    return endpoint


async def test_two_endpoints_with_the_real_key_distributor(stage: Stage, host: Host) -> None:
    assert not [event for event in host.events if isinstance(event, ConnectionFailed)], host.events
    alice = await identified(stage, "alice", microphone(1001), *pairs(1))
    bob = await identified(stage, "bob", microphone(2001), *pairs(1))
    alice.send_rtp(audio_packet(1001, 1))
    bob.send_rtp(audio_packet(2001, 1))
    await until(lambda: alice.packets and bob.packets)
    assert "a=identity:" in alice.answer_text


async def test_an_offer_without_identity_is_refused_with_its_reason(stage: Stage, host: Host) -> None:
    with pytest.raises(Refused) as refused:
        await stage.endpoint("mallory", microphone(1001)).negotiate(stage.call)
    assert refused.value.code == "refused"
    assert refused.value.detail


async def test_who_closes_the_association_leaves(stage: Stage, host: Host) -> None:
    alice = await identified(stage, "alice", microphone(1001))
    alice.close_dtls()
    await until(lambda: stage.call.of("endpoint-left"))


async def test_a_tunnel_that_is_cut_is_resumed(stage: Stage, host: Host) -> None:
    alice = await identified(stage, "alice", microphone(1001), *pairs(1))
    bob = await identified(stage, "bob", microphone(2001), *pairs(1))
    await settled()
    for number in range(1, 4):
        tunnels = len(stage.call.of("tunnel"))
        assert host.writer is not None
        host.writer.transport.abort()
        alice.send_rtp(audio_packet(1001, number))
        bob.send_rtp(audio_packet(2001, number))
        await until(lambda expected=number: len(alice.packets) == len(bob.packets) == expected)
        await until(lambda expected=tunnels + 2: len(stage.call.of("tunnel")) == expected)
    assert stage.call.of("endpoint-left") == []
    alice.close_dtls()
    await until(lambda: stage.call.of("endpoint-left"))
    carol = await identified(stage, "carol", *pairs(2))
    bob.send_rtp(audio_packet(2001, 4))
    await until(lambda: carol.packets)
