from __future__ import annotations

import random
import warnings
from base64 import b64decode
from contextlib import suppress
from pathlib import Path

import certifi
import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from perc.errors import CertificateError
from perc.x509.algorithms import KeyType, key_type
from perc.x509.certificate import Certificate
from perc.x509.der import DerReader, Tag, encode, encode_integer, encode_oid, encode_sequence
from perc.x509.extensions import KeyUsage, read_extensions
from tests.x509.authority import Authority, key_usage

with warnings.catch_warnings():
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # one root has the serial number 0
    ROOTS = x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())
ROOT = Authority.root("Root", path_length=3)
SERVER = ROOT.issue_server("md.example", "127.0.0.1")
VECTORS = Path(cryptography_vectors.__file__).parent / "x509"


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.subject.rfc4514_string()[:40])
def test_every_root_of_mozilla_reads_as_cryptography_reads_it(root: x509.Certificate) -> None:
    certificate = Certificate.parse(root.public_bytes(Encoding.DER))
    assert certificate.to_be_signed == root.tbs_certificate_bytes
    assert certificate.signature == root.signature
    assert certificate.subject == root.subject.public_bytes()
    assert certificate.issuer == root.issuer.public_bytes()
    assert certificate.not_before == root.not_valid_before_utc
    assert certificate.not_after == root.not_valid_after_utc
    assert certificate.extensions.is_ca
    public_key = root.public_key()
    assert certificate.public_key == public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    is_p521 = isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name == "secp521r1"
    assert (certificate.key_type is None) == is_p521


def test_extensions_of_a_server() -> None:
    extensions = Certificate.parse(SERVER.der).extensions
    assert not extensions.is_ca
    assert extensions.key_usage == KeyUsage.DIGITAL_SIGNATURE
    assert extensions.extended_key_usage == frozenset({encode_oid("1.3.6.1.5.5.7.3.1")})
    assert extensions.dns_names == ("md.example",)
    assert extensions.ip_addresses == (bytes([127, 0, 0, 1]),)
    assert not extensions.not_understood


def test_extensions_of_a_ca() -> None:
    extensions = Certificate.parse(ROOT.der).extensions
    assert (extensions.is_ca, extensions.path_length, extensions.key_usage) == (True, 3, KeyUsage.KEY_CERT_SIGN)


@pytest.mark.parametrize(
    "extension",
    [
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
        (x509.InhibitAnyPolicy(0), True),
    ],
)
def test_what_restricts_and_is_not_understood_is_noted(extension: tuple[x509.ExtensionType, bool]) -> None:
    assert len(Certificate.parse(ROOT.issue("x", [extension]).der).extensions.not_understood) == 1


def test_what_is_unknown_and_not_critical_is_ignored() -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"anything")
    assert not Certificate.parse(ROOT.issue("x", [(extension, False)]).der).extensions.not_understood


@pytest.mark.parametrize("name", ["e-trust.ru.der", "utf8-dnsname.pem", "badasn1time.pem", "v1_cert.pem", "bigoid.pem"])
def test_odd_certificates_are_read_or_refused(name: str) -> None:
    data = (VECTORS / name).read_bytes()
    der = data if name.endswith(".der") else _from_pem(data)
    with suppress(CertificateError):
        assert Certificate.parse(der).der == der


def test_a_certificate_of_version_1_is_read_and_is_no_ca() -> None:
    parts = DerReader(Certificate.parse(ROOT.der).to_be_signed).sequence()
    parts.sequence(Tag.CONTEXT_CONSTRUCTED)
    serial, (algorithm, *others) = parts.encoded(Tag.INTEGER), (parts.encoded(Tag.SEQUENCE) for _ in range(5))
    to_be_signed = encode_sequence(serial, algorithm, *others)
    certificate = Certificate.parse(encode_sequence(to_be_signed, algorithm, encode(Tag.BIT_STRING, b"\x00\x01")))
    assert certificate.key_type is KeyType.P256
    assert not certificate.extensions.is_ca


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("a003020102", "a003020100", "an explicit version 1"),
        ("a003020102", "a003020103", "a version 4"),
        ("a003020102", "a003020101", "extensions in version 2"),
        ("0603551d130101ff04", "0603551d130101fe04", "a BOOLEAN of neither value"),
        ("0603551d0f", "0603551d13", "an extension that occurs twice"),
        ("06082a8648ce3d040302", "06082a8648ce3d040303", "two signature algorithms"),
        ("170d", "180d", "a time of another form"),
    ],
)
def test_malformed_certificates(old: str, new: str, why: str) -> None:
    forged = bytes.fromhex(ROOT.der.hex().replace(old, new, 1))
    assert forged != ROOT.der
    with pytest.raises(CertificateError):
        Certificate.parse(forged)


@pytest.mark.parametrize(
    "time",
    [
        "261301000000Z",
        "260230000000Z",
        "260101240000Z",
        "260101250000Z",
        "2601010000+1Z",
        "2601010000000",
        "26010100000 Z",
    ],
)
def test_times_that_do_not_exist(time: str) -> None:
    certificate = Certificate.parse(SERVER.der)
    not_before = certificate.not_before.strftime("%y%m%d%H%M%SZ").encode()
    with pytest.raises(CertificateError):
        Certificate.parse(SERVER.der.replace(not_before, time.encode(), 1))


@pytest.mark.parametrize(
    ("oid", "value", "why"),
    [
        ("2.5.29.19", encode_sequence(encode(Tag.BOOLEAN, b"\xff"), b"\x02\x01\xff"), "a negative path length"),
        ("2.5.29.19", encode_sequence(encode(Tag.BOOLEAN, b"\x00")), "an encoded default"),
        ("2.5.29.19", encode_sequence() + b"\x00", "trailing octets"),
        ("2.5.29.37", encode_sequence(), "no purpose"),
        ("2.5.29.17", encode_sequence(), "no name"),
        ("2.5.29.17", encode_sequence(encode(0x82, b"m\xff")), "a name that is not IA5"),
        ("2.5.29.17", encode_sequence(encode(0x87, b"\x7f\x00\x01")), "an address of three octets"),
    ],
)
def test_malformed_extensions(oid: str, value: bytes, why: str) -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
    with pytest.raises(CertificateError):
        Certificate.parse(ROOT.issue("x", [(extension, False)]).der)


def test_an_empty_list_of_extensions() -> None:
    with pytest.raises(CertificateError):
        read_extensions(DerReader(b""))


def test_an_oversize_or_empty_certificate() -> None:
    for der in (b"", bytes(70000), SERVER.der + b"\x00", SERVER.der[:-1]):
        with pytest.raises(CertificateError):
            Certificate.parse(der)


def test_mutations_raise_nothing_but_certificate_errors() -> None:
    chance = random.Random(5280)
    for original in (SERVER.der, ROOT.der, _from_pem((VECTORS / "cryptography.io.pem").read_bytes())):
        for _ in range(1500):
            mutant = bytearray(original)
            for _ in range(chance.randint(1, 3)):
                place = chance.randrange(len(mutant))
                match chance.randrange(3):
                    case 0:
                        mutant[place] ^= 1 << chance.randrange(8)
                    case 1:
                        mutant[place] = chance.choice(b"\x00\x01\x02\x03\x06\x17\x30\x7f\x80\x81\x82\xa0\xff")
                    case _:
                        del mutant[place : place + chance.randint(1, 4)]
            try:
                Certificate.parse(bytes(mutant))
            except CertificateError:
                continue


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (ec.generate_private_key(ec.SECP256R1()), KeyType.P256),
        (ec.generate_private_key(ec.SECP384R1()), KeyType.P384),
        (ec.generate_private_key(ec.SECP521R1()), None),
        (ed25519.Ed25519PrivateKey.generate(), None),
        (rsa.generate_private_key(65537, 2048), KeyType.RSA),
        (rsa.generate_private_key(65537, 1024), None),
    ],
)
def test_key_types(key: ec.EllipticCurvePrivateKey, expected: KeyType | None) -> None:
    assert key_type(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) is expected


def test_a_compressed_point_is_no_key() -> None:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    compressed = point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    whole = DerReader(point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).sequence()
    info = encode_sequence(whole.encoded(Tag.SEQUENCE), encode(Tag.BIT_STRING, b"\x00" + compressed))
    assert key_type(info) is None


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        ((1 << 2047) + 1, 1),
        ((1 << 2047) + 1, 4),
        ((1 << 8192) + 1, 65537),
        ((1 << 2046) + 1, 65537),
        ((1 << 2047) + 1, 1 << 33 | 1),
    ],
)
def test_rsa_keys_out_of_bounds(modulus: int, exponent: int) -> None:
    key = encode_sequence(encode_integer(modulus), encode_integer(exponent))
    assert key_type(_rsa_information(key)) is None


@pytest.mark.parametrize(
    "key", [b"", encode_sequence(encode_integer(3)), encode_sequence(b"\x02\x01\xff", b"\x02\x01\x03")]
)
def test_rsa_keys_that_are_malformed(key: bytes) -> None:
    with pytest.raises(CertificateError):
        key_type(_rsa_information(key))


def test_the_key_usage_of_a_signer_of_documents_is_not_ours() -> None:
    extension = key_usage(content_commitment=True)
    assert Certificate.parse(ROOT.issue("x", [(extension, True)]).der).extensions.key_usage == KeyUsage(0)


def _rsa_information(key: bytes) -> bytes:
    algorithm = encode_sequence(encode(Tag.OBJECT_IDENTIFIER, encode_oid("1.2.840.113549.1.1.1")), encode(Tag.NULL))
    return encode_sequence(algorithm, encode(Tag.BIT_STRING, b"\x00" + key))


def _from_pem(pem: bytes) -> bytes:
    body = pem.split(b"-----BEGIN CERTIFICATE-----")[1].split(b"-----END")[0]
    return b64decode(body)
