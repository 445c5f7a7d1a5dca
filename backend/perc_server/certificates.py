"""Certificates of a demo deployment: a CA of its own, and self-signed ones for the control connection.

A real deployment brings the Media Distributor's certificate from a CA that browsers trust, and pins its own pair on the
control connection. Made on first start, kept in one directory that only the owner can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = timedelta(days=90)
RENEWAL = timedelta(days=30)  # before the end: a demo that runs for weeks does not expire under its users
CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DemoCertificates:
    """Where the files are; those named after a party hold its certificate and its key."""

    authority: Path
    """The demo CA's certificate, without a key: it signed once, and forgot it."""
    media_distributor: Path
    """For the tunnel's TLS port."""
    control_server: Path
    control_server_certificate: Path
    control_client: Path
    control_client_certificate: Path


def demo_certificates(directory: Path, media_distributor_name: str) -> DemoCertificates:
    """The certificates in `directory`, made anew when they are missing or near their end."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = DemoCertificates(
        authority=directory / "demo-ca.pem",
        media_distributor=directory / "media-distributor.pem",
        control_server=directory / "control-server.pem",
        control_server_certificate=directory / "control-server-certificate.pem",
        control_client=directory / "control-client.pem",
        control_client_certificate=directory / "control-client-certificate.pem",
    )
    if not _good_for_now(files.media_distributor):
        _make(files, media_distributor_name)
    return files


def _good_for_now(file: Path) -> bool:
    if not file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc - RENEWAL > datetime.now(UTC)


def _make(files: DemoCertificates, media_distributor_name: str) -> None:
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _self_signed("perc-webrtc demo CA", authority_key, is_authority=True)
    certificate = (
        _builder(media_distributor_name, key)
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(media_distributor_name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    files.authority.write_bytes(_pem(authority))
    for file, public, name in (
        (files.control_server, files.control_server_certificate, "perc control server"),
        (files.control_client, files.control_client_certificate, "perc control client"),
    ):
        control_key = ec.generate_private_key(ec.SECP256R1())
        control = _self_signed(name, control_key, is_authority=False)
        _write_secret(file, control, control_key)
        public.write_bytes(_pem(control))
    # Last, because its presence says that all are there.
    _write_secret(files.media_distributor, certificate, key)


def _builder(common_name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + VALIDITY)
    )


def _self_signed(name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.Certificate:
    builder = _builder(name, key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = builder.issuer_name(subject).add_extension(
        x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True
    )
    if is_authority:
        builder = builder.add_extension(_signs_certificates_only(), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def _signs_certificates_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_secret(file: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(
        _pem(certificate)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
