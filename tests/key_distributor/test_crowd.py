"""Two hundred handshakes at once, half of them hostile or abandoned: the others get their keys, and nothing is left.

Bounds are counts and octets, so that the test says the same on every machine; how long it took is printed (pytest -s).
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random
from uuid import uuid4

import pytest

from perc.dtls.association import Association as DtlsAssociation
from perc.dtls.fragments import MAX_MESSAGE_LENGTH, Fragment, write_fragment
from perc.dtls.records import ContentType, write_record
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MessageType, read_message
from perc.key_distributor.association import EndpointAssociation
from perc.key_distributor.events import EndpointKeyed, EndpointLeft, FingerprintFailed
from perc.sctp.responder import SctpResponder
from perc.tunnel.messages import EndpointDisconnect, MediaKeys, TunneledDtls
from tests.key_distributor.site import Endpoint, Site

HONEST = HOSTILE = 100
OCTETS_PER_HANDSHAKE = 48 * 1024
"""Of Python's memory for one association, reassembly of the largest messages included."""
OCTETS_LEFT_PER_OFFER = 2 * 1024
"""Of what is remembered of each accepted offer for the life of the conference."""
ROUNDS = 12
"""Exchanges until everyone who wants to has finished."""
MEASURED = (2, 6)
"""In these most are under way, or have their keys."""


class Guest(Endpoint):
    """One that reads no rosters: with so many in the conference that would be most of the work."""

    @property
    def keys(self) -> list[EktKey]:
        messages = (read_message(each) for each in self.sctp.received if each[0] == MessageType.EKT_KEY)
        return [message for message in messages if isinstance(message, EktKey)]


@dataclass
class Hostile:
    """An endpoint whose association_ids the Media Distributor carries, honestly; `acts` are its rounds."""

    site: Site
    number: int
    acts: Iterator[None] = field(init=False)
    endpoint: Guest = field(default_factory=Guest)

    def say(self, datagram: bytes) -> None:
        self.site.md.send(TunneledDtls(self.endpoint.id, datagram))

    def flight(self) -> list[bytes]:
        return self.endpoint.dtls.datagrams_to_send()

    def begin(self) -> list[bytes]:
        """Registers for what comes back, and starts; what it would say is in its own hands."""
        self.site.endpoints[self.endpoint.id] = self.endpoint
        self.site.held.add(self.endpoint.id)
        self.endpoint.dtls.start_as_client()
        return self.flight()


def abandons_after_its_hello(hostile: Hostile) -> Iterator[None]:
    for datagram in hostile.begin():
        hostile.say(datagram)
    yield


def abandons_before_finished(hostile: Hostile) -> Iterator[None]:
    hostile.site.admit(hostile.endpoint, "mallory@idp-a.localhost")
    for datagram in hostile.begin():
        hostile.say(datagram)
    yield
    for datagram in hostile.flight()[:-1]:
        hostile.say(datagram)
    yield


def abandons_after_its_hand_shake(hostile: Hostile) -> Iterator[None]:
    """Keyed for the hop, and never opens a key channel."""
    hostile.site.admit(hostile.endpoint, f"{uuid4().hex}@idp-a.localhost")
    for datagram in hostile.begin():
        hostile.say(datagram)
    yield
    for datagram in hostile.flight():
        hostile.say(datagram)
    yield


def talks_garbage(hostile: Hostile) -> Iterator[None]:
    for datagram in hostile.begin():
        hostile.say(datagram)
    chance = Random(hostile.number)
    for number in range(8):
        yield
        hostile.say(write_record(20 + number % 4, number % 2 << 48 | number, chance.randbytes(200)))
        hostile.say(chance.randbytes(100))


def has_a_certificate_that_nobody_vouched_for(hostile: Hostile) -> Iterator[None]:
    for datagram in hostile.begin():
        hostile.say(datagram)
    while True:
        yield
        for datagram in hostile.flight():
            hostile.say(datagram)


def sends_alerts(hostile: Hostile) -> Iterator[None]:
    for datagram in hostile.begin():
        hostile.say(datagram)
    for description in (0, 10, 40, 49, 255):
        yield
        hostile.say(write_record(ContentType.ALERT, description, bytes([2, description])))


def floods_with_hellos(hostile: Hostile) -> Iterator[None]:
    hello = hostile.begin()
    for _ in range(4):
        for datagram in hello:
            hostile.site.md.send(TunneledDtls(uuid4(), datagram))
        yield


def claims_huge_messages(hostile: Hostile) -> Iterator[None]:
    for datagram in hostile.begin():
        hostile.say(datagram)
    for sequence, length in enumerate((*[MAX_MESSAGE_LENGTH] * 4, 2**24 - 1), start=1):
        yield
        fragment = Fragment(11, length, sequence, length - 1, b"x")
        hostile.say(write_record(ContentType.HANDSHAKE, 100 + sequence, write_fragment(fragment)))


def replays_another(hostile: Hostile) -> Iterator[None]:
    """The flights of somebody honest, on an association of its own."""
    while True:
        for message in hostile.site.carried[-20:]:
            hostile.say(message.dtls_message)
        yield


ATTACKS: tuple[Callable[[Hostile], Iterator[None]], ...] = (
    abandons_after_its_hello,
    abandons_before_finished,
    abandons_after_its_hand_shake,
    talks_garbage,
    has_a_certificate_that_nobody_vouched_for,
    sends_alerts,
    floods_with_hellos,
    claims_huge_messages,
    replays_another,
)


class Crowd(Site):
    """A site that remembers what honest endpoints said."""

    def __init__(self) -> None:
        self.carried: list[TunneledDtls] = []
        super().__init__()

    def carry_flights(self) -> None:
        """One flight of each endpoint that is not in somebody else's hands, and no more."""
        for endpoint in self.endpoints.values():
            if endpoint.id not in self.held:
                messages = [TunneledDtls(endpoint.id, each) for each in endpoint.dtls.datagrams_to_send()]
                self.carried += messages
                self.send(*messages)


def alive(*kinds: type) -> int:
    gc.collect()
    return sum(isinstance(each, kinds) for each in gc.get_objects())


def octets_of_perc() -> int:
    gc.collect()
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/perc/*")])
    return sum(each.size for each in snapshot.statistics("filename"))


@pytest.fixture
def _traced_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced_memory")
def test_two_hundred_handshakes_half_of_them_hostile() -> None:
    machines = (EndpointAssociation, DtlsAssociation, SctpResponder)
    before = alive(*machines)
    site = Crowd()
    honest = [Guest() for _ in range(HONEST)]
    for number, endpoint in enumerate(honest):
        site.admit(endpoint, f"guest{number}@idp-a.localhost")
    base = octets_of_perc()
    started = time.perf_counter()
    hostile = [Hostile(site, number) for number in range(HOSTILE)]
    acts = [attack(each) for attack, each in zip(islice(cycle(ATTACKS), HOSTILE), hostile, strict=True)]
    for endpoint in honest:
        site.endpoints[endpoint.id] = endpoint
        endpoint.dtls.start_as_client()
    peak_count = peak_octets = 0
    for number in range(ROUNDS):
        for act in acts:
            next(act, None)
        site.carry_flights()
        site.settle()
        for endpoint in honest:
            if endpoint.dtls.completed and not endpoint.sctp.is_open:
                endpoint.sctp.start()
        if number in MEASURED:
            peak_count = max(peak_count, alive(EndpointAssociation))
            peak_octets = max(peak_octets, octets_of_perc())
    site.wait(1)
    elapsed = time.perf_counter() - started

    assert {event.association_id for event in site.happened(EndpointKeyed)} == {endpoint.id for endpoint in honest}
    assert all(endpoint.keys for endpoint in honest)
    assert len(site.kd.roster) == HONEST
    assert site.happened(FingerprintFailed)
    assert peak_count >= HONEST + HOSTILE // 2
    assert peak_octets - base < peak_count * OCTETS_PER_HANDSHAKE

    # The abandoned end by themselves; the honest leave.
    site.wait(60)
    assert alive(EndpointAssociation) == HONEST
    assert not any(endpoint.disconnected for endpoint in honest)
    site.send(*(EndpointDisconnect(endpoint.id) for endpoint in honest))
    site.wait(60)
    assert site.kd.roster == ()
    assert site.kd.next_timeout() is None
    assert alive(*machines) == before
    keyed_for_the_hop = {keys.association_id for keys in site.heard(MediaKeys)}
    assert keyed_for_the_hop - {event.association_id for event in site.happened(EndpointLeft)} == set()
    for kept in (site.events, site.told, site.signed, site.endpoints, honest, hostile, acts):
        kept.clear()
    assert octets_of_perc() - base < (HONEST + HOSTILE) * OCTETS_LEFT_PER_OFFER
    print(f"\n{peak_count} at once, {(peak_octets - base) / peak_count / 1024:.1f} KB each; {elapsed:.1f} s, traced")
