"""The extensions that are negotiated here: their codes and their content.

Left out on purpose: session tickets and resumption, encrypt-then-MAC (every suite is AEAD), all of DTLS 1.3's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from perc.dtls.hello import read_uint16s
from perc.errors import HandshakeFailure
from perc.wire import Reader, Writer

UNCOMPRESSED_POINT = 0

# RFC 8833, Section 3. c-webrtc asks that the media be confidential from the page: an identity-constrained call.
C_WEBRTC = b"c-webrtc"
WEBRTC = b"webrtc"

# RFC 8844, Section 4: opaque session_id<20..255>
MIN_EXTERNAL_SESSION_ID_LENGTH = 20


class ExtensionType(IntEnum):
    """Codes of the IANA registry."""

    SUPPORTED_GROUPS = 10
    EC_POINT_FORMATS = 11
    SIGNATURE_ALGORITHMS = 13
    USE_SRTP = 14
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16
    EXTENDED_MASTER_SECRET = 23
    SUPPORTED_EKT_CIPHERS = 39
    SUPPORTED_VERSIONS = 43
    EXTERNAL_SESSION_ID = 56
    RENEGOTIATION_INFO = 0xFF01


# "an empty renegotiated_connection" (RFC 5746, Section 3.4): the length of nothing.
EMPTY_RENEGOTIATION_INFO = b"\x00"
# TLS_EMPTY_RENEGOTIATION_INFO_SCSV: the same, said as a cipher suite (RFC 5746, Section 3.3).
EMPTY_RENEGOTIATION_INFO_SCSV = 0x00FF


@dataclass(frozen=True, slots=True)
class UseSrtp:
    """SRTP protection profiles in order of preference, and an MKI value (RFC 5764, Section 4.1.1)."""

    profiles: tuple[int, ...]
    mki: bytes = b""


def write_use_srtp(use_srtp: UseSrtp) -> bytes:
    """The extension's data."""
    return Writer().write(write_uint16s(use_srtp.profiles)).opaque(use_srtp.mki, 1).finish()


def read_use_srtp(data: bytes) -> UseSrtp:
    """The extension in `data`."""
    reader = Reader(data)
    use_srtp = UseSrtp(read_uint16s(reader.opaque(2, 2)), reader.opaque(1))
    reader.expect_end()
    return use_srtp


def write_uint16s(values: Iterable[int]) -> bytes:
    """A list behind a 16-bit length: named groups, signature schemes, protection profiles."""
    octets = b"".join([value.to_bytes(2, "big") for value in values])
    return Writer().opaque(octets, 2, 2).finish()


def read_uint16_list(data: bytes, length_bytes: int = 2) -> tuple[int, ...]:
    """The list in `data`, which holds nothing else."""
    reader = Reader(data)
    values = read_uint16s(reader.opaque(length_bytes, 2))
    reader.expect_end()
    return values


def write_protocol_names(names: Iterable[bytes]) -> bytes:
    """A ProtocolNameList (RFC 7301, Section 3.1)."""
    writer = Writer()
    for name in names:
        writer.opaque(name, 1, 1)
    return Writer().opaque(writer.finish(), 2, 2).finish()


def read_protocol_names(data: bytes) -> tuple[bytes, ...]:
    """The ProtocolNameList in `data`."""
    reader = Reader(data)
    names_reader = reader.vector(2, 2)
    reader.expect_end()
    names: list[bytes] = []
    while names_reader.remaining:
        names.append(names_reader.opaque(1, 1))
    return tuple(names)


def write_point_formats() -> bytes:
    """The one format there is (RFC 8422, Section 5.1.2)."""
    return Writer().opaque(bytes([UNCOMPRESSED_POINT]), 1).finish()


def read_point_formats(data: bytes) -> bytes:
    """The ECPointFormatList in `data`, a format an octet."""
    reader = Reader(data)
    formats = reader.opaque(1, 1)
    reader.expect_end()
    return formats


def write_external_session_id(session_id: bytes) -> bytes:
    """The extension's data."""
    return Writer().opaque(session_id, 1, MIN_EXTERNAL_SESSION_ID_LENGTH).finish()


def read_external_session_id(data: bytes) -> bytes:
    """The tls-id in an external_session_id (RFC 8844, Section 4)."""
    reader = Reader(data)
    session_id = reader.opaque(1, MIN_EXTERNAL_SESSION_ID_LENGTH)
    reader.expect_end()
    return session_id


def check_renegotiation_info(data: bytes) -> None:
    """`HandshakeFailure` for a renegotiation_info that refers to an earlier handshake: there is none, ever."""
    # "verify that the length of the 'renegotiated_connection' field is zero, and if it is not, MUST abort the handshake
    # (by sending a fatal handshake_failure alert)" (RFC 5746, Sections 3.4 and 3.6)
    if data != EMPTY_RENEGOTIATION_INFO:
        raise HandshakeFailure("renegotiation_info of another connection")
