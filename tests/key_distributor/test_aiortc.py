"""The key channel with an SCTP and data channels that are not this project's: aiortc's."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpTransport

from perc.ekt.key_channel import read_message, write_message
from tests.key_distributor.site import Announce, EktKey, Endpoint, Roster, Site, source


class DtlsTransport:
    """As much of an RTCDtlsTransport as aiortc's SCTP asks for, over an endpoint's DTLS."""

    state = "connected"
    _role = "client"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._handed = 0
        self.receiver: Any = None

    def _register_data_receiver(self, receiver: Any) -> None:
        self.receiver = receiver

    def _unregister_data_receiver(self, receiver: Any) -> None:
        self.receiver = None

    async def _send_data(self, data: bytes) -> None:
        self._endpoint.dtls.send(data)

    async def deliver(self) -> None:
        packets = self._endpoint.dtls.received[self._handed :]
        self._handed += len(packets)
        for packet in packets:
            await self.receiver._handle_data(packet)  # foreign private: aiortc's SCTP takes packets from its own DTLS


async def until_quiet(site: Site, transport: DtlsTransport) -> None:
    for _ in range(10):
        site.settle()
        await transport.deliver()
        await asyncio.sleep(0)


async def test_a_data_channel_of_aiortc_gets_the_key_and_the_roster_and_announces():
    site = Site()
    endpoint = Endpoint()
    endpoint.sctp.receive = lambda _: None  # type: ignore[method-assign]
    site.admit(endpoint)
    site.shake_hands(endpoint)
    transport = DtlsTransport(endpoint)
    sctp = RTCSctpTransport(transport)  # type: ignore[arg-type]
    channel = RTCDataChannel(sctp, RTCDataChannelParameters(label="perc-key-distributor", negotiated=True, id=0))
    received: list[bytes] = []
    channel.on("message", received.append)
    await sctp.start(None, 5000)
    await until_quiet(site, transport)
    assert [type(read_message(message)) for message in received] == [EktKey, Roster]
    channel.send(write_message(Announce((source(1),))))
    await until_quiet(site, transport)
    site.wait(0.2)
    await until_quiet(site, transport)
    roster = read_message(received[-1])
    assert isinstance(roster, Roster)
    assert [each.ssrc for each in roster.members[0].sources] == [1]
    await sctp.stop()
    await until_quiet(site, transport)
    assert site.kd.roster == ()
