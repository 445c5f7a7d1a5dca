"""The association under attack and in its odd moments: alerts, replay, forged and misplaced messages, timers."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

import pytest

from perc.dtls import ApplicationDataReceived, AssociationClosed, AssociationFailed, HandshakeCompleted
from perc.dtls.association import ALERT_GRACE, HANDSHAKE_DEADLINE
from perc.dtls.fragments import HandshakeMessage, HandshakeType, read_fragments, write_message
from perc.dtls.records import DTLS_1_2, ContentType, Record, read_records
from perc.errors import (
    AlertDescription,
    AlertReceived,
    ApiMisuse,
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    UnexpectedMessage,
)
from tests.driving import run
from tests.dtls.parties import AES_128, AES_256, KEY_DISTRIBUTOR, make_client, make_server
from tests.dtls.path import Path
from tests.dtls.wire import write_record

FATAL_ALERT = write_record(Record(ContentType.ALERT, DTLS_1_2, 0, 0, b"\x02\x28"))
CLOSE_NOTIFY = write_record(Record(ContentType.ALERT, DTLS_1_2, 0, 0, b"\x01\x00"))


def clear(message: HandshakeMessage, sequence_number: int = 50) -> bytes:
    return write_record(Record(ContentType.HANDSHAKE, DTLS_1_2, 0, sequence_number, write_message(message)))


def new_path(lose: Container[int] = ()) -> Path:
    key_log: list[str] = []
    return Path(make_client(), make_server(key_log=key_log.append), lose=lose, key_log=key_log)


def connected_path() -> Path:
    path = new_path()
    path.settle()
    assert path.server.is_connected
    return path


def half_way() -> Path:
    """The server has sent its first flight; the client's answer has not been carried yet."""
    path = new_path()
    path.carry(path.client, path.server)
    path.carry(path.server, path.client)
    return path


def clear_messages_of_the_client(path: Path) -> list[HandshakeMessage]:
    """What the client answers to the server's first flight, up to ChangeCipherSpec."""
    (datagram,) = path.client.association.datagrams_to_send()
    fragments = read_fragments(read_records(datagram)[0].fragment)
    return [HandshakeMessage(each.msg_type, each.message_seq, each.content) for each in fragments]


def tell(path: Path, datagram: bytes, now: float | None = None) -> list:
    events = run(path.server.association.receive_datagram(datagram, path.now if now is None else now))
    path.server.events += events
    return events


def seal(path: Path, content_type: ContentType, plaintext: bytes) -> bytes:
    """A genuine protected record of the client."""
    return path.insider.client.seal(content_type, plaintext)


class TestAlertsInClear:
    """Anybody can forge them."""

    @pytest.mark.parametrize("alert", [FATAL_ALERT, CLOSE_NOTIFY])
    @pytest.mark.parametrize("moment", range(3))
    def test_a_forged_one_changes_nothing_if_the_handshake_goes_on(self, alert, moment):
        path = Path(make_client(), make_server())
        for turn in range(4):
            if turn == moment:
                tell(path, alert)
                run(path.client.association.receive_datagram(alert, path.now))
            path.carry(*((path.client, path.server), (path.server, path.client))[turn % 2])
        assert path.server.is_connected
        assert path.client.is_connected
        path.run()
        assert not path.server.has_ended
        assert not path.client.has_ended

    def test_one_after_which_nothing_comes_is_believed(self):
        path = half_way()
        tell(path, FATAL_ALERT)
        association = path.server.association
        # The flight is still repeated meanwhile.
        while association.next_timeout() < path.now + ALERT_GRACE:
            assert run(association.handle_timeout(association.next_timeout())) == []
        assert association.datagrams_to_send()
        (failed,) = run(association.handle_timeout(path.now + ALERT_GRACE))
        assert isinstance(failed.error, AlertReceived)
        assert failed.error.alert is AlertDescription.HANDSHAKE_FAILURE
        assert not association.datagrams_to_send()  # nobody answers an alert
        assert association.next_timeout() is None

    def test_more_of_them_do_not_shorten_or_lengthen_the_wait(self):
        path = half_way()
        tell(path, FATAL_ALERT)
        tell(path, FATAL_ALERT, path.now + ALERT_GRACE / 2)
        assert isinstance(run(path.server.association.handle_timeout(path.now + ALERT_GRACE))[0], AssociationFailed)

    def test_after_the_handshake_they_are_dropped(self):
        path = connected_path()
        dropped = path.server.association.dropped_records
        assert tell(path, FATAL_ALERT) == []
        assert path.server.association.dropped_records == dropped + 1
        assert path.server.association.next_timeout() is None

    def test_warnings_and_nonsense_mean_nothing(self):
        path = half_way()
        for payload in (b"\x01\x5a", b"\x02", b"\x07\x00", b""):
            tell(path, write_record(Record(ContentType.ALERT, DTLS_1_2, 0, 0, payload)))
        path.settle()
        assert path.server.is_connected


class TestProtectedAlerts:
    def test_a_fatal_one_ends_the_association_at_once(self):
        path = connected_path()
        (failed,) = tell(path, seal(path, ContentType.ALERT, b"\x02\x31"))
        assert failed.error.alert is AlertDescription.ACCESS_DENIED
        assert not path.server.association.datagrams_to_send()

    def test_close_notify_is_answered_once(self):
        path = connected_path()
        notify = seal(path, ContentType.ALERT, b"\x01\x00")
        assert tell(path, notify) == [AssociationClosed()]
        assert len(path.server.association.datagrams_to_send()) == 1
        assert tell(path, notify) == []

    def test_nothing_behind_close_notify_is_read(self):
        path = connected_path()
        datagram = seal(path, ContentType.ALERT, b"\x01\x00") + seal(path, ContentType.APPLICATION_DATA, b"late")
        assert tell(path, datagram) == [AssociationClosed()]


class TestRecords:
    def test_replayed_data_is_dropped(self):
        path = connected_path()
        datagram = seal(path, ContentType.APPLICATION_DATA, b"once")
        assert tell(path, datagram) == [ApplicationDataReceived(b"once")]
        assert tell(path, datagram) == []

    def test_tampered_data_is_dropped_and_the_association_goes_on(self):
        path = connected_path()
        datagram = seal(path, ContentType.APPLICATION_DATA, b"data")
        assert tell(path, datagram[:-1] + bytes([datagram[-1] ^ 1])) == []
        assert tell(path, datagram) == [ApplicationDataReceived(b"data")]

    def test_data_in_clear_is_dropped(self):
        forged = write_record(Record(ContentType.APPLICATION_DATA, DTLS_1_2, 0, 9, b"forged"))
        for path in (half_way(), connected_path()):
            assert tell(path, forged) == []

    def test_a_bad_record_in_front_of_a_good_one(self):
        path = connected_path()
        bad = bytearray(seal(path, ContentType.APPLICATION_DATA, b"bad"))
        bad[20] ^= 1
        assert tell(path, bytes(bad) + seal(path, ContentType.APPLICATION_DATA, b"good")) == [
            ApplicationDataReceived(b"good")
        ]

    def test_finished_may_overtake_what_comes_before_it(self):
        path = half_way()
        (datagram,) = path.client.association.datagrams_to_send()
        for record in reversed(read_records(datagram)):
            tell(path, write_record(record))
        assert path.server.is_connected

    def test_a_lost_change_cipher_spec_is_not_missed(self):
        path = half_way()
        (datagram,) = path.client.association.datagrams_to_send()
        for record in read_records(datagram):
            if record.content_type is not ContentType.CHANGE_CIPHER_SPEC:
                tell(path, write_record(record))
        assert path.server.is_connected


class TestMessages:
    def test_a_finished_in_clear_is_no_finished(self):
        path = half_way()
        tell(path, clear(HandshakeMessage(HandshakeType.FINISHED, 1, bytes(12))))
        path.settle()
        assert path.server.is_connected

    def test_a_wrong_finished(self):
        path = half_way()
        finished = HandshakeMessage(HandshakeType.FINISHED, 4, bytes(12))
        (datagram,) = path.client.association.datagrams_to_send()
        *before, _ = read_records(datagram)
        assert tell(path, b"".join(map(write_record, before))) == []
        tell(path, seal(path, ContentType.HANDSHAKE, write_message(finished)))
        assert isinstance(path.server.error, DecryptError)
        assert path.server.error.alert is AlertDescription.DECRYPT_ERROR

    def test_a_wrong_finished_of_the_server(self):
        path = half_way()
        path.carry(path.client, path.server)
        path.server.association.datagrams_to_send()
        finished = HandshakeMessage(HandshakeType.FINISHED, 5, bytes(12))
        forged = path.insider.server.seal(ContentType.HANDSHAKE, write_message(finished))
        (failed,) = run(path.client.association.receive_datagram(forged, path.now))
        assert failed.error.alert is AlertDescription.DECRYPT_ERROR

    @pytest.mark.parametrize("msg_type", [HandshakeType.CLIENT_HELLO, HandshakeType.CERTIFICATE_VERIFY, 99])
    def test_a_message_out_of_order(self, msg_type):
        path = half_way()
        tell(path, clear(HandshakeMessage(msg_type, 1, b"")))
        assert isinstance(path.server.error, UnexpectedMessage)

    def test_the_first_message_must_be_client_hello(self):
        server = make_server()
        (failed,) = run(server.receive_datagram(clear(HandshakeMessage(HandshakeType.CERTIFICATE, 0, b"")), 0.0))
        assert failed.error.alert is AlertDescription.UNEXPECTED_MESSAGE
        assert [read_records(datagram)[0].fragment for datagram in server.datagrams_to_send()] == [b"\x02\x0a"]

    def test_a_malformed_message(self):
        path = half_way()
        tell(path, clear(HandshakeMessage(HandshakeType.CERTIFICATE, 1, b"\x00\x00\x01")))
        assert isinstance(path.server.error, DecodeError)

    def test_trailing_octets_in_a_message(self):
        path = half_way()
        tell(path, clear(HandshakeMessage(HandshakeType.CERTIFICATE, 1, bytes(4))))
        assert isinstance(path.server.error, DecodeError)

    def test_a_message_that_is_too_large(self):
        server = make_server()
        fragment = bytes.fromhex("01 100000 0000 000000 000001 00")
        datagram = write_record(Record(ContentType.HANDSHAKE, DTLS_1_2, 0, 0, fragment))
        (failed,) = run(server.receive_datagram(datagram, 0.0))
        assert isinstance(failed.error, IllegalParameter)

    def test_an_invalid_ecdh_key(self):
        path = half_way()
        certificate, key_exchange, _ = clear_messages_of_the_client(path)
        tell(path, clear(certificate))
        tell(path, clear(replace(key_exchange, body=key_exchange.body[:1] + bytes(32))))
        assert path.server.error.alert is AlertDescription.ILLEGAL_PARAMETER

    def test_a_signature_scheme_that_was_not_asked_for(self):
        path = half_way()
        *before, verify = clear_messages_of_the_client(path)
        rsa = replace(verify, body=bytes.fromhex("0401") + verify.body[2:])
        tell(path, b"".join(map(clear, [*before, rsa])))
        assert path.server.error.alert is AlertDescription.ILLEGAL_PARAMETER

    def test_a_forged_signature(self):
        path = half_way()
        *before, verify = clear_messages_of_the_client(path)
        forged = replace(verify, body=verify.body[:-1] + bytes([verify.body[-1] ^ 1]))
        tell(path, b"".join(map(clear, [*before, forged])))
        assert path.server.error.alert is AlertDescription.DECRYPT_ERROR

    def test_an_altered_client_hello_is_found_out(self):
        """The transcript covers it: here an attacker takes the stronger profile away."""

        def weaken(flight):
            return [
                datagram.replace(bytes.fromhex("0004 0008 0007"), bytes.fromhex("0004 0007 0007"))
                for datagram in flight
            ]

        both = (AES_256, AES_128)
        path = Path(make_client(profiles=both), make_server(profiles=both), treat=weaken)
        path.run()
        assert not path.client.is_connected
        assert isinstance(path.server.error, DecryptError)


class TestRenegotiation:
    def test_is_refused_and_the_association_goes_on(self):
        path = connected_path()
        hello = HandshakeMessage(HandshakeType.CLIENT_HELLO, 5, b"again")
        assert tell(path, seal(path, ContentType.HANDSHAKE, write_message(hello))) == []
        (datagram,) = path.server.association.datagrams_to_send()
        assert path.insider.server.open(read_records(datagram)[0]) == b"\x01\x64"
        run(path.client.association.send(b"still here"))
        path.settle()
        assert path.server.events[-1] == ApplicationDataReceived(b"still here")

    def test_in_clear_it_is_not_even_refused(self):
        path = connected_path()
        tell(path, clear(HandshakeMessage(HandshakeType.CLIENT_HELLO, 5, b"again")))
        assert not path.server.association.datagrams_to_send()


class TestRepetitions:
    def test_the_clients_repetition_brings_finished_again_until_data_proves_that_it_came(self):
        path = new_path(lose={3})
        path.settle()
        server, client = path.server.association, path.client.association
        *_, finished_of_client = read_records(path.flights[2][-1])

        def repeat_finished() -> list[bytes]:
            again = path.insider.client.open(finished_of_client)
            path.now += 10
            assert tell(path, seal(path, ContentType.HANDSHAKE, again)) == []
            return server.datagrams_to_send()

        path.now = client.next_timeout()
        run(client.handle_timeout(path.now))
        repeated = client.datagrams_to_send()
        for datagram in repeated:
            tell(path, datagram)
        (finished,) = server.datagrams_to_send()
        path.client.events += run(client.receive_datagram(finished, path.now))
        assert path.client.is_connected
        assert len(repeat_finished()) == 1
        run(client.send(b"data"))
        for datagram in client.datagrams_to_send():
            tell(path, datagram)
        assert repeat_finished() == []

    def test_replaying_the_clients_last_flight_brings_nothing(self):
        path = connected_path()
        for datagram in path.flights[2]:
            assert tell(path, datagram, path.now + 10) == []
        assert not path.server.association.datagrams_to_send()


class TestTimeAndMisuse:
    def test_a_handshake_that_never_comes_to_an_end(self):
        server = make_server()
        assert server.next_timeout() is None
        run(server.receive_datagram(b"\x16\xfe", 5.0))
        assert server.next_timeout() == 5.0 + HANDSHAKE_DEADLINE
        assert run(server.handle_timeout(6.0)) == []
        (failed,) = run(server.handle_timeout(5.0 + HANDSHAKE_DEADLINE))
        assert isinstance(failed.error, HandshakeFailure)
        assert run(server.handle_timeout(100.0)) == []
        assert run(server.receive_datagram(FATAL_ALERT, 100.0)) == []

    def test_nothing_is_due_once_connected(self):
        path = connected_path()
        assert path.server.association.next_timeout() is None
        assert path.client.association.next_timeout() is None

    def test_data_before_the_handshake_or_after_the_end(self):
        with pytest.raises(ApiMisuse):
            run(make_server().send(b"early"))
        path = connected_path()
        run(path.server.association.close())
        with pytest.raises(ApiMisuse):
            run(path.server.association.send(b"late"))

    def test_closing_twice_says_it_once(self):
        path = connected_path()
        run(path.server.association.close())
        run(path.server.association.close())
        assert len(path.server.association.datagrams_to_send()) == 1

    def test_a_client_starts_once_and_is_silent_before(self):
        client = make_client()
        assert run(client.receive_datagram(FATAL_ALERT, 0.0)) == []
        assert client.next_timeout() is None
        run(client.start(0.0))
        with pytest.raises(ApiMisuse):
            run(client.start(1.0))

    def test_an_mtu_that_nothing_fits(self):
        with pytest.raises(ApiMisuse):
            make_server(mtu=50)

    def test_the_smallest_mtu(self):
        path = Path(make_client(mtu=81), make_server(mtu=81))
        path.settle()
        (completed,) = path.client.of(HandshakeCompleted)
        assert completed.server_certificate == KEY_DISTRIBUTOR.certificate
