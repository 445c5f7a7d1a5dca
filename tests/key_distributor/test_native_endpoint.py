"""Endpoints that speak the double profile and external_session_id: this project's own DTLS client."""

from __future__ import annotations

from uuid import uuid4

import pytest

from perc.dtls import AssociationFailed, DtlsClient, DtlsClientConfig, HandshakeCompleted, SrtpKeysExported
from perc.dtls import Event as DtlsEvent
from perc.key_distributor.events import EndpointLeft
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.messages import MediaKeys, SignAnswer, TunneledDtls
from perc.x509.fingerprint import Fingerprint
from perc.x509.self_signed import self_signed
from tests.driving import run
from tests.key_distributor.peers import answer_sdp, offer_sdp, verdict
from tests.key_distributor.site import PROVIDER, Site
from tests.x509.authority import NOW

DOUBLE = Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM
TLS_ID = "an-endpoint-s-tls-id-0001"


class NativeEndpoint:
    """A DTLS client without a key channel."""

    def __init__(self, session_id: bytes | None = None) -> None:
        self.id = uuid4()
        key = run(PROVIDER.generate_signing_key())
        certificate = run(self_signed(PROVIDER, key, "endpoint", NOW))
        self.fingerprint = Fingerprint.of(certificate.der)
        config = DtlsClientConfig(certificate, key, tuple(Profile), external_session_id=session_id)
        self.dtls = DtlsClient(PROVIDER, config, lambda _: None)
        self.events: list[DtlsEvent] = []

    def join(self, site: Site, *lines: str) -> None:
        offer = offer_sdp(self.fingerprint, lines=lines)
        site.sign(SignAnswer(offer, answer_sdp(site.kd.fingerprint)), verdict(self.fingerprint))
        run(self.dtls.start(site.now))
        heard = len(site.told)
        while datagrams := self.dtls.datagrams_to_send():
            site.send(*(TunneledDtls(self.id, datagram) for datagram in datagrams))
            for message in site.told[heard:]:
                if isinstance(message, TunneledDtls):
                    self.events += run(self.dtls.receive_datagram(message.dtls_message, site.now))
            heard = len(site.told)

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
