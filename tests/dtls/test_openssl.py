"""OpenSSL on the other side, as client and as server: the independent reading of the RFCs."""

from __future__ import annotations

from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from perc.crypto.provider import NamedGroup
from perc.dtls import (
    AssociationClosed,
    AssociationFailed,
    HandshakeCompleted,
    SrtpKeysExported,
    client_handshake,
    negotiation,
    offer,
)
from perc.dtls.flights import MIN_INTERVAL
from perc.errors import AlertDescription
from perc.srtp.profiles import SRTPProtectionProfile
from tests.driving import run
from tests.dtls.listener import Listener
from tests.dtls.openssl import OP_NO_EXTENDED_MASTER_SECRET, OpenSslPeer, make_context, make_identity
from tests.dtls.parties import AES_128, AES_256, make_client, make_server

OTHER = make_identity()


class Meeting:
    """One of our ends and OpenSSL, in one thread."""

    def __init__(self, association, peer):
        self.association, self.peer = association, peer
        self.events = []
        self.now = 0.0

    def settle(self, treat=list):
        while True:
            to_peer = self.association.datagrams_to_send()
            for datagram in treat(to_peer):
                self.peer.receive_datagram(datagram)
            to_us = self.peer.datagrams_to_send()
            for datagram in treat(to_us):
                self.events += run(self.association.receive_datagram(datagram, self.now))
            if not to_peer and not to_us:
                return

    def run(self, treat=list):
        """Our timers too."""
        self.settle(treat)
        while not any(isinstance(event, HandshakeCompleted | AssociationFailed) for event in self.events):
            self.now = self.association.next_timeout()
            self.events += run(self.association.handle_timeout(self.now))
            self.settle(treat)

    @property
    def error(self):
        (failed,) = (event for event in self.events if isinstance(event, AssociationFailed))
        return failed.error


def meet_client(server=None, context=None, **options):
    peer = OpenSslPeer(context or make_context(**{"identity": OTHER} | options))
    peer.start_as_client()
    return Meeting(server or make_server(), peer)


def meet_server(client=None, context=None, **options):
    peer = OpenSslPeer(context or make_context(**{"identity": OTHER} | options))
    peer.start_as_server()
    meeting = Meeting(client or make_client(), peer)
    run(meeting.association.start(0.0))
    return meeting


def expect_connected(meeting):
    assert meeting.peer.completed
    assert meeting.peer.error is None
    (keys,) = (event for event in meeting.events if isinstance(event, SrtpKeysExported))
    (completed,) = (event for event in meeting.events if isinstance(event, HandshakeCompleted))
    assert OTHER.der in {completed.client_certificate.der, completed.server_certificate.der}
    assert meeting.peer.connection.get_selected_srtp_profile() == b"SRTP_" + keys.profile.name.encode()
    material = (
        keys.client_write_key + keys.server_write_key + keys.client_write_salt + keys.server_write_salt
    )  # RFC 5764, Section 4.2: in this order
    assert meeting.peer.export(len(material)) == material


both_roles = pytest.mark.parametrize("meet", [meet_client, meet_server])


@both_roles
def test_both_export_the_same_keys(meet):
    meeting = meet()
    meeting.settle()
    expect_connected(meeting)


@both_roles
def test_application_data_and_close_notify(meet):
    meeting = meet()
    meeting.settle()
    meeting.peer.send(b"from OpenSSL")
    run(meeting.association.send(b"to OpenSSL"))
    meeting.settle()
    assert meeting.events[-1].data == b"from OpenSSL"
    assert meeting.peer.received == [b"to OpenSSL"]
    meeting.peer.shutdown()
    meeting.settle()
    assert isinstance(meeting.events[-1], AssociationClosed)
    assert meeting.peer.closed


@both_roles
def test_our_close_notify_closes_openssl(meet):
    meeting = meet()
    meeting.settle()
    run(meeting.association.close())
    meeting.settle()
    assert meeting.peer.closed


@both_roles
@pytest.mark.parametrize("suite", [b"ECDHE-ECDSA-AES128-GCM-SHA256", b"ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_cipher_suites(meet, suite):
    meeting = meet(ciphers=suite)
    meeting.settle()
    expect_connected(meeting)


@both_roles
@pytest.mark.parametrize(("curve", "name"), [(None, "x25519"), (ec.SECP256R1(), "secp256r1")])
def test_groups(meet, curve, name):
    context = make_context(OTHER)
    if curve is not None:
        context.set_tmp_ecdh(curve)
    meeting = meet(context=context)
    meeting.settle()
    expect_connected(meeting)
    assert meeting.peer.connection.get_group_name() == name


@both_roles
def test_p_384_if_it_were_our_first_choice(meet, monkeypatch):
    for module in (negotiation, offer, client_handshake):
        monkeypatch.setattr(module, "NAMED_GROUPS", (NamedGroup.SECP384R1, NamedGroup.SECP256R1))
    meeting = meet()
    meeting.settle()
    expect_connected(meeting)
    assert meeting.peer.connection.get_group_name() == "secp384r1"


@both_roles
@pytest.mark.parametrize("profile", [AES_128, AES_256])
def test_profiles(meet, profile):
    end = (make_server if meet is meet_client else make_client)(profiles=(profile,))
    meeting = meet(end, profiles=b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM")
    meeting.settle()
    expect_connected(meeting)


@both_roles
def test_mtu_300(meet):
    end = (make_server if meet is meet_client else make_client)(mtu=300)
    meeting = meet(end)
    meeting.peer.connection.set_ciphertext_mtu(300)
    meeting.settle()
    expect_connected(meeting)


@both_roles
def test_everything_twice_and_backwards(meet):
    meeting = meet()
    meeting.settle(treat=lambda flight: [datagram for datagram in reversed(flight) for _ in range(2)])
    expect_connected(meeting)


def test_cookie_exchange():
    meeting = meet_client(Listener())
    meeting.settle()
    expect_connected(meeting)


def test_cookie_exchange_asked_by_openssl():
    context = make_context(OTHER)
    context.set_options(SSL.OP_COOKIE_EXCHANGE)
    context.set_cookie_generate_callback(lambda _: b"a cookie")
    context.set_cookie_verify_callback(lambda _, cookie: cookie == b"a cookie")
    meeting = meet_server(context=context)
    meeting.settle()
    expect_connected(meeting)


def test_an_answer_to_openssls_repetition():
    """OpenSSL repeats its ClientHello after a second; the answer comes at once, not when our own timer fires."""
    meeting = meet_client()
    (hello,) = meeting.peer.datagrams_to_send()
    run(meeting.association.receive_datagram(hello, 0.0))
    lost = meeting.association.datagrams_to_send()
    run(meeting.association.receive_datagram(hello, MIN_INTERVAL))
    assert [len(datagram) for datagram in meeting.association.datagrams_to_send()] == [len(d) for d in lost]


class TestRefusals:
    def expect(self, meeting, alert):
        meeting.settle()
        assert meeting.error.alert is alert
        assert not any(isinstance(event, SrtpKeysExported) for event in meeting.events)
        assert meeting.peer.error is not None
        return str(meeting.peer.error)

    def test_no_client_certificate(self):
        assert "handshake failure" in self.expect(meet_client(identity=None), AlertDescription.HANDSHAKE_FAILURE)

    def test_no_use_srtp(self):
        self.expect(meet_client(profiles=None), AlertDescription.HANDSHAKE_FAILURE)

    def test_no_gcm_profile(self):
        self.expect(meet_client(profiles=b"SRTP_AES128_CM_SHA1_80"), AlertDescription.HANDSHAKE_FAILURE)

    def test_no_gcm_suite(self):
        self.expect(meet_client(ciphers=b"ECDHE-ECDSA-AES128-SHA256"), AlertDescription.HANDSHAKE_FAILURE)

    def test_no_extended_master_secret(self):
        context = make_context(OTHER)
        context.set_options(OP_NO_EXTENDED_MASTER_SECRET)
        meeting = meet_client(context=context)
        self.expect(meeting, AlertDescription.HANDSHAKE_FAILURE)

    def test_a_server_without_extended_master_secret(self):
        context = make_context(OTHER)
        context.set_options(OP_NO_EXTENDED_MASTER_SECRET)
        meeting = meet_server(context=context)
        meeting.settle()
        assert meeting.error.alert is AlertDescription.HANDSHAKE_FAILURE

    def test_a_server_that_answers_without_use_srtp(self):
        meeting = meet_server(profiles=None)
        meeting.settle()
        assert meeting.error.alert is AlertDescription.HANDSHAKE_FAILURE

    def test_dtls_1_0_only(self):
        context = make_context(OTHER, ciphers=b"ALL:@SECLEVEL=0")
        context.set_min_proto_version(0xFEFF)
        context.set_max_proto_version(0xFEFF)
        meeting = meet_client(context=context)
        self.expect(meeting, AlertDescription.PROTOCOL_VERSION)


@both_roles
def test_a_certificate_on_p_384_with_sha_256(meet):
    """RFC 5246, Section 7.4.1.4.1 names hash and algorithm only; OpenSSL takes the first pair that fits, whatever the
    curve."""
    identity = make_identity(ec.SECP384R1())
    meeting = meet(identity=identity)
    meeting.settle()
    assert meeting.peer.completed
    (completed,) = (event for event in meeting.events if isinstance(event, HandshakeCompleted))
    assert identity.der in {completed.client_certificate.der, completed.server_certificate.der}


@both_roles
def test_a_certificate_on_p_384_with_sha_384(meet):
    """Where the other side prefers the hash that belongs to its curve."""
    context = make_context(make_identity(ec.SECP384R1()))
    # foreign private: pyOpenSSL does not let its user choose signature algorithms
    assert SSL._lib.SSL_CTX_set1_sigalgs_list(context._context, b"ECDSA+SHA384:ECDSA+SHA256")
    meeting = meet(context=context)
    meeting.settle()
    assert meeting.peer.completed
    assert any(isinstance(event, HandshakeCompleted) for event in meeting.events)


@pytest.mark.parametrize(("meet", "lost"), [(meet_client, 1), (meet_server, 0), (meet_server, 2), (meet_server, 3)])
def test_flights_that_our_timer_brings_back(meet, lost):
    """Each of ours that expects an answer, and OpenSSL's Finished, which it repeats when it sees ours again. For the
    others OpenSSL waits a second of real time."""
    meeting = meet()
    numbers = count()
    meeting.run(treat=lambda flight: [] if flight and next(numbers) == lost else flight)
    expect_connected(meeting)


def test_a_server_with_double_profiles_falls_back_to_aead_where_the_client_has_no_double():
    meeting = meet_client(make_server(profiles=tuple(reversed(SRTPProtectionProfile))))
    meeting.settle()
    expect_connected(meeting)
