"""The crypto provider of CPython, on pyca/cryptography.

Nothing here suspends: a coroutine of this provider runs to its end in one `send(None)`.
"""

from __future__ import annotations

import os
from typing import cast

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from perc.crypto.provider import (
    AeadKey,
    KeyShare,
    NamedGroup,
    SignatureScheme,
    SigningKey,
    WrappingKey,
)
from perc.crypto.sizes import check_aes_key, check_public_key, read_ec_public_key
from perc.errors import ApiMisuse, AuthenticationFailed, DecodeError, IllegalParameter

_CURVES: dict[NamedGroup, ec.EllipticCurve] = {
    NamedGroup.SECP256R1: ec.SECP256R1(),
    NamedGroup.SECP384R1: ec.SECP384R1(),
}
_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())
_ECDSA: dict[SignatureScheme, ec.ECDSA] = {
    SignatureScheme.ECDSA_SECP256R1_SHA256: _ECDSA_SHA256,
    SignatureScheme.ECDSA_SECP384R1_SHA384: ec.ECDSA(hashes.SHA384()),
    SignatureScheme.ECDSA_SECP521R1_SHA512: ec.ECDSA(hashes.SHA512()),
}
_RSA_PKCS1: dict[SignatureScheme, hashes.HashAlgorithm] = {
    SignatureScheme.RSA_PKCS1_SHA256: hashes.SHA256(),
    SignatureScheme.RSA_PKCS1_SHA384: hashes.SHA384(),
    SignatureScheme.RSA_PKCS1_SHA512: hashes.SHA512(),
}
_RSA_PSS: dict[SignatureScheme, hashes.HashAlgorithm] = {
    SignatureScheme.RSA_PSS_RSAE_SHA256: hashes.SHA256(),
    SignatureScheme.RSA_PSS_RSAE_SHA384: hashes.SHA384(),
    SignatureScheme.RSA_PSS_RSAE_SHA512: hashes.SHA512(),
}


class PycaProvider:
    """A `CryptoProvider` on pyca/cryptography; `provider.py` says what each operation promises."""

    def random_bytes(self, length: int) -> bytes:
        """From the operating system."""
        return os.urandom(length)

    async def generate_signing_key(self) -> SigningKey:
        """The private key is an object of cryptography's, in this process's memory."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        public_key = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return SigningKey(public_key, private_key)

    async def sign(self, key: SigningKey, data: bytes) -> bytes:
        """With a random nonce of OpenSSL's."""
        signature: bytes = key.handle.sign(data, _ECDSA_SHA256)
        return signature

    async def verify(self, public_key: bytes, scheme: SignatureScheme, signature: bytes, data: bytes) -> bool:
        """OpenSSL itself refuses ECDSA signatures that are not DER."""
        try:
            if scheme in _ECDSA:
                return _verify_ecdsa(public_key, scheme, signature, data)
            return _verify_rsa(public_key, scheme, signature, data)
        except (DecodeError, ValueError, UnsupportedAlgorithm, InvalidSignature):
            return False

    async def generate_key_share(self, group: NamedGroup) -> KeyShare:
        """The private key is an object of cryptography's, in this process's memory."""
        if group is NamedGroup.X25519:
            x25519 = X25519PrivateKey.generate()
            return KeyShare(group, x25519.public_key().public_bytes_raw(), x25519)
        private_key = ec.generate_private_key(_CURVES[group])
        point = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return KeyShare(group, point, private_key)

    async def agree(self, key_share: KeyShare, peer_public_key: bytes) -> bytes:
        """Never suspends."""
        check_public_key(key_share.group, peer_public_key)
        try:
            if key_share.group is NamedGroup.X25519:
                x25519: X25519PrivateKey = key_share.handle
                return x25519.exchange(X25519PublicKey.from_public_bytes(peer_public_key))
            private_key: ec.EllipticCurvePrivateKey = key_share.handle
            point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[key_share.group], peer_public_key)
            return private_key.exchange(ec.ECDH(), point)
        except ValueError as error:
            raise IllegalParameter("the peer's key share is not valid in its group") from error

    async def import_aead_key(self, key: bytes) -> AeadKey:
        """Never suspends."""
        return AeadKey(AESGCM(check_aes_key(key)))

    async def seal(self, key: AeadKey, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Never suspends."""
        sealed: bytes = key.handle.encrypt(nonce, plaintext, associated_data)
        return sealed

    async def open(self, key: AeadKey, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Never suspends."""
        try:
            plaintext: bytes = key.handle.decrypt(nonce, ciphertext, associated_data)
        except InvalidTag as error:
            raise AuthenticationFailed("the GCM tag is wrong") from error
        return plaintext

    async def aes_ctr_keystream(self, key: bytes, counter: bytes, length: int) -> bytes:
        """Never suspends."""
        encryptor = Cipher(algorithms.AES(check_aes_key(key)), modes.CTR(counter)).encryptor()
        return encryptor.update(bytes(length)) + encryptor.finalize()

    async def import_wrapping_key(self, key: bytes) -> WrappingKey:
        """Never suspends."""
        return WrappingKey(check_aes_key(key))

    async def wrap(self, key: WrappingKey, plaintext: bytes) -> bytes:
        """`ApiMisuse` for an empty plaintext, which RFC 5649 does not define."""
        if not plaintext:
            raise ApiMisuse("there is nothing to wrap")
        return keywrap.aes_key_wrap_with_padding(key.handle, plaintext)

    async def unwrap(self, key: WrappingKey, ciphertext: bytes) -> bytes:
        """Never suspends."""
        try:
            return keywrap.aes_key_unwrap_with_padding(key.handle, ciphertext)
        except (keywrap.InvalidUnwrap, ValueError) as error:
            raise AuthenticationFailed("the wrapped key does not authenticate") from error


def _verify_ecdsa(public_key: bytes, scheme: SignatureScheme, signature: bytes, data: bytes) -> bool:
    read_ec_public_key(public_key)  # which refuses what OpenSSL would also take
    key = cast(ec.EllipticCurvePublicKey, load_der_public_key(public_key))
    key.verify(signature, data, _ECDSA[scheme])
    return True


def _verify_rsa(public_key: bytes, scheme: SignatureScheme, signature: bytes, data: bytes) -> bool:
    key = load_der_public_key(public_key)
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public_key:
        return False  # a form that WebCrypto does not take: id-RSASSA-PSS, lax DER
    if scheme in _RSA_PKCS1:
        key.verify(signature, data, padding.PKCS1v15(), _RSA_PKCS1[scheme])
        return True
    if scheme not in _RSA_PSS:
        return False
    digest = _RSA_PSS[scheme]
    # RFC 8446, Section 4.2.3: "The length of the Salt MUST be equal to the length of the digest algorithm."
    key.verify(signature, data, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
    return True
