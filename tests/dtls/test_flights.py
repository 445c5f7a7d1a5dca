"""Flights: packing into datagrams, and when they are repeated."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perc.dtls.flights import (
    INITIAL_TIMEOUT,
    MAX_TIMEOUT,
    MAX_TRANSMISSIONS,
    MIN_INTERVAL,
    MIN_MTU,
    SMALL_MTU,
    Flight,
    Retransmission,
)
from perc.dtls.fragments import HandshakeMessage, Reassembler, read_fragments
from perc.dtls.records import ContentType

bodies = st.lists(st.binary(max_size=600), max_size=5)


def sizes(datagrams):
    return [sum(record.wire_length for record in datagram) for datagram in datagrams]


@given(bodies, bodies, st.integers(MIN_MTU, 1500))
def test_every_octet_is_sent_once_and_no_datagram_is_larger_than_the_mtu(clear, protected, mtu):
    messages = [HandshakeMessage(11, number, body) for number, body in enumerate(clear + protected)]
    flight = Flight(tuple(messages[: len(clear)]), tuple(messages[len(clear) :]))
    datagrams = flight.datagrams(mtu)
    assert max(sizes(datagrams)) <= mtu
    reassembler = Reassembler()
    received = []
    for record in (record for datagram in datagrams for record in datagram):
        if record.content_type is ContentType.CHANGE_CIPHER_SPEC:
            assert len(received) == len(clear)
            assert protected
            continue
        assert record.epoch == int(len(received) >= len(clear))
        for fragment in read_fragments(record.payload):
            reassembler.receive(record.epoch, fragment)
        while (message := reassembler.next_message()) is not None:
            received.append(message)
    assert received == messages


def test_a_flight_fills_its_datagrams():
    flight = Flight(tuple(HandshakeMessage(11, number, bytes(500)) for number in range(4)))
    assert sizes(flight.datagrams(1200)) == [
        1200,
        886,
    ]  # 4 × 500 + five fragment headers of 12 + two record headers of 13


def test_the_timer_doubles_and_falls_back_to_small_datagrams():
    retransmission = Retransmission()
    retransmission.begin(Flight((HandshakeMessage(1, 0, bytes(1000)),)))
    now, timeouts, largest = 0.0, [], []
    for _ in range(10):
        largest.append(max(sizes(retransmission.transmit(1200, now))))
        timeouts.append(retransmission.due - now)
        assert not retransmission.expired(now)
        now = retransmission.due
        assert retransmission.expired(now)
    assert [round(timeout / INITIAL_TIMEOUT) for timeout in timeouts[:7]] == [1, 2, 4, 8, 16, 32, 64]
    assert timeouts[-1] == MAX_TIMEOUT
    assert largest[:2] == [1025, 1025]
    assert set(largest[2:]) == {SMALL_MTU}


def test_the_peers_repetitions_are_answered_but_not_without_end():
    retransmission = Retransmission()
    assert not retransmission.may_answer_repetition(0.0)
    retransmission.begin(Flight((HandshakeMessage(1, 0, b""),), expects_answer=False))
    now, answered = 0.0, 0
    assert retransmission.transmit(1200, now)
    assert retransmission.due is None
    assert not retransmission.may_answer_repetition(now + MIN_INTERVAL / 2)
    while retransmission.may_answer_repetition(now := now + 2 * MIN_INTERVAL):
        retransmission.transmit(1200, now)
        answered += 1
    assert answered == MAX_TRANSMISSIONS - 1


def test_completion_keeps_only_a_flight_that_nobody_confirms():
    for expects_answer in (True, False):
        retransmission = Retransmission()
        retransmission.begin(Flight((HandshakeMessage(1, 0, b""),), expects_answer=expects_answer))
        retransmission.transmit(1200, 0.0)
        retransmission.complete()
        assert retransmission.due is None
        assert bool(retransmission.transmit(1200, 1.0)) is not expects_answer
