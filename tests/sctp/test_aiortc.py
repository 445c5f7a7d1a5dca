"""aiortc's SCTP as the browser's end, over a path that loses, repeats and reorders."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport

from perc.sctp.events import AssociationAborted, AssociationEstablished, Event, MessageReceived
from perc.sctp.responder import SctpResponder
from tests.repeatable import RepeatableProvider
from tests.sctp.virtual_time import VirtualTimeLoop

Path = Callable[[int], list[float]]
"""Delays after which the n-th packet of a direction arrives: none is a loss, two a repetition."""


class DtlsBetween:
    """Stands for an RTCDtlsTransport of a DTLS client, and carries packets to a responder and back."""

    state = "connected"
    _role = "client"

    def __init__(self, there: Path, back: Path) -> None:
        self.responder = SctpResponder(RepeatableProvider("responder").random_bytes)
        self.events: list[Event] = []
        self._paths = (there, back)
        self._counts = [0, 0]
        self._timer: asyncio.TimerHandle | None = None
        self._receiver: Any = None

    def _register_data_receiver(self, receiver: Any) -> None:
        self._receiver = receiver

    def _unregister_data_receiver(self, receiver: Any) -> None:
        self._receiver = None

    async def _send_data(self, data: bytes) -> None:
        self._carry(0, data, self._to_responder)

    def send(self, message: bytes) -> None:
        self.responder.send(0, 53, message, asyncio.get_running_loop().time())
        self.pump()

    def _to_responder(self, data: bytes) -> None:
        self.events += self.responder.receive_datagram(data, asyncio.get_running_loop().time())
        self.pump()

    def _to_client(self, data: bytes) -> None:
        if self._receiver is not None:
            # foreign private: aiortc's SCTP takes packets from its own DTLS transport only
            handled = self._receiver._handle_data(data)
            asyncio.ensure_future(handled)  # noqa: RUF006 - the loop outlives the test

    def _expired(self) -> None:
        self.events += self.responder.handle_timeout(asyncio.get_running_loop().time())
        self.pump()

    def pump(self) -> None:
        for data in self.responder.datagrams_to_send():
            self._carry(1, data, self._to_client)
        if self._timer is not None:
            self._timer.cancel()
        due = self.responder.next_timeout()
        self._timer = None if due is None else asyncio.get_running_loop().call_at(due, self._expired)

    def _carry(self, direction: int, data: bytes, deliver: Callable[[bytes], None]) -> None:
        number = self._counts[direction]
        self._counts[direction] += 1
        for delay in self._paths[direction](number):
            asyncio.get_running_loop().call_later(delay, deliver, data)


class Browser:
    """aiortc's end, with the key channel."""

    def __init__(self, there: Path, back: Path) -> None:
        self.dtls = DtlsBetween(there, back)
        self.sctp = RTCSctpTransport(self.dtls)  # type: ignore[arg-type]
        parameters = RTCDataChannelParameters(label="perc-key-distributor", negotiated=True, id=0)
        self.channel = RTCDataChannel(self.sctp, parameters)
        self.received: list[bytes] = []
        self.channel.on("message", self.received.append)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(600):  # of virtual time
            while not condition():
                await asyncio.sleep(0.01)

    @property
    def messages(self) -> list[bytes]:
        return [event.data for event in self.dtls.events if isinstance(event, MessageReceived)]


def good(_: int) -> list[float]:
    return [0.005]


def losing(*numbers: int) -> Path:
    return lambda number: [] if number in numbers else [0.005]


def rough(seed: int) -> Path:
    """A fifth lost, a tenth twice, delays of 1 to 60 ms."""
    chance = random.Random(seed)
    return lambda _: [chance.uniform(0.001, 0.06) for _ in range(chance.choices([0, 1, 2], [0.2, 0.7, 0.1])[0])]


def run(story: Coroutine[Any, Any, None]) -> None:
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(story)
    finally:
        while tasks := asyncio.all_tasks(loop):  # packets on their way become tasks even now
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def exchange(there: Path, back: Path) -> Browser:
    """Opens the channel and sends small and large messages both ways at once."""
    browser = Browser(there, back)
    await browser.sctp.start(RTCSctpTransport.getCapabilities(), 5000)
    await browser.until(lambda: AssociationEstablished() in browser.dtls.events)
    sent = [bytes([number]) * length for number, length in enumerate((1, 1072, 1073, 20_000, 65_536, 7))]
    for message in sent:
        browser.dtls.send(message)
    await browser.until(lambda: browser.channel.readyState == "open")
    for message in sent:
        browser.channel.send(message)
    await browser.until(lambda: len(browser.received) == len(sent) and len(browser.messages) == len(sent))
    assert browser.received == sent
    assert browser.messages == sent
    return browser


def test_messages_of_all_sizes_both_ways() -> None:
    run(_complete(good, good))


async def _complete(there: Path, back: Path) -> None:
    await exchange(there, back)


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("direction", ["there", "back"])
def test_each_early_packet_lost_once(direction: str, number: int) -> None:
    paths = (losing(number), good) if direction == "there" else (good, losing(number))
    run(_complete(*paths))


@pytest.mark.parametrize("seed", range(4))
def test_a_rough_path(seed: int) -> None:
    run(_complete(rough(seed), rough(seed + 100)))


def test_the_browser_aborts() -> None:
    async def story() -> None:
        browser = await exchange(good, good)
        await browser.sctp.stop()
        await browser.until(lambda: isinstance(browser.dtls.events[-1], AssociationAborted))

    run(story())


def test_the_responder_aborts() -> None:
    async def story() -> None:
        browser = await exchange(good, good)
        browser.dtls.responder.abort()
        browser.dtls.pump()
        await browser.until(lambda: browser.sctp.state == "closed")

    run(story())
