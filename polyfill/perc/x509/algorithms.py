"""Signature algorithms and public keys: what a certificate may use, as exact encodings.

An AlgorithmIdentifier is compared octet for octet, so that parameters need no parser of their own.
"""

from __future__ import annotations

from enum import Enum

from perc.crypto.provider import SignatureScheme
from perc.errors import CertificateError
from perc.x509.der import DerReader, Tag, encode, encode_integer, encode_oid, encode_sequence

# 2048 bits are the least that the CA/Browser Forum allows; beyond 8192 a signature costs too much time to check.
MINIMUM_RSA_BITS = 2048
MAXIMUM_RSA_BITS = 8192

_NULL = encode(Tag.NULL)


class KeyType(Enum):
    """Public keys that this package can verify with; the value is what TLS 1.3 lets them sign (RFC 8446, 4.2.3)."""

    P256 = frozenset({SignatureScheme.ECDSA_SECP256R1_SHA256})
    P384 = frozenset({SignatureScheme.ECDSA_SECP384R1_SHA384})
    RSA = frozenset(
        {
            SignatureScheme.RSA_PSS_RSAE_SHA256,
            SignatureScheme.RSA_PSS_RSAE_SHA384,
            SignatureScheme.RSA_PSS_RSAE_SHA512,
        }
    )


def _algorithm(dotted: str, *parameters: bytes) -> bytes:
    return encode_sequence(encode(Tag.OBJECT_IDENTIFIER, encode_oid(dotted)), *parameters)


def _rsa_pss(hash_oid: str, salt_length: int) -> bytes:
    digest = _algorithm(hash_oid, _NULL)
    mask = _algorithm("1.2.840.113549.1.1.8", digest)
    return _algorithm(
        "1.2.840.113549.1.1.10",
        encode_sequence(
            encode(Tag.CONTEXT_CONSTRUCTED, digest),
            encode(Tag.CONTEXT_CONSTRUCTED + 1, mask),
            encode(Tag.CONTEXT_CONSTRUCTED + 2, encode_integer(salt_length)),
        ),
    )


ECDSA_WITH_SHA256 = _algorithm("1.2.840.10045.4.3.2")

# SHA-1 and MD5 are not here: RFC 8446, Section 4.4.2.4.
SIGNATURE_ALGORITHMS = {
    ECDSA_WITH_SHA256: SignatureScheme.ECDSA_SECP256R1_SHA256,
    _algorithm("1.2.840.10045.4.3.3"): SignatureScheme.ECDSA_SECP384R1_SHA384,
    _algorithm("1.2.840.10045.4.3.4"): SignatureScheme.ECDSA_SECP521R1_SHA512,
    _algorithm("1.2.840.113549.1.1.11", _NULL): SignatureScheme.RSA_PKCS1_SHA256,
    _algorithm("1.2.840.113549.1.1.12", _NULL): SignatureScheme.RSA_PKCS1_SHA384,
    _algorithm("1.2.840.113549.1.1.13", _NULL): SignatureScheme.RSA_PKCS1_SHA512,
    _rsa_pss("2.16.840.1.101.3.4.2.1", 32): SignatureScheme.RSA_PSS_RSAE_SHA256,
    _rsa_pss("2.16.840.1.101.3.4.2.2", 48): SignatureScheme.RSA_PSS_RSAE_SHA384,
    _rsa_pss("2.16.840.1.101.3.4.2.3", 64): SignatureScheme.RSA_PSS_RSAE_SHA512,
}

_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_CURVES = {
    _algorithm(_EC_PUBLIC_KEY, encode(Tag.OBJECT_IDENTIFIER, encode_oid("1.2.840.10045.3.1.7"))): (KeyType.P256, 65),
    _algorithm(_EC_PUBLIC_KEY, encode(Tag.OBJECT_IDENTIFIER, encode_oid("1.3.132.0.34"))): (KeyType.P384, 97),
}
_RSA_ENCRYPTION = _algorithm("1.2.840.113549.1.1.1", _NULL)
_UNCOMPRESSED = 4


def key_type(subject_public_key_info: bytes) -> KeyType | None:
    """The type of a key, or None for one of another algorithm, size or form; `CertificateError` if it is not DER."""
    reader = DerReader(subject_public_key_info).sequence()
    algorithm = reader.encoded(Tag.SEQUENCE)
    key = reader.whole_octets()
    reader.expect_end()
    if algorithm in _CURVES:
        curve, length = _CURVES[algorithm]
        return curve if len(key) == length and key[0] == _UNCOMPRESSED else None
    if algorithm == _RSA_ENCRYPTION and _rsa_key_is_sound(key):
        return KeyType.RSA
    return None


def _rsa_key_is_sound(key: bytes) -> bool:
    outer = DerReader(key)
    reader = outer.sequence()
    modulus = reader.integer()
    exponent = reader.integer()
    reader.expect_end()
    outer.expect_end()
    if modulus <= 0 or exponent <= 0:
        raise CertificateError("an RSA key with a number that is not positive")
    fits = MINIMUM_RSA_BITS <= modulus.bit_length() <= MAXIMUM_RSA_BITS
    # 33 bits are what WebCrypto's implementations and OpenSSL's policies allow an exponent.
    return fits and exponent % 2 == 1 and 3 <= exponent < 1 << 33
