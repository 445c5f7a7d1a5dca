"""Whatever is done to the datagrams: silent drops or a documented failure, no exception, no false success."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from perc.dtls import AssociationClosed, AssociationFailed
from perc.errors import PeerError
from tests.driving import run
from tests.dtls.listener import Listener
from tests.dtls.parties import ENDPOINT, KEY_DISTRIBUTOR, Expect, make_client, make_server
from tests.dtls.path import Path


class Mutation:
    """Damages each datagram with the given probability: flips, cuts, grows, splices."""

    def __init__(self, seed: int, probability: float) -> None:
        self._random = Random(seed)
        self._probability = probability
        self._seen: list[bytes] = [b""]

    def __call__(self, flight: list[bytes]) -> list[bytes]:
        self._seen += flight
        treated = []
        for datagram in flight:
            treated.append(datagram)
            if self._random.random() < self._probability:
                treated.insert(self._random.randrange(len(treated) + 1), self._mutate(bytearray(datagram)))
            if self._random.random() < self._probability / 4:
                treated.remove(datagram)
        return treated

    def _mutate(self, octets: bytearray) -> bytes:
        random = self._random
        for _ in range(random.randint(1, 4)):
            position = random.randrange(len(octets) + 1)
            match random.randrange(4):
                case 0 if position < len(octets):
                    octets[position] ^= 1 << random.randrange(8)
                case 1:
                    del octets[position : position + random.randint(1, 40)]
                case 2:
                    octets[position:position] = random.randbytes(random.randint(1, 40))
                case _:
                    other = random.choice(self._seen)
                    octets[position:] = other[random.randrange(len(other) + 1) :]
        return bytes(octets)


def expect_documented(path: Path) -> None:
    for end in (path.client, path.server):
        for event in end.events:
            if isinstance(event, AssociationFailed):
                assert isinstance(event.error, PeerError)
        assert sum(isinstance(event, AssociationFailed | AssociationClosed) for event in end.events) <= 1
    if path.client.is_connected and path.server.is_connected:
        assert path.client.keys == path.server.keys


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([120, 300, 1200]), st.booleans())
def test_mutated_handshakes(seed, probability, mtu, behind_gate):
    def make(numbers=None):
        return make_server(Expect(ENDPOINT.fingerprint), mtu=mtu, numbers=numbers)

    client = make_client(Expect(KEY_DISTRIBUTOR.fingerprint), mtu=mtu)
    path = Path(client, Listener(make) if behind_gate else make(), treat=Mutation(seed, probability))
    path.run()
    expect_documented(path)


@settings(max_examples=50)
@given(st.integers(0, 2**32))
def test_mutated_data_is_dropped(seed):
    path = Path(make_client(), make_server())
    path.settle()
    mutation = Mutation(seed, 1.0)
    for number in range(5):
        run(path.client.association.send(bytes([number]) * 50))
        for datagram in mutation(path.client.association.datagrams_to_send()):
            path.server.events += run(path.server.association.receive_datagram(datagram, path.now))
    received = [event.data for event in path.server.events[2:]]
    assert set(received) <= {bytes([number]) * 50 for number in range(5)}
    assert len(set(received)) == len(received)


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_arbitrary_datagrams(datagrams):
    server = make_server()
    for datagram in datagrams:
        run(server.receive_datagram(datagram, 0.0))
    run(server.handle_timeout(100.0))
