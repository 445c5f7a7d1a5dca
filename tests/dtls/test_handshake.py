"""Handshakes of our client with our server, told as stories."""

from __future__ import annotations

from itertools import combinations, count
from random import Random

import pytest

from perc.dtls import ApplicationDataReceived, AssociationClosed, HandshakeCompleted, SrtpKeysExported
from perc.errors import AlertDescription, AlertReceived, CertificateError, HandshakeFailure, IllegalParameter
from tests.driving import run
from tests.dtls.parties import (
    AES_128,
    AES_256,
    DOUBLE_128,
    DOUBLE_256,
    ENDPOINT,
    KEY_DISTRIBUTOR,
    STRANGER,
    Expect,
    make_client,
    make_server,
)
from tests.dtls.path import Path

FLIGHTS = 4


def expect_connected(path: Path) -> None:
    assert path.client.is_connected
    assert path.server.is_connected
    assert path.client.keys == path.server.keys


def test_both_ends_learn_the_same():
    path = Path(make_client(Expect(KEY_DISTRIBUTOR.fingerprint)), make_server(Expect(ENDPOINT.fingerprint)))
    path.settle()
    expect_connected(path)
    assert len(path.flights) == FLIGHTS
    completed = HandshakeCompleted(ENDPOINT.certificate, KEY_DISTRIBUTOR.certificate, AES_128, None)
    assert path.server.events == [path.server.keys, completed]
    assert path.client.events == [path.client.keys, completed]


def test_keys_are_exported_before_the_servers_finished_is_sent():
    path = Path(make_client(), make_server())
    client, server = path.client.association, path.server.association
    for sender, receiver in ((client, server), (server, client)):
        for datagram in sender.datagrams_to_send():
            run(receiver.receive_datagram(datagram, 0.0))
    events = [event for datagram in client.datagrams_to_send() for event in run(server.receive_datagram(datagram, 0.0))]
    assert isinstance(events[0], SrtpKeysExported)
    assert server.datagrams_to_send()  # only now, after the events, is there something to send


def test_application_data_both_ways():
    path = Path(make_client(), make_server())
    path.settle()
    run(path.client.association.send(b"INIT"))
    run(path.server.association.send(b"INIT ACK"))
    path.settle()
    assert path.server.of(ApplicationDataReceived) == [ApplicationDataReceived(b"INIT")]
    assert path.client.of(ApplicationDataReceived) == [ApplicationDataReceived(b"INIT ACK")]


@pytest.mark.parametrize("profile", [AES_128, AES_256, DOUBLE_128, DOUBLE_256])
def test_exported_keys_have_the_lengths_of_their_profile(profile):
    path = Path(make_client(profiles=(profile,)), make_server(profiles=(profile,)))
    path.settle()
    keys = path.server.keys
    assert len({keys.client_write_key, keys.server_write_key}) == 2
    assert {len(keys.client_write_key), len(keys.server_write_key)} == {profile.key_length}
    assert {len(keys.client_write_salt), len(keys.server_write_salt)} == {profile.salt_length}


def test_the_servers_preference_decides_the_profile():
    path = Path(make_client(profiles=(AES_128, DOUBLE_128)), make_server(profiles=(DOUBLE_128, AES_128)))
    path.settle()
    assert path.server.keys.profile is DOUBLE_128


def test_c_webrtc_is_preferred_to_webrtc():
    path = Path(make_client(protocols=(b"webrtc", b"c-webrtc")), make_server())
    path.settle()
    (completed,) = path.client.of(HandshakeCompleted)
    assert completed.application_protocol == b"c-webrtc"


OFFERS_TLS_ID, ANSWERS_TLS_ID = b"a tls-id of an offer", b"a tls-id of an answer"


@pytest.mark.parametrize(
    ("clients", "servers", "told"),
    [
        (OFFERS_TLS_ID, ANSWERS_TLS_ID, [OFFERS_TLS_ID, ANSWERS_TLS_ID]),
        (OFFERS_TLS_ID, None, [OFFERS_TLS_ID, None]),
        (None, ANSWERS_TLS_ID, [None, None]),  # which a client did not ask for, it is not told
    ],
)
def test_each_tls_id_is_there_when_the_certificate_is_verified(clients, servers, told):
    """RFC 9185, Sections 5.1 and 5.4: each side compares it with the other's SDP."""
    seen = []
    server = make_server(lambda _: seen.append(server.external_session_id), external_session_id=servers)
    client = make_client(lambda _: seen.append(client.external_session_id), external_session_id=clients)
    path = Path(client, server)
    path.settle()
    expect_connected(path)
    assert seen == [told[1], told[0]]


class TestRefusals:
    """Both ends learn why; neither exports a key."""

    def expect_failure(self, path: Path, error: type, alert: AlertDescription) -> None:
        path.run()
        ours, theirs = path.server.error, path.client.error
        if isinstance(ours, AlertReceived):
            ours, theirs = theirs, ours
        assert isinstance(ours, error)
        assert isinstance(theirs, AlertReceived)
        assert ours.alert is theirs.alert is alert
        assert not path.client.of(SrtpKeysExported)
        assert not path.server.of(SrtpKeysExported)

    def test_a_client_whose_fingerprint_was_not_signalled(self):
        path = Path(make_client(), make_server(Expect(STRANGER.fingerprint)))
        self.expect_failure(path, CertificateError, AlertDescription.CERTIFICATE_UNKNOWN)

    def test_a_server_whose_fingerprint_was_not_signalled(self):
        path = Path(make_client(Expect(STRANGER.fingerprint)), make_server())
        self.expect_failure(path, CertificateError, AlertDescription.CERTIFICATE_UNKNOWN)

    def test_a_client_with_somebody_elses_certificate(self):
        path = Path(make_client(certificate=STRANGER.certificate), make_server(Expect(STRANGER.fingerprint)))
        path.run()
        assert path.server.error.alert is AlertDescription.DECRYPT_ERROR

    def test_a_server_with_somebody_elses_certificate(self):
        path = Path(make_client(Expect(STRANGER.fingerprint)), make_server(certificate=STRANGER.certificate))
        path.run()
        assert path.client.error.alert is AlertDescription.DECRYPT_ERROR

    def test_another_tls_id_than_the_offers(self):
        def verify(certificate):
            raise IllegalParameter("another tls-id")

        path = Path(make_client(external_session_id=bytes(20)), make_server(verify))
        self.expect_failure(path, IllegalParameter, AlertDescription.ILLEGAL_PARAMETER)

    def test_another_tls_id_than_the_answers(self):
        def verify(certificate):
            raise IllegalParameter("another tls-id")

        path = Path(make_client(verify, external_session_id=bytes(20)), make_server(external_session_id=bytes(20)))
        self.expect_failure(path, IllegalParameter, AlertDescription.ILLEGAL_PARAMETER)

    def test_no_common_profile(self):
        path = Path(make_client(profiles=(AES_256,)), make_server(profiles=(AES_128,)))
        self.expect_failure(path, HandshakeFailure, AlertDescription.HANDSHAKE_FAILURE)

    def test_no_common_application_protocol(self):
        path = Path(make_client(protocols=(b"h3",)), make_server())
        self.expect_failure(path, HandshakeFailure, AlertDescription.NO_APPLICATION_PROTOCOL)


class TestBadPath:
    @pytest.mark.parametrize("lost", range(FLIGHTS))
    def test_every_flight_lost_once(self, lost):
        path = Path(make_client(), make_server(), lose={lost})
        path.run()
        expect_connected(path)
        assert path.now - 100.0 < 1.0

    @pytest.mark.parametrize("number", range(FLIGHTS))
    @pytest.mark.parametrize("treat", [lambda flight: flight * 2, lambda flight: flight[::-1]])
    def test_every_flight_doubled_or_reversed_alone(self, number, treat):
        flights = count()
        path = Path(
            make_client(mtu=300),
            make_server(mtu=300),
            treat=lambda flight: treat(flight) if next(flights) == number else flight,
        )
        path.run()
        expect_connected(path)
        assert len(path.flights) == FLIGHTS

    @pytest.mark.parametrize("late", range(FLIGHTS))
    def test_every_flight_delayed_alone_until_it_has_been_repeated(self, late):
        """What comes late comes twice, and the second time behind its own consequences."""
        numbers, held = count(), []

        def delay(flight):
            number = next(numbers)
            if number == late:
                held.extend(flight)
                return []
            return flight

        path = Path(make_client(), make_server(), treat=delay)
        path.run()
        receiver = path.server if late % 2 == 0 else path.client
        for datagram in held:
            receiver.events += run(receiver.association.receive_datagram(datagram, path.now))
        path.run()
        expect_connected(path)
        assert not path.client.has_ended
        assert not path.server.has_ended

    @pytest.mark.parametrize("lost", list(combinations(range(8), 3)))
    def test_three_of_the_first_eight_flights_lost(self, lost):
        path = Path(make_client(), make_server(), lose=lost)
        path.run()
        expect_connected(path)

    def test_the_last_flight_lost_again_and_again(self):
        path = Path(make_client(), make_server(), lose={3, 5, 7})
        path.run()
        expect_connected(path)

    @pytest.mark.parametrize("lost", range(12))
    def test_every_datagram_lost_once_at_mtu_300(self, lost):
        seen = 0

        def lose_one(datagrams):
            nonlocal seen
            first, seen = seen, seen + len(datagrams)
            return [datagram for number, datagram in enumerate(datagrams, first) if number != lost]

        path = Path(make_client(mtu=300), make_server(mtu=300), treat=lose_one)
        path.run()
        expect_connected(path)

    def test_everything_twice(self):
        path = Path(make_client(), make_server(), treat=lambda flight: flight * 2)
        path.run()
        expect_connected(path)
        assert len(path.flights) == FLIGHTS  # a duplicate is no sign of loss so soon after the answer

    @pytest.mark.parametrize("seed", range(20))
    def test_datagrams_in_any_order_at_a_small_mtu(self, seed):
        random = Random(seed)
        path = Path(make_client(mtu=200), make_server(mtu=200), treat=lambda flight: random.sample(flight, len(flight)))
        path.settle()
        expect_connected(path)
        assert len(path.flights) == FLIGHTS

    @pytest.mark.parametrize("seed", range(20))
    def test_a_path_that_loses_a_third_and_repeats_and_reorders(self, seed):
        random = Random(seed)

        def treat(flight):
            kept = [datagram for datagram in flight * 2 if random.random() > 0.33]
            return random.sample(kept, len(kept))

        path = Path(make_client(mtu=400), make_server(mtu=400), treat=treat)
        path.run()
        expect_connected(path)

    def test_no_datagram_is_larger_than_the_mtu(self):
        path = Path(make_client(mtu=300), make_server(mtu=300))
        path.settle()
        expect_connected(path)
        sizes = [len(datagram) for flight in path.flights for datagram in flight]
        assert max(sizes) <= 300
        assert len(path.flights[1]) == 3

    def test_nobody_answers(self):
        path = Path(make_client(), make_server(), lose=range(100))
        path.run()
        assert isinstance(path.client.error, HandshakeFailure)
        assert path.now == 130.0
        assert not path.server.events
        # 0.4, 0.8, 1.6, 3.2, 6.4, 12.8 seconds: the seventh transmission at 25.2 s, then the alert at the deadline
        assert len(path.flights) == 7 + 1


class TestClosing:
    def test_close_notify_is_answered(self):
        path = Path(make_client(), make_server())
        path.settle()
        run(path.client.association.close())
        path.settle()
        assert path.server.of(AssociationClosed)
        assert not path.client.of(AssociationClosed)  # who closes knows
        assert path.server.association.next_timeout() is None

    def test_a_fatal_alert_reaches_the_other_side(self):
        path = Path(make_client(), make_server())
        path.settle()
        run(path.server.association.close(AlertDescription.ACCESS_DENIED))
        path.settle()
        assert path.client.error.alert is AlertDescription.ACCESS_DENIED
        assert isinstance(path.client.error, AlertReceived)
        assert not path.server.has_ended
