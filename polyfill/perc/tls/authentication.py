"""EncryptedExtensions, CertificateRequest, Certificate and CertificateVerify (RFC 8446, Sections 4.3 and 4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from perc.crypto.provider import SignatureScheme
from perc.errors import AlertDescription, CertificateError, DecodeError, IllegalParameter, PeerError
from perc.tls.extensions import ExtensionType, check_responses, read_extensions
from perc.wire import Reader, Writer
from perc.x509.certificate import Certificate
from perc.x509.extensions import KeyUsage

_ENCRYPTED_EXTENSIONS = frozenset({ExtensionType.SERVER_NAME, ExtensionType.SUPPORTED_GROUPS})
_NO_EXTENSIONS: frozenset[ExtensionType] = frozenset()
_SERVER_CONTEXT = b"TLS 1.3, server CertificateVerify"
_CLIENT_CONTEXT = b"TLS 1.3, client CertificateVerify"


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """The signature schemes that a server takes from a client; numbers that are not known here included."""

    schemes: frozenset[int]


@dataclass(frozen=True, slots=True)
class CertificateVerify:
    """A signature over the transcript."""

    scheme: SignatureScheme
    signature: bytes


def read_encrypted_extensions(body: bytes) -> None:
    """Checks EncryptedExtensions, none of which tells this client anything."""
    reader = Reader(body)
    check_responses(read_extensions(reader), _ENCRYPTED_EXTENSIONS)
    reader.expect_end()


def read_certificate_request(body: bytes) -> CertificateRequest:
    """Reads a CertificateRequest of the handshake; unknown extensions are ignored, as Section 4.3.2 wants it."""
    reader = Reader(body)
    # "This field SHALL be zero length unless used for the post-handshake authentication exchanges".
    if reader.opaque(1):
        raise IllegalParameter("a request context in a handshake")
    extensions = read_extensions(reader)
    reader.expect_end()
    # "The "signature_algorithms" extension MUST be specified".
    if ExtensionType.SIGNATURE_ALGORITHMS not in extensions:
        raise PeerError("a request without signature schemes", AlertDescription.MISSING_EXTENSION)
    outer = Reader(extensions[ExtensionType.SIGNATURE_ALGORITHMS])
    schemes = outer.vector(2, minimum=2, maximum=0xFFFE)
    outer.expect_end()
    found = set()
    while schemes.remaining:
        found.add(schemes.uint16())
    return CertificateRequest(frozenset(found))


def read_certificate(body: bytes) -> tuple[bytes, ...]:
    """Reads the server's Certificate: the DER of each certificate in its order."""
    reader = Reader(body)
    if reader.opaque(1):
        raise IllegalParameter("a request context in the server's Certificate")
    entries = reader.vector(3)
    reader.expect_end()
    chain = []
    while entries.remaining:
        chain.append(entries.opaque(3, minimum=1))
        check_responses(read_extensions(entries), _NO_EXTENSIONS)
    # "If the server supplies an empty Certificate message, the client MUST abort the handshake with a "decode_error"
    # alert" (Section 4.4.2.4).
    if not chain:
        raise DecodeError("a server without a certificate")
    return tuple(chain)


def write_certificate(*chain: bytes) -> bytes:
    """The body of a client's Certificate; without a chain, of one that declines to authenticate."""
    entries = Writer()
    for der in chain:
        entries.opaque(der, 3, minimum=1).opaque(b"", 2)
    return Writer().opaque(b"", 1).opaque(entries.finish(), 3).finish()


def read_certificate_verify(body: bytes) -> CertificateVerify:
    """Reads a CertificateVerify; `IllegalParameter` for a signature scheme that was never offered."""
    reader = Reader(body)
    number = reader.uint16()
    signature = reader.opaque(2)
    reader.expect_end()
    try:
        return CertificateVerify(SignatureScheme(number), signature)
    except ValueError as error:
        raise IllegalParameter(f"signature scheme {number:#06x}") from error


def write_certificate_verify(verify: CertificateVerify) -> bytes:
    """The body of a CertificateVerify."""
    return Writer().uint16(verify.scheme).opaque(verify.signature, 2).finish()


def check_may_sign(certificate: Certificate) -> None:
    """`CertificateError` for a server whose key is none that signs TLS 1.3 handshakes."""
    if certificate.key_type is None:
        raise CertificateError("a public key that is not accepted", AlertDescription.UNSUPPORTED_CERTIFICATE)
    # "the digitalSignature bit MUST be set if the Key Usage extension is present" (Section 4.4.2.2).
    usage = certificate.extensions.key_usage
    if usage is not None and KeyUsage.DIGITAL_SIGNATURE not in usage:
        raise CertificateError("a key that may not sign", AlertDescription.UNSUPPORTED_CERTIFICATE)


def server_signed_content(transcript_hash: bytes) -> bytes:
    """What the server signs (Section 4.4.3)."""
    return _signed_content(_SERVER_CONTEXT, transcript_hash)


def client_signed_content(transcript_hash: bytes) -> bytes:
    """What the client signs (Section 4.4.3)."""
    return _signed_content(_CLIENT_CONTEXT, transcript_hash)


def _signed_content(context: bytes, transcript_hash: bytes) -> bytes:
    return b" " * 64 + context + b"\x00" + transcript_hash
