"""The crypto provider of a browser, on WebCrypto; with `runtime/` the only door to JavaScript.

Private keys are generated inside WebCrypto and are never extractable: not by this code, not by a bug in it. AES Key
Wrap with Padding, which WebCrypto lacks, is built from single AES-CBC blocks under a non-extractable key.

Each call costs about 0.2 ms for the await alone, so machines should make few of them.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from perc.crypto.ecdsa_signature import ecdsa_signature_from_raw, ecdsa_signature_to_raw
from perc.crypto.key_wrap import unwrap_with_padding, wrap_with_padding
from perc.crypto.provider import AeadKey, KeyShare, NamedGroup, SignatureScheme, SigningKey, WrappingKey
from perc.crypto.sizes import AES_BLOCK_LENGTH, check_aes_key, check_public_key, read_ec_public_key
from perc.errors import AuthenticationFailed, DecodeError, IllegalParameter


def _object(**members: Any) -> Any:
    return to_js(members, dict_converter=js.Object.fromEntries)


_SUBTLE = js.crypto.subtle
_SIGNING = _object(name="ECDSA", namedCurve="P-256")
_SIGNATURE = _object(name="ECDSA", hash="SHA-256")
_AGREEMENT = {
    NamedGroup.SECP256R1: (_object(name="ECDH", namedCurve="P-256"), "ECDH", 256),
    NamedGroup.SECP384R1: (_object(name="ECDH", namedCurve="P-384"), "ECDH", 384),
    NamedGroup.X25519: (_object(name="X25519"), "X25519", 256),
}
# The curve, and the octets of a coordinate.
_CURVES = {NamedGroup.SECP256R1: ("P-256", 32), NamedGroup.SECP384R1: ("P-384", 48)}
_ECDSA = {
    SignatureScheme.ECDSA_SECP256R1_SHA256: "SHA-256",
    SignatureScheme.ECDSA_SECP384R1_SHA384: "SHA-384",
    SignatureScheme.ECDSA_SECP521R1_SHA512: "SHA-512",
}
_RSA_PKCS1 = {
    SignatureScheme.RSA_PKCS1_SHA256: "SHA-256",
    SignatureScheme.RSA_PKCS1_SHA384: "SHA-384",
    SignatureScheme.RSA_PKCS1_SHA512: "SHA-512",
}
# RFC 8446, Section 4.2.3: "The length of the Salt MUST be equal to the length of the digest algorithm."
_RSA_PSS = {
    SignatureScheme.RSA_PSS_RSAE_SHA256: ("SHA-256", 32),
    SignatureScheme.RSA_PSS_RSAE_SHA384: ("SHA-384", 48),
    SignatureScheme.RSA_PSS_RSAE_SHA512: ("SHA-512", 64),
}
_FULL_PADDING_BLOCK = bytes([AES_BLOCK_LENGTH]) * AES_BLOCK_LENGTH
_ZERO_BLOCK = bytes(AES_BLOCK_LENGTH)


class WebCryptoProvider:
    """A `CryptoProvider` on WebCrypto; `provider.py` says what each operation promises."""

    def random_bytes(self, length: int) -> bytes:
        """From crypto.getRandomValues, which gives 65536 octets at most."""
        array = js.Uint8Array.new(length)
        js.crypto.getRandomValues(array)
        return bytes(array.to_bytes())

    async def generate_signing_key(self) -> SigningKey:
        """The handle is a non-extractable CryptoKey."""
        pair = await _SUBTLE.generateKey(_SIGNING, False, to_js(["sign", "verify"]))
        return SigningKey(await _bytes(_SUBTLE.exportKey("spki", pair.publicKey)), pair.privateKey)

    async def sign(self, key: SigningKey, data: bytes) -> bytes:
        """One call."""
        return ecdsa_signature_from_raw(await _bytes(_SUBTLE.sign(_SIGNATURE, key.handle, to_js(data))))

    async def verify(self, public_key: bytes, scheme: SignatureScheme, signature: bytes, data: bytes) -> bool:
        """Two calls: the key is imported for one verification."""
        try:
            if scheme in _ECDSA:
                curve, signature = _read_ecdsa(public_key, signature)
                key_type, algorithm = (
                    _object(name="ECDSA", namedCurve=curve),
                    _object(name="ECDSA", hash=_ECDSA[scheme]),
                )
            else:
                key_type, algorithm = _rsa_algorithms(scheme)
            key = await _SUBTLE.importKey("spki", to_js(public_key), key_type, False, to_js(["verify"]))
            return bool(await _SUBTLE.verify(algorithm, key, to_js(signature), to_js(data)))
        except DecodeError:
            return False
        except JsException as error:
            _expect(error, "DataError", "OperationError", "NotSupportedError")
            return False

    async def generate_key_share(self, group: NamedGroup) -> KeyShare:
        """The handle is a non-extractable CryptoKey."""
        key_type, _, _ = _AGREEMENT[group]
        pair = await _SUBTLE.generateKey(key_type, False, to_js(["deriveBits"]))
        return KeyShare(group, await _bytes(_SUBTLE.exportKey("raw", pair.publicKey)), pair.privateKey)

    async def agree(self, key_share: KeyShare, peer_public_key: bytes) -> bytes:
        """Two calls; WebCrypto itself refuses an all-zero X25519 secret."""
        key_type, name, bits = _AGREEMENT[key_share.group]
        raw = to_js(check_public_key(key_share.group, peer_public_key))
        try:
            peer_key = await _SUBTLE.importKey("raw", raw, key_type, False, to_js([]))
            algorithm = _object(name=name, public=peer_key)
            return await _bytes(_SUBTLE.deriveBits(algorithm, key_share.handle, bits))
        except JsException as error:
            _expect(error, "DataError", "OperationError")
            raise IllegalParameter("the peer's key share is not valid in its group") from error

    async def import_aead_key(self, key: bytes) -> AeadKey:
        """The handle is a non-extractable CryptoKey."""
        return AeadKey(await _import_aes_key("AES-GCM", key))

    async def seal(self, key: AeadKey, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """One call."""
        algorithm = _object(name="AES-GCM", iv=nonce, additionalData=associated_data)
        return await _bytes(_SUBTLE.encrypt(algorithm, key.handle, to_js(plaintext)))

    async def open(self, key: AeadKey, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """One call; a wrong tag arrives as an OperationError, as does a ciphertext shorter than a tag."""
        algorithm = _object(name="AES-GCM", iv=nonce, additionalData=associated_data)
        try:
            return await _bytes(_SUBTLE.decrypt(algorithm, key.handle, to_js(ciphertext)))
        except JsException as error:
            _expect(error, "OperationError")
            raise AuthenticationFailed("the GCM tag is wrong") from error

    async def aes_ctr_keystream(self, key: bytes, counter: bytes, length: int) -> bytes:
        """Two calls."""
        algorithm = _object(name="AES-CTR", counter=counter, length=8 * AES_BLOCK_LENGTH)
        handle = await _import_aes_key("AES-CTR", key)
        return await _bytes(_SUBTLE.encrypt(algorithm, handle, to_js(bytes(length))))

    async def import_wrapping_key(self, key: bytes) -> WrappingKey:
        """The handle is a non-extractable CryptoKey."""
        return WrappingKey(await _import_aes_key("AES-CBC", key))

    async def wrap(self, key: WrappingKey, plaintext: bytes) -> bytes:
        """Six calls for each eight octets; a hot path caches the result."""

        async def encrypt_block(block: bytes) -> bytes:
            return await _encrypt_block(key, block, _ZERO_BLOCK)

        return await wrap_with_padding(encrypt_block, plaintext)

    async def unwrap(self, key: WrappingKey, ciphertext: bytes) -> bytes:
        """Twelve calls for each eight octets; a hot path caches the result."""

        async def decrypt_block(block: bytes) -> bytes:
            # AES-CBC only decrypts what ends in padding: a second block is made that decrypts to nothing but padding.
            padding = await _encrypt_block(key, _FULL_PADDING_BLOCK, block)
            algorithm = _object(name="AES-CBC", iv=_ZERO_BLOCK)
            return await _bytes(_SUBTLE.decrypt(algorithm, key.handle, to_js(block + padding)))

        return await unwrap_with_padding(decrypt_block, ciphertext)


def _read_ecdsa(public_key: bytes, signature: bytes) -> tuple[str, bytes]:
    """The curve of a key, and r ‖ s of a signature on it. WebCrypto itself would also take compressed points."""
    group, _ = read_ec_public_key(public_key)
    curve, coordinate_length = _CURVES[group]
    return curve, ecdsa_signature_to_raw(signature, coordinate_length)


def _rsa_algorithms(scheme: SignatureScheme) -> tuple[Any, Any]:
    """The algorithms of importKey and of verify."""
    if scheme in _RSA_PKCS1:
        pkcs1 = _object(name="RSASSA-PKCS1-v1_5", hash=_RSA_PKCS1[scheme])
        return pkcs1, pkcs1
    digest, salt_length = _RSA_PSS[scheme]
    return _object(name="RSA-PSS", hash=digest), _object(name="RSA-PSS", saltLength=salt_length)


async def _encrypt_block(key: WrappingKey, block: bytes, initial_vector: bytes) -> bytes:
    """AES(block ⊕ initial vector): the first block of AES-CBC; the second one is its padding."""
    algorithm = _object(name="AES-CBC", iv=initial_vector)
    return (await _bytes(_SUBTLE.encrypt(algorithm, key.handle, to_js(block))))[:AES_BLOCK_LENGTH]


async def _import_aes_key(algorithm: str, key: bytes) -> Any:
    usages = to_js(["encrypt", "decrypt"])
    return await _SUBTLE.importKey("raw", to_js(check_aes_key(key)), algorithm, False, usages)


async def _bytes(promise: Awaitable[Any]) -> bytes:
    return bytes((await promise).to_bytes())


def _expect(error: JsException, *names: str) -> None:
    """Raise `error` again unless it is a DOMException that bad input causes: a bug of ours must not pass as one."""
    if error.name not in names:
        raise error
