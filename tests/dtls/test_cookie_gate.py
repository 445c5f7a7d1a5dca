"""The gate: nothing is kept of a client until it has brought its cookie back; the cookie is good for little else."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.dtls import CookieGate
from perc.dtls.cookie_gate import SECRET_LIFETIME, Admitted, Challenged
from perc.dtls.fragments import (
    Fragment,
    HandshakeMessage,
    HandshakeType,
    read_fragments,
    write_fragment,
    write_message,
)
from perc.dtls.hello import ClientHello, read_hello_verify_request, write_client_hello
from perc.dtls.numbers import Numbers
from perc.dtls.offer import write_offer
from perc.dtls.records import DTLS_1_2, MAX_SEQUENCE_NUMBER, ContentType, Record, read_records
from tests.driving import run
from tests.dtls.listener import ADDRESS, Listener
from tests.dtls.parties import AES_128, ENDPOINT, KEY_DISTRIBUTOR, Expect, make_client, make_server
from tests.dtls.path import Path
from tests.dtls.wire import write_record

OTHER_ADDRESS = b"\xc6\x33\x64\x01\x12\x34"
HELLO = ClientHello(bytes(range(32)), (0xC02B, 0x00FF), write_offer((AES_128,), (), None))
FLIGHTS = 6


def make_gate() -> CookieGate:
    counter = itertools.count()
    return CookieGate(lambda length: bytes([next(counter)]) * length)


def datagram(hello: ClientHello, number: int = 0, message_seq: int = 0) -> bytes:
    message = HandshakeMessage(HandshakeType.CLIENT_HELLO, message_seq, write_client_hello(hello))
    return clear(write_message(message), number)


def clear(payload: bytes, number: int = 0, content_type: ContentType = ContentType.HANDSHAKE) -> bytes:
    return write_record(Record(content_type, DTLS_1_2, 0, number, payload))


def cookie_of(answer: Challenged | Admitted | None) -> bytes:
    assert isinstance(answer, Challenged)
    (record,) = read_records(answer.datagram)
    (fragment,) = read_fragments(record.fragment)
    return read_hello_verify_request(fragment.content).cookie


def with_cookie(gate: CookieGate, hello: ClientHello = HELLO) -> ClientHello:
    return replace(hello, cookie=cookie_of(gate.receive(datagram(hello), ADDRESS, 0.0)))


class TestExchange:
    def test_costs_one_round_trip_and_both_ends_agree(self):
        listener = Listener()
        path = Path(make_client(Expect(KEY_DISTRIBUTOR.fingerprint)), listener)
        path.settle()
        assert path.client.is_connected
        assert path.client.keys == path.server.keys
        assert len(path.flights) == FLIGHTS

    def test_nothing_is_kept_before_the_cookie_comes_back(self):
        listener = Listener()
        for _ in range(3):
            client = make_client()
            run(client.start(0.0))
            for each in client.datagrams_to_send():
                run(listener.receive_datagram(each, 0.0))
        assert listener.association is None
        assert listener.next_timeout() is None

    def test_the_answer_is_shorter_than_the_question(self):
        for hello in (HELLO, replace(HELLO, extensions={}, cipher_suites=(0xC02B,))):
            question = datagram(hello)
            answer = make_gate().receive(question, ADDRESS, 0.0)
            assert isinstance(answer, Challenged)
            assert len(answer.datagram) < len(question)

    @pytest.mark.parametrize("lost", range(FLIGHTS))
    def test_survives_the_loss_of_any_flight(self, lost):
        path = Path(make_client(), Listener(), lose={lost})
        path.run()
        assert path.client.is_connected
        assert path.server.is_connected

    @pytest.mark.parametrize("lost", range(14))
    def test_survives_the_loss_of_any_datagram_of_a_fragmented_hello(self, lost):
        seen = 0

        def lose_one(datagrams):
            nonlocal seen
            first, seen = seen, seen + len(datagrams)
            return [each for number, each in enumerate(datagrams, first) if number != lost]

        listener = Listener(lambda numbers: make_server(Expect(ENDPOINT.fingerprint), mtu=130, numbers=numbers))
        path = Path(make_client(mtu=130), listener, treat=lose_one)
        path.run()
        assert path.client.is_connected
        assert path.server.is_connected


class TestNumbers:
    def test_an_answer_has_the_numbers_of_the_question(self):
        """RFC 6347, Section 4.2.1"""
        answer = make_gate().receive(datagram(HELLO, number=5, message_seq=2), ADDRESS, 0.0)
        (record,) = read_records(answer.datagram)
        (fragment,) = read_fragments(record.fragment)
        assert (record.epoch, record.sequence_number, fragment.message_seq) == (0, 5, 2)

    def test_the_association_goes_on_from_them(self):
        gate = make_gate()
        hello = datagram(with_cookie(gate), number=7, message_seq=1)
        admitted = gate.receive(hello, ADDRESS, 1.0)
        assert admitted == Admitted(Numbers(message_seq=1, sequence_number=7))
        server = make_server(numbers=admitted.numbers)
        run(server.receive_datagram(hello, 1.0))
        record = read_records(server.datagrams_to_send()[0])[0]
        first = read_fragments(record.fragment)[0]
        assert (first.msg_type, first.message_seq, record.sequence_number) == (HandshakeType.SERVER_HELLO, 1, 7)

    def test_a_number_that_leaves_none_for_the_association(self):
        assert make_gate().receive(datagram(HELLO, number=MAX_SEQUENCE_NUMBER), ADDRESS, 0.0) is None
        assert make_gate().receive(datagram(HELLO, message_seq=65535), ADDRESS, 0.0) is None


class TestCookies:
    @pytest.mark.parametrize(
        "changed",
        [
            {"random": bytes(32)},
            {"session_id": b"another"},
            {"cipher_suites": (0xC02B,)},
            {"compression_methods": b"\x01\x00"},
            {"version": 0xFEFC},
            {"cookie": b""},
            {"cookie": bytes(32)},
        ],
    )
    def test_belong_to_what_the_client_said(self, changed):
        gate = make_gate()
        assert isinstance(gate.receive(datagram(with_cookie(gate)), ADDRESS, 0.0), Admitted)
        assert isinstance(gate.receive(datagram(replace(with_cookie(gate), **changed)), ADDRESS, 0.0), Challenged)

    def test_belong_to_an_address(self):
        gate = make_gate()
        assert isinstance(gate.receive(datagram(with_cookie(gate)), OTHER_ADDRESS, 0.0), Challenged)

    def test_do_not_cover_the_extensions(self):
        """A gate that judges the first fragment does not see them all; the transcript covers them later."""
        gate = make_gate()
        hello = replace(with_cookie(gate), extensions={})
        assert isinstance(gate.receive(datagram(hello), ADDRESS, 0.0), Admitted)

    def test_do_not_last(self):
        gate = make_gate()
        hello = with_cookie(gate)
        for now in (SECRET_LIFETIME - 1, 2 * SECRET_LIFETIME - 2):
            assert isinstance(gate.receive(datagram(hello), ADDRESS, now), Admitted)
        assert isinstance(gate.receive(datagram(hello), ADDRESS, 3 * SECRET_LIFETIME), Challenged)

    def test_do_not_outlast_a_quiet_time(self):
        gate = make_gate()
        hello = with_cookie(gate)
        assert isinstance(gate.receive(datagram(hello), ADDRESS, 10 * SECRET_LIFETIME), Challenged)


class TestSilence:
    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"\x16",
            clear(b""),
            clear(b"\x02\x28", content_type=ContentType.ALERT),
            clear(write_message(HandshakeMessage(HandshakeType.FINISHED, 0, bytes(12)))),
            write_record(Record(ContentType.HANDSHAKE, DTLS_1_2, 1, 0, read_records(datagram(HELLO))[0].fragment)),
            clear(write_fragment(Fragment(HandshakeType.CLIENT_HELLO, 1000, 0, 1, write_client_hello(HELLO)))),
            clear(write_fragment(Fragment(HandshakeType.CLIENT_HELLO, 5000, 0, 0, write_client_hello(HELLO)))),
            datagram(HELLO)[:60],
        ],
    )
    def test_for_what_is_no_client_hello(self, octets):
        assert make_gate().receive(octets, ADDRESS, 0.0) is None

    def test_for_a_fragment_that_is_not_the_first(self):
        gate = make_gate()
        message = HandshakeMessage(HandshakeType.CLIENT_HELLO, 0, write_client_hello(with_cookie(gate)))
        first, second = message.fragment(0, 100), message.fragment(100, 1000)
        assert gate.receive(clear(write_fragment(second)), ADDRESS, 0.0) is None
        assert isinstance(gate.receive(clear(write_fragment(first)), ADDRESS, 0.0), Admitted)

    @given(st.binary(max_size=300))
    def test_and_nobody_is_admitted_without_a_cookie(self, octets):
        gate = make_gate()
        for each in (octets, clear(octets), clear(write_message(HandshakeMessage(1, 0, octets)))):
            assert not isinstance(gate.receive(each, ADDRESS, 0.0), Admitted)
