"""Records as they stand in a datagram (RFC 6347, Section 4.1).

    struct {
        ContentType type;
        ProtocolVersion version;
        uint16 epoch;
        uint48 sequence_number;
        uint16 length;
        opaque fragment[length];
    } DTLSPlaintext, DTLSCiphertext;

Nothing here raises for what a peer sent: "invalid records SHOULD be silently discarded, thus preserving the
association" (RFC 6347, Section 4.1.2.7). A protected record of DTLS 1.3 (first octet 0b001xxxxx) is invalid here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

DTLS_1_0 = 0xFEFF
DTLS_1_2 = 0xFEFD
DTLS_MAJOR = 0xFE

HEADER_LENGTH = 13
MAX_PLAINTEXT_LENGTH = 2**14
MAX_SEQUENCE_NUMBER = 2**48 - 1
# "MUST NOT produce an expansion of greater than 1024 bytes" (RFC 5246, Section 6.2.3.3, of AEAD ciphers).
MAX_FRAGMENT_LENGTH = MAX_PLAINTEXT_LENGTH + 1024
# A flight needs fewer than ten records; more in one datagram only buys failing decryptions at 0.2 ms each.
MAX_RECORDS_PER_DATAGRAM = 32

# epoch and sequence_number stand together, as they do in nonces and additional data.
_HEADER = struct.Struct(">BHQH")


class ContentType(IntEnum):
    """What a record carries (RFC 5246, Section 6.2.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    ACK = 26  # RFC 9147, Section 4; under DTLS 1.2 for EKTKeys only


_CONTENT_TYPES = {content_type.value: content_type for content_type in ContentType}


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `fragment` is plaintext in epoch 0 and ciphertext in epoch 1."""

    content_type: ContentType
    version: int
    epoch: int
    sequence_number: int
    fragment: bytes


def write_record(content_type: int, sequence: int, fragment: bytes) -> bytes:
    """The octets of a record; `sequence` is the 64-bit epoch ‖ sequence_number."""
    return _HEADER.pack(content_type, DTLS_1_2, sequence, len(fragment)) + fragment


def read_records(datagram: bytes) -> list[Record]:
    """The well-formed records at the front of a datagram; from the first malformed one on, the rest is dropped, because
    its length cannot be trusted."""
    records: list[Record] = []
    position = 0
    while len(datagram) - position >= HEADER_LENGTH and len(records) < MAX_RECORDS_PER_DATAGRAM:
        content_type, version, sequence, length = _HEADER.unpack_from(datagram, position)
        position += HEADER_LENGTH
        known_type = _CONTENT_TYPES.get(content_type)
        if known_type is None or version >> 8 != DTLS_MAJOR:
            break
        if length > MAX_FRAGMENT_LENGTH or length > len(datagram) - position:
            break
        fragment = bytes(datagram[position : position + length])
        position += length
        records.append(Record(known_type, version, sequence >> 48, sequence & MAX_SEQUENCE_NUMBER, fragment))
    return records
