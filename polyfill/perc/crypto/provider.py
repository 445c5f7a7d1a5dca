"""What perc asks of a cryptographic library.

Public-key operations, AEAD and AES are coroutines, because WebCrypto's are; on CPython they never suspend, so that a
machine can be driven without an event loop. Hashes, HMAC, HKDF and the TLS PRF are not here: `hashlib` and `hmac` of
the standard library do them natively on both platforms.

Keys are opaque handles: in a browser the private ones are non-extractable CryptoKeys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

GCM_TAG_LENGTH = 16


class NamedGroup(IntEnum):
    """Groups for ephemeral key agreement (RFC 8446, Section 4.2.7)."""

    SECP256R1 = 0x0017
    SECP384R1 = 0x0018
    X25519 = 0x001D


class SignatureScheme(IntEnum):
    """Signature schemes (RFC 8446, Section 4.2.3); PKCS #1 only occurs in certificates, and so does ECDSA with SHA-512,
    under the curves that are known here."""

    RSA_PKCS1_SHA256 = 0x0401
    RSA_PKCS1_SHA384 = 0x0501
    RSA_PKCS1_SHA512 = 0x0601
    ECDSA_SECP256R1_SHA256 = 0x0403
    ECDSA_SECP384R1_SHA384 = 0x0503
    ECDSA_SECP521R1_SHA512 = 0x0603
    RSA_PSS_RSAE_SHA256 = 0x0804
    RSA_PSS_RSAE_SHA384 = 0x0805
    RSA_PSS_RSAE_SHA512 = 0x0806


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An ECDSA P-256 key pair: the public key as DER SubjectPublicKeyInfo, the private one as a handle."""

    public_key: bytes
    handle: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyShare:
    """An ephemeral key pair: the public key as it stands in a key_share or ECPoint, the private one as a handle."""

    group: NamedGroup
    public_key: bytes
    handle: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class AeadKey:
    """An AES-GCM key of 16 or 32 octets."""

    handle: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """An AES key of 16 or 32 octets for AES Key Wrap with Padding (RFC 5649)."""

    handle: Any = field(repr=False)


class CryptoProvider(Protocol):
    """The operations; every implementation passes the same vectors."""

    def random_bytes(self, length: int) -> bytes:
        """`length` octets from the platform's cryptographic generator."""
        ...

    async def generate_signing_key(self) -> SigningKey:
        """A new ECDSA P-256 key pair; not extractable where the platform can keep that promise."""
        ...

    async def sign(self, key: SigningKey, data: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over `data`, as a DER Ecdsa-Sig-Value."""
        ...

    async def verify(self, public_key: bytes, scheme: SignatureScheme, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` verifies under a DER SubjectPublicKeyInfo; False also for a key that does
        not fit the scheme and for malformed keys and signatures. Of an ECDSA scheme only the hash counts: that a curve
        belongs to it is a rule of TLS 1.3 (RFC 8446, Section 4.2.3), not of TLS 1.2 or of certificates."""
        ...

    async def generate_key_share(self, group: NamedGroup) -> KeyShare:
        """A new ephemeral key pair."""
        ...

    async def agree(self, key_share: KeyShare, peer_public_key: bytes) -> bytes:
        """The shared secret (32 octets; 48 for secp384r1); `IllegalParameter` for an invalid point or a zero result."""
        ...

    async def import_aead_key(self, key: bytes) -> AeadKey:
        """A key for `seal` and `open`; `ApiMisuse` unless it has 16 or 32 octets."""
        ...

    async def seal(self, key: AeadKey, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """AES-GCM: ciphertext ‖ 16-octet tag, under a 12-octet nonce."""
        ...

    async def open(self, key: AeadKey, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """The plaintext of `seal`'s result; `AuthenticationFailed` for anything else."""
        ...

    async def aes_ctr_keystream(self, key: bytes, counter: bytes, length: int) -> bytes:
        """`length` octets of AES-CM keystream from a 16-octet initial counter block (RFC 3711, Section 4.1.1)."""
        ...

    async def import_wrapping_key(self, key: bytes) -> WrappingKey:
        """A key for `wrap` and `unwrap`; `ApiMisuse` unless it has 16 or 32 octets."""
        ...

    async def wrap(self, key: WrappingKey, plaintext: bytes) -> bytes:
        """AES Key Wrap with Padding (RFC 5649): 8·⌈M/8⌉ + 8 octets."""
        ...

    async def unwrap(self, key: WrappingKey, ciphertext: bytes) -> bytes:
        """The plaintext of `wrap`'s result; `AuthenticationFailed` for anything else."""
        ...
