"""Certificates with anything in them, truly signed: every field can be what no library would write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from perc.x509.der import Tag, encode, encode_oid, encode_sequence
from tests.x509.authority import NOW, PrivateKey, distinguished_name

KEYS: dict[str, ec.EllipticCurvePrivateKey] = {
    name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "ca", "server", "other", "second")
}

_SIGNATURES = {
    (ec.EllipticCurvePrivateKey, "sha1"): "1.2.840.10045.4.1",
    (ec.EllipticCurvePrivateKey, "sha224"): "1.2.840.10045.4.3.1",
    (ec.EllipticCurvePrivateKey, "sha256"): "1.2.840.10045.4.3.2",
    (ec.EllipticCurvePrivateKey, "sha384"): "1.2.840.10045.4.3.3",
    (ec.EllipticCurvePrivateKey, "sha512"): "1.2.840.10045.4.3.4",
    (rsa.RSAPrivateKey, "sha1"): "1.2.840.113549.1.1.5",
    (rsa.RSAPrivateKey, "sha224"): "1.2.840.113549.1.1.14",
    (rsa.RSAPrivateKey, "sha256"): "1.2.840.113549.1.1.11",
    (rsa.RSAPrivateKey, "sha384"): "1.2.840.113549.1.1.12",
    (rsa.RSAPrivateKey, "sha512"): "1.2.840.113549.1.1.13",
}
_NULL = encode(Tag.NULL)


@dataclass(frozen=True)
class Extension:
    """An extension as it will stand there; `value` is the DER inside its OCTET STRING."""

    oid: str
    value: bytes
    critical: bool = False

    @classmethod
    def of(cls, content: x509.ExtensionType, critical: bool = False) -> Extension:
        return cls(content.oid.dotted_string, content.public_bytes(), critical)

    def write(self) -> bytes:
        flag = encode(Tag.BOOLEAN, b"\xff") if self.critical else b""
        return encode_sequence(_oid(self.oid), flag, encode(Tag.OCTET_STRING, self.value))


@dataclass(frozen=True)
class Draft:
    """A certificate before it is signed; `issuer_key` signs it, whatever `issuer` says."""

    subject: bytes
    issuer: bytes
    key: PrivateKey
    issuer_key: PrivateKey
    extensions: tuple[Extension, ...]
    not_before: datetime = NOW - timedelta(days=30)
    not_after: datetime = NOW + timedelta(days=30)
    serial: bytes = b"\x11" * 16
    version: bytes = encode(Tag.CONTEXT_CONSTRUCTED, encode(Tag.INTEGER, b"\x02"))
    digest: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    inner_algorithm: bytes | None = None
    write_time: Callable[[datetime], bytes] | None = None
    spoil: Callable[[bytes], bytes] = lambda der: der

    def without(self, oid: str) -> Draft:
        return replace(self, extensions=tuple(each for each in self.extensions if each.oid != oid))

    def having(self, *extensions: Extension) -> Draft:
        """With these in the place of any of the same kind."""
        kinds = {each.oid for each in extensions}
        kept = tuple(each for each in self.extensions if each.oid not in kinds)
        return replace(self, extensions=kept + extensions)

    def der(self) -> bytes:
        algorithm = _algorithm(self.issuer_key, self.digest)
        write_time = self.write_time or utc_time
        listed = encode_sequence(*(extension.write() for extension in self.extensions))
        to_be_signed = encode_sequence(
            self.version,
            encode(Tag.INTEGER, self.serial),
            self.inner_algorithm or algorithm,
            self.issuer,
            encode_sequence(write_time(self.not_before), write_time(self.not_after)),
            self.subject,
            self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            encode(Tag.CONTEXT_CONSTRUCTED + 3, listed) if self.extensions else b"",
        )
        signature = encode(Tag.BIT_STRING, b"\x00", _sign(self.issuer_key, self.digest, to_be_signed))
        return self.spoil(encode_sequence(to_be_signed, algorithm, signature))


def name(common_name: str) -> bytes:
    return distinguished_name(common_name).public_bytes()


def utc_time(time: datetime) -> bytes:
    return encode(Tag.UTC_TIME, time.strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(time: datetime) -> bytes:
    return encode(Tag.GENERALIZED_TIME, time.strftime("%Y%m%d%H%M%SZ").encode())


def _oid(dotted: str) -> bytes:
    return encode(Tag.OBJECT_IDENTIFIER, encode_oid(dotted))


def _algorithm(key: PrivateKey, digest: hashes.HashAlgorithm) -> bytes:
    kind = ec.EllipticCurvePrivateKey if isinstance(key, ec.EllipticCurvePrivateKey) else rsa.RSAPrivateKey
    parameters = b"" if kind is ec.EllipticCurvePrivateKey else _NULL
    return encode_sequence(_oid(_SIGNATURES[kind, digest.name]), parameters)


def _sign(key: PrivateKey, digest: hashes.HashAlgorithm, content: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(content, ec.ECDSA(digest))
    return key.sign(content, padding.PKCS1v15(), digest)
