"""Certificates, PEM files, fingerprints, and chains up to a trust anchor."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric import ec

from perc.errors import ApiMisuse, CertificateError
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint
from perc.x509.names import is_for_name
from perc.x509.path import MAXIMUM_CERTIFICATES, TrustAnchors, validate_server
from tests.driving import run
from tests.fuzz.target import Script, Target, pack, reads
from tests.repeatable import RepeatableProvider
from tests.x509.authority import NOW, Authority

# Keys that are the same in each run: a saved chain still leads to the anchor.
_ROOT_KEY, _CA_KEY, _SERVER_KEY = (ec.derive_private_key(number, ec.SECP256R1()) for number in (1, 2, 3))
ROOT = Authority.root("Root", key=_ROOT_KEY)
CA = ROOT.issue_ca("CA", key=_CA_KEY, path_length=0)
SERVER = CA.issue_server("md.example", "*.md.example", "127.0.0.1", key=_SERVER_KEY)
_ANCHORS = TrustAnchors([ROOT.der])


def certificates(data: bytes) -> None:
    certificate = reads(Certificate.parse, data)
    if certificate is not None:
        assert certificate.der == data
        assert certificate.to_be_signed in data
        for name in ("md.example", "127.0.0.1", "::1"):
            is_for_name(certificate, name)
    reads(lambda octets: Fingerprint.parse(octets.decode("latin-1")), data, lambda each: str(each).encode())
    with suppress(ApiMisuse, CertificateError):
        TrustAnchors.from_pem(data.decode("latin-1")).issuers_of(Certificate.parse(SERVER.der))


def certificate_seeds() -> Iterable[bytes]:
    yield from (ROOT.der, CA.der, SERVER.der)
    yield str(Fingerprint.of(ROOT.der)).encode()
    yield b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"


def paths(data: bytes) -> None:
    script, chain = Script(data), []
    while not script.is_over and len(chain) <= MAXIMUM_CERTIFICATES:
        chain.append(script.part())
    with suppress(CertificateError):
        server = run(validate_server(RepeatableProvider(), chain, _ANCHORS, "md.example", NOW))
        # Whatever was changed, an anchor's key has signed it or a CA under it.
        assert server.public_key in (Certificate.parse(SERVER.der).public_key,)


def path_seeds() -> Iterable[bytes]:
    yield pack(SERVER.der, CA.der)
    yield pack(SERVER.der, CA.der, ROOT.der, CA.der)


TARGETS = (Target("x509-certificate", certificates, certificate_seeds), Target("x509-path", paths, path_seeds))
