"""The handshake messages between the hellos and Finished (RFC 5246, Section 7.4; RFC 8422, Section 5).

ServerHelloDone is empty, and Finished is nothing but its verify_data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from perc.dtls.extensions import write_uint16s
from perc.dtls.hello import read_uint16s
from perc.errors import IllegalParameter
from perc.wire import Reader, Writer

NAMED_CURVE = 3
ECDSA_SIGN = 64


@dataclass(frozen=True, slots=True)
class DigitallySigned:
    """A signature and its scheme (RFC 5246, Section 4.7)."""

    scheme: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class ServerKeyExchange:
    """The server's ephemeral key, signed together with both randoms."""

    group: int
    public_key: bytes
    signed: DigitallySigned


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """Which certificates and signatures a server takes; certificate_authorities says nothing here."""

    certificate_types: bytes
    signature_schemes: tuple[int, ...]


def write_certificates(certificates: Iterable[bytes]) -> bytes:
    """A Certificate message, from certificates in DER."""
    writer = Writer()
    for der in certificates:
        writer.opaque(der, 3, 1)
    return Writer().opaque(writer.finish(), 3).finish()


def read_certificates(body: bytes) -> tuple[bytes, ...]:
    """The certificates of a Certificate message, the sender's own first; possibly none."""
    reader = Reader(body)
    certificates_reader = reader.vector(3)
    reader.expect_end()
    certificates: list[bytes] = []
    while certificates_reader.remaining:
        certificates.append(certificates_reader.opaque(3, 1))
    return tuple(certificates)


def write_ecdh_parameters(group: int, public_key: bytes) -> bytes:
    """ServerECDHParams: what is signed behind the randoms."""
    return Writer().uint8(NAMED_CURVE).uint16(group).opaque(public_key, 1, 1).finish()


def write_server_key_exchange(message: ServerKeyExchange) -> bytes:
    """The body of the message."""
    return write_ecdh_parameters(message.group, message.public_key) + write_certificate_verify(message.signed)


def read_server_key_exchange(body: bytes) -> ServerKeyExchange:
    """The message in `body`; `IllegalParameter` for explicit curves, which RFC 8422 has done away with."""
    reader = Reader(body)
    if reader.uint8() != NAMED_CURVE:
        raise IllegalParameter("an ECDH key that is not on a named curve")
    message = ServerKeyExchange(reader.uint16(), reader.opaque(1, 1), _read_digitally_signed(reader))
    reader.expect_end()
    return message


def write_certificate_request(request: CertificateRequest) -> bytes:
    """The body of the message, without certificate_authorities: self-signed certificates have none."""
    writer = Writer().opaque(request.certificate_types, 1, 1)
    return writer.write(write_uint16s(request.signature_schemes)).opaque(b"", 2).finish()


def read_certificate_request(body: bytes) -> CertificateRequest:
    """The message in `body`."""
    reader = Reader(body)
    request = CertificateRequest(reader.opaque(1, 1), read_uint16s(reader.opaque(2, 2)))
    authorities = reader.vector(2)
    while authorities.remaining:
        authorities.opaque(2, 1)
    reader.expect_end()
    return request


def write_client_key_exchange(public_key: bytes) -> bytes:
    """The body of the message: the client's ephemeral key."""
    return Writer().opaque(public_key, 1, 1).finish()


def read_client_key_exchange(body: bytes) -> bytes:
    """The client's ephemeral key."""
    reader = Reader(body)
    public_key = reader.opaque(1, 1)
    reader.expect_end()
    return public_key


def write_certificate_verify(signed: DigitallySigned) -> bytes:
    """The body of the message."""
    return Writer().uint16(signed.scheme).opaque(signed.signature, 2).finish()


def read_certificate_verify(body: bytes) -> DigitallySigned:
    """The signature in a CertificateVerify."""
    reader = Reader(body)
    signed = _read_digitally_signed(reader)
    reader.expect_end()
    return signed


def _read_digitally_signed(reader: Reader) -> DigitallySigned:
    return DigitallySigned(reader.uint16(), reader.opaque(2))
