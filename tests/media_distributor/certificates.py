"""Certificates for tests: self-signed P-256, as PEM files and as OpenSSL objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from perc.x509.fingerprint import Fingerprint


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint.of(self.certificate.public_bytes(serialization.Encoding.DER))

    def write(self, directory: Path, name: str) -> Path:
        """Certificate and key in one file, as servers take them."""
        file = directory / f"{name}.pem"
        pem = serialization.PrivateFormat.PKCS8
        key = self.key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption())
        file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM) + key)
        return file
