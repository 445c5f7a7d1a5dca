"""Endpoints that speak the double profile and external_session_id: this project's own DTLS client."""

from __future__ import annotations

from uuid import uuid4

import pytest

from perc.dtls import (
    ApplicationDataReceived,
    AssociationFailed,
    DtlsClient,
    DtlsClientConfig,
    EktKeyReceived,
    HandshakeCompleted,
    SrtpKeysExported,
)
from perc.dtls import Event as DtlsEvent
from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.ekt.key_channel import Roster, read_message
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.association import KEY_CHANNEL_TIME_LIMIT
from perc.key_distributor.events import EndpointLeft
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.messages import MediaKeys, SignAnswer, TunneledDtls
from perc.x509.fingerprint import Fingerprint
from perc.x509.self_signed import self_signed
from tests.driving import run
from tests.key_distributor.peers import answer_sdp, offer_sdp, verdict
from tests.key_distributor.sctp_client import SctpClient
from tests.key_distributor.site import PROVIDER, Site
from tests.x509.authority import NOW

DOUBLE = Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM
TLS_ID = "an-endpoint-s-tls-id-0001"


class NativeEndpoint:
    """A DTLS client; its key channel is opened where a test wants one."""

    def __init__(self, session_id: bytes | None = None, ekt_ciphers: tuple[EKTCipher, ...] = ()) -> None:
        self.id = uuid4()
        key = run(PROVIDER.generate_signing_key())
        certificate = run(self_signed(PROVIDER, key, "endpoint", NOW))
        self.fingerprint = Fingerprint.of(certificate.der)
        config = DtlsClientConfig(
            certificate, key, tuple(Profile), external_session_id=session_id, ekt_ciphers=ekt_ciphers
        )
        self.dtls = DtlsClient(PROVIDER, config, lambda _: None)
        self.sctp = SctpClient(lambda packet: run(self.dtls.send(packet)))
        self.events: list[DtlsEvent] = []
        self._heard = 0

    def join(self, site: Site, *lines: str) -> None:
        offer = offer_sdp(self.fingerprint, lines=lines)
        site.sign(SignAnswer(offer, answer_sdp(site.kd.fingerprint)), verdict(self.fingerprint))
        run(self.dtls.start(site.now))
        self.carry(site)

    def carry(self, site: Site) -> None:
        """Everything between the two, from where the last call left off."""
        while True:
            told, self._heard = site.told[self._heard :], len(site.told)
            for message in told:
                if isinstance(message, TunneledDtls):
                    self.take(run(self.dtls.receive_datagram(message.dtls_message, site.now)))
            datagrams = self.dtls.datagrams_to_send()
            if not told and not datagrams:
                return
            site.send(*(TunneledDtls(self.id, datagram) for datagram in datagrams))

    def take(self, events: list[DtlsEvent]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, ApplicationDataReceived):
                self.sctp.receive(event.data)

    def open_channel(self, site: Site) -> None:
        self.sctp.start()
        self.carry(site)

    def completed(self) -> bool:
        return any(isinstance(event, HandshakeCompleted) for event in self.events)


def test_a_double_profile_is_chosen_and_only_its_outer_half_goes_to_the_media_distributor():
    site = Site()
    endpoint = NativeEndpoint()
    endpoint.join(site)
    assert endpoint.completed()
    (exported,) = [event for event in endpoint.events if isinstance(event, SrtpKeysExported)]
    assert site.heard(MediaKeys) == [
        MediaKeys(
            endpoint.id,
            DOUBLE,
            exported.client_write_key[16:],
            exported.server_write_key[16:],
            exported.client_write_salt[12:],
            exported.server_write_salt[12:],
        )
    ]


def test_an_endpoint_that_offers_ekt_is_given_its_ekt_key_in_the_handshake_protocol():
    """RFC 8870, Section 5.2.2: an ekt_key message, and an ACK for it; the roster comes by the key channel."""
    site = Site()
    endpoint = NativeEndpoint(ekt_ciphers=(EKTCipher.AESKW256, EKTCipher.AESKW128))
    endpoint.join(site)
    endpoint.open_channel(site)
    site.wait(0.5)
    endpoint.carry(site)
    (received,) = [event for event in endpoint.events if isinstance(event, EktKeyReceived)]
    messages = [read_message(message) for message in endpoint.sctp.received]
    assert not any(isinstance(message, EktKey) for message in messages)
    roster = [message for message in messages if isinstance(message, Roster)][-1]
    assert [member.spi for member in roster.members] == [received.key.spi]  # acknowledged


@pytest.mark.parametrize("cipher", EKTCipher)
def test_the_ekt_cipher_of_the_conference_decides_how_strong_both_layers_are(cipher: EKTCipher):
    """RFC 8870, Section 6: no weaker than SRTP; the inner master keys are as long as the EKTKey that carries them."""
    site = Site(ekt_cipher=cipher)
    endpoint = NativeEndpoint(ekt_ciphers=tuple(EKTCipher))
    endpoint.join(site)
    site.wait(0.5)
    (received,) = [event for event in endpoint.events if isinstance(event, EktKeyReceived)]
    (exported,) = [event for event in endpoint.events if isinstance(event, SrtpKeysExported)]
    assert received.key.cipher is cipher
    assert exported.profile.is_double
    assert exported.profile.hop_key_length == len(received.key.key)


def test_an_endpoint_that_knows_ekt_needs_no_key_channel():
    site = Site()
    endpoint = NativeEndpoint(ekt_ciphers=(EKTCipher.AESKW128,))
    endpoint.join(site)
    site.wait(2 * KEY_CHANNEL_TIME_LIMIT)
    (received,) = [event for event in endpoint.events if isinstance(event, EktKeyReceived)]
    assert [member.spi for member in site.kd.roster] == [received.key.spi]


def test_an_endpoint_that_opens_its_key_channel_late_is_told_who_is_there():
    site = Site()
    endpoint = NativeEndpoint(ekt_ciphers=(EKTCipher.AESKW128,))
    endpoint.join(site)
    assert endpoint.sctp.received == []
    endpoint.open_channel(site)
    (roster,) = [read_message(message) for message in endpoint.sctp.received]
    assert isinstance(roster, Roster)
    assert [member.id for member in roster.members] == [roster.you]


def test_an_endpoint_that_knows_ekt_waits_for_a_person_as_everyone_does():
    site = Site(guests=AdmissionPolicy())
    endpoint = NativeEndpoint(ekt_ciphers=(EKTCipher.AESKW128,))
    endpoint.join(site)
    assert not any(isinstance(event, EktKeyReceived) for event in endpoint.events)
    site.take(site.kd.admit(endpoint.id, site.now))
    site.settle()
    endpoint.carry(site)
    assert any(isinstance(event, EktKeyReceived) for event in endpoint.events)


def test_an_external_session_id_that_is_the_tls_id_of_the_offer():
    endpoint = NativeEndpoint(TLS_ID.encode())
    endpoint.join(Site(), f"a=tls-id:{TLS_ID}")
    assert endpoint.completed()


@pytest.mark.parametrize("lines", [("a=tls-id:another-endpoint-s-tls-id",), ()], ids=["another", "none"])
def test_an_external_session_id_of_another_offer_is_refused(lines: tuple[str, ...]):
    """RFC 9185, Section 5.4: "If the values in SDP and the ClientHello do not match, the DTLS association MUST be
    rejected." """
    site = Site()
    endpoint = NativeEndpoint(TLS_ID.encode())
    endpoint.join(site, *lines)
    assert not endpoint.completed()
    assert site.heard(MediaKeys) == []
    assert site.happened(EndpointLeft)[0].association_id == endpoint.id
    assert not any(isinstance(event, AssociationFailed) for event in endpoint.events)  # not authentic: believed later
