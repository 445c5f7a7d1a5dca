"""EKTKeys over DTLS (RFC 8870, Section 5), told as stories of a server and a native endpoint."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from perc.dtls import EktKeyAcknowledged, EktKeyReceived, HandshakeCompleted, transcript
from perc.dtls.ack import read_ack, write_ack
from perc.dtls.ekt_receipt import MAX_UNACKNOWLEDGED
from perc.dtls.flights import INITIAL_TIMEOUT, MAX_TIMEOUT, MIN_MTU
from perc.dtls.fragments import HandshakeMessage, HandshakeType, write_fragment, write_message
from perc.dtls.records import ContentType, read_records, write_record
from perc.dtls.transcript import MAX_MESSAGE_SEQ
from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.errors import (
    AlertDescription,
    AlertReceived,
    ApiMisuse,
    DecodeError,
    IllegalParameter,
    UnexpectedMessage,
)
from tests.driving import run
from tests.dtls.parties import AES_128, AES_256, make_client, make_server
from tests.dtls.path import Path

KW128, KW256 = EKTCipher.AESKW128, EKTCipher.AESKW256
FIRST = EktKey(b"first key of all", b"the salt...!", 1, 300)
SECOND = replace(FIRST, key=b"the second key!!", spi=2)
THIRD = replace(FIRST, key=b"and the third...", spi=3)
STRONG = replace(FIRST, key=bytes(32))


def new_path(lose=(), treat=list, **server) -> Path:
    key_log: list[str] = []
    client = make_client(profiles=(AES_128,), ekt_ciphers=(KW128, KW256))
    server = {"ekt_ciphers": (KW128, KW256), "key_log": key_log.append, **server}
    return Path(client, make_server(**server), lose=lose, treat=treat, key_log=key_log)


def connected(**server) -> Path:
    path = new_path(**server)
    path.settle()
    return path


def give(path: Path, *keys: EktKey) -> None:
    for key in keys:
        run(path.server.association.send_ekt_key(key, path.now))


def tell_client(path: Path, content_type: ContentType, plaintext: bytes) -> list:
    """A genuine protected record of the server."""
    datagram = path.insider.server.seal(content_type, plaintext)
    events = run(path.client.association.receive_datagram(datagram, path.now))
    path.client.events += events
    return events


def tell_server(path: Path, content_type: ContentType, plaintext: bytes) -> list:
    datagram = path.insider.client.seal(content_type, plaintext)
    events = run(path.server.association.receive_datagram(datagram, path.now))
    path.server.events += events
    return events


class TestNegotiation:
    def cipher(self, client: tuple, server: tuple, profile=AES_128) -> EKTCipher | None:
        path = Path(make_client(profiles=(profile,), ekt_ciphers=client), make_server(ekt_ciphers=server))
        path.settle()
        (ours,), (theirs,) = path.server.of(HandshakeCompleted), path.client.of(HandshakeCompleted)
        assert ours == theirs
        return ours.ekt_cipher

    def test_the_clients_preference_decides(self):
        assert self.cipher((KW256, KW128), (KW128, KW256)) is KW256
        assert self.cipher((KW128, KW256), (KW128, KW256)) is KW128

    def test_without_a_common_cipher_the_handshake_goes_on(self):
        assert self.cipher((KW256,), (KW128,)) is None
        assert self.cipher((), (KW128,)) is None
        assert self.cipher((KW128,), ()) is None

    def test_a_cipher_is_as_strong_as_what_it_protects(self):
        assert self.cipher((KW128, KW256), (KW128, KW256), AES_256) is KW256
        assert self.cipher((KW128,), (KW128,), AES_256) is None


class TestDelivery:
    def test_a_key_arrives_and_is_acknowledged(self):
        path = connected()
        give(path, FIRST)
        path.settle()
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(FIRST)]
        assert path.server.of(EktKeyAcknowledged) == [EktKeyAcknowledged(1)]
        assert path.server.association.next_timeout() is None

    def test_rekeys_follow(self):
        path = connected()
        for key in (FIRST, SECOND, THIRD):
            give(path, key)
            path.settle()
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(each) for each in (FIRST, SECOND, THIRD)]
        assert path.server.of(EktKeyAcknowledged) == [EktKeyAcknowledged(spi) for spi in (1, 2, 3)]

    def test_while_one_is_on_its_way_only_the_newest_waits(self):
        path = connected()
        give(path, FIRST, SECOND, THIRD)
        path.settle()
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(FIRST), EktKeyReceived(THIRD)]
        assert path.server.of(EktKeyAcknowledged) == [EktKeyAcknowledged(1), EktKeyAcknowledged(3)]

    @pytest.mark.parametrize("lose", [set(each) for n in (1, 2, 3) for each in combinations(range(4, 9), n)])
    def test_each_message_lost(self, lose):
        """Flights 0 to 3 are the handshake; then EKTKeys and ACKs take turns."""
        path = connected()
        path.lose = lose
        give(path, FIRST)
        path.run()
        give(path, SECOND)
        path.run()
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(FIRST), EktKeyReceived(SECOND)]
        assert path.server.of(EktKeyAcknowledged) == [EktKeyAcknowledged(1), EktKeyAcknowledged(2)]

    def test_it_is_repeated_with_back_off_until_it_is_acknowledged(self):
        path = connected()
        path.lose = range(1000)
        started = path.now
        give(path, FIRST)
        sent = []
        server = path.server.association
        while len(sent) < 4:
            assert server.datagrams_to_send()
            sent.append(path.now - started)
            path.now = server.next_timeout()
            run(server.handle_timeout(path.now))
        assert sent == pytest.approx([0, INITIAL_TIMEOUT, 3 * INITIAL_TIMEOUT, 7 * INITIAL_TIMEOUT])

    def test_a_client_that_never_acknowledges_is_asked_once_a_minute(self):
        path = connected()
        give(path, FIRST)
        server = path.server.association
        for _ in range(1100):
            path.now = server.next_timeout()
            run(server.handle_timeout(path.now))
            assert len(server.datagrams_to_send()) <= 2
        assert server.next_timeout() == path.now + MAX_TIMEOUT

    def test_an_alert_ends_the_repetitions(self):
        path = connected()
        give(path, FIRST)
        path.server.association.datagrams_to_send()
        tell_server(path, ContentType.ALERT, b"\x02\x2f")
        assert path.server.association.next_timeout() is None
        assert run(path.server.association.handle_timeout(path.now + 10)) == []
        assert not path.server.association.datagrams_to_send()

    def test_a_key_that_overtakes_finished(self):
        path = new_path()
        for sender, receiver in ((path.client, path.server), (path.server, path.client), (path.client, path.server)):
            path.carry(sender, receiver)
        give(path, FIRST)
        finished, key = path.server.association.datagrams_to_send()
        client = path.client.association
        assert run(client.receive_datagram(key, path.now)) == []
        kinds = [type(event) for event in run(client.receive_datagram(finished, path.now))]
        assert kinds[-2:] == [HandshakeCompleted, EktKeyReceived]
        path.settle()
        assert path.server.of(EktKeyAcknowledged) == [EktKeyAcknowledged(1)]

    def test_a_repetition_is_acknowledged_again_and_read_once(self):
        path = connected()
        give(path, FIRST)
        server, client = path.server.association, path.client.association
        for _ in range(2):
            (datagram,) = server.datagrams_to_send()
            path.client.events += run(client.receive_datagram(datagram, path.now))
            assert len(client.datagrams_to_send()) == 1
            path.now = server.next_timeout()
            run(server.handle_timeout(path.now))
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(FIRST)]

    def test_in_fragments_each_must_be_acknowledged(self):
        path = Path(
            make_client(profiles=(AES_128,), ekt_ciphers=(KW256,)), make_server(mtu=MIN_MTU, ekt_ciphers=(KW256,))
        )
        path.settle()
        give(path, STRONG)
        server, client = path.server.association, path.client.association
        first, second = server.datagrams_to_send()
        assert run(client.receive_datagram(first, path.now)) == []
        assert client.datagrams_to_send() == []
        assert run(client.receive_datagram(second, path.now)) == [EktKeyReceived(STRONG)]
        (ack,) = client.datagrams_to_send()
        assert run(server.receive_datagram(ack, path.now)) == [EktKeyAcknowledged(1)]

    def test_it_is_encrypted(self):
        path = connected()
        give(path, FIRST)
        (datagram,) = path.server.association.datagrams_to_send()
        (record,) = read_records(datagram)
        assert record.epoch == 1
        assert FIRST.key not in datagram

    def test_a_message_that_was_planted_in_clear_takes_no_ekt_keys_place(self):
        """Before Finished anybody can write a message with the number that the first EKTKey will have."""
        planted = write_message(HandshakeMessage(99, 6, b""))

        def plant(datagrams: list[bytes]) -> list[bytes]:
            # While the client's answer to the server's first flight is on its way, and then the server's Finished.
            if len(path.flights) in {3, 4}:
                assert not path.client.is_connected
                client = path.client.association
                run(client.receive_datagram(write_record(ContentType.HANDSHAKE, 77, planted), path.now))
                held.append(client.held_messages)
            return datagrams

        held: list[tuple[int, ...]] = []
        path = new_path(treat=plant)
        path.settle()
        assert held == [(0,), (0,)], "it was kept, as a message that may be due"
        assert path.client.association.held_messages == ()
        give(path, FIRST)
        path.settle()
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(FIRST)]
        assert path.server.of(EktKeyAcknowledged) == [EktKeyAcknowledged(1)]

    def test_when_there_is_no_number_left_for_a_message_none_is_sent(self, monkeypatch):
        assert MAX_MESSAGE_SEQ == 65535, "message_seq has 16 bits"
        monkeypatch.setattr(transcript, "MAX_MESSAGE_SEQ", 6)
        path = connected()
        give(path, FIRST)
        path.settle()
        give(path, SECOND)
        path.settle()
        assert path.client.of(EktKeyReceived) == [EktKeyReceived(FIRST)]
        assert path.server.association.next_timeout() is None


class TestAcks:
    def test_of_other_records_mean_nothing(self):
        path = connected()
        give(path, FIRST)
        assert tell_server(path, ContentType.ACK, write_ack([0, 77, 2**48])) == []
        assert path.server.association.next_timeout() is not None

    def test_when_nothing_is_on_its_way(self):
        path = connected()
        assert tell_server(path, ContentType.ACK, write_ack([0, 1])) == []

    @pytest.mark.parametrize("payload", [b"", b"\x00", b"\x00\x08" + bytes(8), b"\x00\x00\x00"])
    def test_malformed_ones_are_dropped(self, payload):
        path = connected()
        dropped = path.server.association.dropped_records
        assert tell_server(path, ContentType.ACK, payload) == []
        assert path.server.association.dropped_records == dropped + 1

    def test_of_the_client_are_for_protected_records_only(self):
        path = connected()
        forged = bytes.fromhex("1a fefd 0000 000000000063 0012 0010 0000000000000001 0000000000000001")
        give(path, FIRST)
        assert run(path.server.association.receive_datagram(forged, path.now)) == []
        assert path.server.association.next_timeout() is not None

    def test_before_the_handshake_is_done_are_dropped(self):
        server = make_server(ekt_ciphers=(KW128,))
        ack = bytes.fromhex("1a fefd 0000 000000000000 0002 0000")
        assert run(server.receive_datagram(ack, 0.0)) == []
        assert server.dropped_records == 1

    def test_a_client_ignores_them(self):
        path = connected()
        assert tell_client(path, ContentType.ACK, write_ack([1])) == []

    def test_of_more_records_than_an_ekt_key_has(self):
        """A server that never finishes a message makes its client remember little."""
        path = connected()
        message = HandshakeMessage(HandshakeType.EKT_KEY, 6, FIRST.write())
        client = path.client.association
        for _ in range(100):
            assert tell_client(path, ContentType.HANDSHAKE, write_fragment(message.fragment(0, 1))) == []
            assert client.datagrams_to_send() == []
        rest = message.fragment(1, len(message.body))
        assert tell_client(path, ContentType.HANDSHAKE, write_fragment(rest)) == [EktKeyReceived(FIRST)]
        (datagram,) = client.datagrams_to_send()
        (record,) = read_records(datagram)
        assert record.content_type is ContentType.ACK
        assert len(read_ack(path.insider.client.open(record))) == MAX_UNACKNOWLEDGED


class TestRefusals:
    def expect_alert(self, path: Path, events: list, error: type, alert: AlertDescription) -> None:
        (failed,) = events
        assert isinstance(failed.error, error)
        assert failed.error.alert is alert
        path.settle()
        ours = path.client.error, path.server.error
        assert sum(isinstance(each, AlertReceived) and each.alert is alert for each in ours) == 1

    def ekt_key(self, body: bytes, message_seq: int = 6) -> bytes:
        return write_message(HandshakeMessage(HandshakeType.EKT_KEY, message_seq, body))

    def test_a_server_sends_none_that_was_not_negotiated(self):
        for path in (connected(ekt_ciphers=()), connected(ekt_ciphers=(KW256,))):
            with pytest.raises(ApiMisuse):
                give(path, FIRST)

    def test_a_server_sends_none_outside_an_association(self):
        path = new_path()
        with pytest.raises(ApiMisuse):
            give(path, FIRST)
        path.settle()
        run(path.server.association.close())
        with pytest.raises(ApiMisuse):
            give(path, FIRST)

    def test_a_client_refuses_one_that_was_not_negotiated(self):
        path = connected(ekt_ciphers=())
        events = tell_client(path, ContentType.HANDSHAKE, self.ekt_key(FIRST.write()))
        self.expect_alert(path, events, UnexpectedMessage, AlertDescription.UNEXPECTED_MESSAGE)

    def test_a_server_refuses_one_from_its_client(self):
        path = connected()
        events = tell_server(path, ContentType.HANDSHAKE, self.ekt_key(FIRST.write(), message_seq=5))
        self.expect_alert(path, events, UnexpectedMessage, AlertDescription.UNEXPECTED_MESSAGE)

    def test_a_client_refuses_a_key_of_another_cipher(self):
        path = connected()
        events = tell_client(path, ContentType.HANDSHAKE, self.ekt_key(STRONG.write()))
        self.expect_alert(path, events, IllegalParameter, AlertDescription.ILLEGAL_PARAMETER)

    @pytest.mark.parametrize("body", [b"", FIRST.write()[:-1], FIRST.write() + b"\x00"])
    def test_a_client_refuses_a_malformed_one(self, body):
        path = connected()
        events = tell_client(path, ContentType.HANDSHAKE, self.ekt_key(body))
        self.expect_alert(path, events, DecodeError, AlertDescription.DECODE_ERROR)

    def test_one_in_clear_is_dropped(self):
        path = connected()
        key = self.ekt_key(FIRST.write())
        forged = bytes.fromhex("16 fefd 0000 000000000063") + len(key).to_bytes(2, "big") + key
        assert run(path.client.association.receive_datagram(forged, path.now)) == []
        half_way = new_path()
        assert run(half_way.client.association.receive_datagram(forged, half_way.now)) == []
        half_way.settle()
        assert half_way.client.is_connected
