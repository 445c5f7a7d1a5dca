"""Certificates for tests, good ones and forged ones, made with cryptography."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SPKI = PublicFormat.SubjectPublicKeyInfo
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Digest = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512
Extension = tuple[x509.ExtensionType, bool]
_KEY_NUMBERS = count(1000)


def distinguished_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def key_usage(**usages: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: usages.get(name, False) for name in names})


CA_USAGE = key_usage(key_cert_sign=True, crl_sign=True)
SERVER_USAGE = key_usage(digital_signature=True)


def alternative_names(*names: str) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    private_key: PrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Authority(Issued):
    """A certificate and its key, used to issue others: also when it may not."""

    @classmethod
    def root(cls, name: str, **options: Any) -> Authority:
        private_key = options.pop("key", None) or next_key()
        return cls(_build(name, name, private_key, private_key, private_key, ca_extensions(**options)), private_key)

    def issue_ca(self, name: str, **options: Any) -> Authority:
        issued = self.issue(name, ca_extensions(options.pop("path_length", None)), **options)
        return Authority(issued.certificate, issued.private_key)

    def issue_server(self, *names: str, **options: Any) -> Issued:
        return self.issue(names[0], server_extensions(*names), **options)

    def issue(self, name: str, extensions: Sequence[Extension], **options: Any) -> Issued:
        key = options.pop("key", None) or next_key()
        issuer_key = options.pop("issuer_key", None) or self.private_key
        issuer = self.certificate.subject.rfc4514_string().removeprefix("CN=")
        certificate = _build(name, issuer, key, issuer_key, self.private_key, extensions, **options)
        return Issued(certificate, key)


def next_key() -> ec.EllipticCurvePrivateKey:
    """Another key for each certificate, and the same ones in each run: so their mutations are the same, too."""
    return ec.derive_private_key(next(_KEY_NUMBERS), ec.SECP256R1())


def _serial_number(*content: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(content).encode()).digest()[:16], "big")


def ca_extensions(path_length: int | None = None) -> list[Extension]:
    return [(x509.BasicConstraints(True, path_length), True), (CA_USAGE, True)]


def server_extensions(*names: str, purpose: x509.ObjectIdentifier = SERVER_AUTH) -> list[Extension]:
    return [
        (x509.BasicConstraints(False, None), True),
        (SERVER_USAGE, True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (alternative_names(*names), False),
    ]


def _build(
    name: str,
    issuer: str,
    key: PrivateKey,
    issuer_key: PrivateKey,
    claimed_issuer_key: PrivateKey,
    extensions: Sequence[Extension],
    lifetime: tuple[int, int] = (-30, 60),
    digest: Digest | None = None,
    rsa_padding: padding.PSS | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(distinguished_name(name))
        .issuer_name(distinguished_name(issuer))
        .public_key(key.public_key())
        .serial_number(_serial_number(name, issuer, key.public_key().public_bytes(Encoding.DER, SPKI)))
        .not_valid_before(NOW + timedelta(days=lifetime[0]))
        .not_valid_after(NOW + timedelta(days=lifetime[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(claimed_issuer_key.public_key()), False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if rsa_padding is not None and isinstance(issuer_key, rsa.RSAPrivateKey):
        return builder.sign(issuer_key, digest or hashes.SHA256(), rsa_padding=rsa_padding)
    is_ecdsa = isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    return builder.sign(issuer_key, digest or _digest_for(issuer_key), ecdsa_deterministic=True if is_ecdsa else None)


def _digest_for(key: PrivateKey) -> Digest:
    is_p384 = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1)
    return hashes.SHA384() if is_p384 else hashes.SHA256()
