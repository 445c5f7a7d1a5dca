"""Who takes part in the tests: a provider, identities, a server and a client that agree unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from perc.crypto.provider import SigningKey
from perc.crypto.pyca import PycaProvider
from perc.dtls import DtlsClient, DtlsClientConfig, DtlsServer, DtlsServerConfig
from perc.dtls.numbers import Numbers
from perc.errors import AlertDescription, CertificateError
from perc.srtp.profiles import SRTPProtectionProfile
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint
from perc.x509.self_signed import self_signed
from tests.driving import run
from tests.repeatable import RepeatableProvider

PROVIDER = PycaProvider()
AES_128 = SRTPProtectionProfile.AEAD_AES_128_GCM
AES_256 = SRTPProtectionProfile.AEAD_AES_256_GCM
DOUBLE_128 = SRTPProtectionProfile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM
DOUBLE_256 = SRTPProtectionProfile.DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM


@dataclass(frozen=True)
class Party:
    """A key with its certificate."""

    key: SigningKey
    certificate: Certificate

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint.of(self.certificate.der)


def make_party(name: str) -> Party:
    provider = RepeatableProvider(name)
    key = run(provider.generate_signing_key())
    return Party(key, run(self_signed(provider, key, name, datetime.now(tz=UTC))))


KEY_DISTRIBUTOR = make_party("Key Distributor")
ENDPOINT = make_party("endpoint")
STRANGER = make_party("stranger")


def accept_anyone(certificate: Certificate) -> None:
    pass


class Expect:
    """The check of a certificate against the fingerprint that was signalled."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint

    def __call__(self, certificate: Certificate) -> None:
        if not Fingerprint.of(certificate.der).matches(self._fingerprint):
            raise CertificateError("no such fingerprint", AlertDescription.CERTIFICATE_UNKNOWN)


def make_server(verify: Any = accept_anyone, numbers: Numbers | None = None, **changes: Any) -> DtlsServer:
    config = DtlsServerConfig(KEY_DISTRIBUTOR.certificate, KEY_DISTRIBUTOR.key, (AES_128, AES_256))
    return DtlsServer(RepeatableProvider("server"), replace(config, **changes), verify, numbers or Numbers())


def make_client(verify: Any = accept_anyone, **changes: Any) -> DtlsClient:
    config = DtlsClientConfig(ENDPOINT.certificate, ENDPOINT.key, (AES_128, AES_256))
    return DtlsClient(RepeatableProvider("client"), replace(config, **changes), verify)
