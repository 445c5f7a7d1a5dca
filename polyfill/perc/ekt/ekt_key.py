"""The EKTKey structure that a Key Distributor gives to an endpoint (RFC 8870, Section 5.2.2).

    struct {
      opaque ekt_key_value<1..256>;
      opaque srtp_master_salt<1..256>;
      uint16 ekt_spi;
      uint24 ekt_ttl;
    } EKTKey;

A ceiling of 256 does not fit one octet, so both vectors have a length of two (RFC 8446, Section 3.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from perc.errors import DecodeError, IllegalParameter
from perc.wire import Reader, Writer

SALT_LENGTH = 12
"""Octets of the master salt that AES-GCM uses (RFC 7714, Section 12)."""


class EKTCipher(IntEnum):
    """EKTCipherType of supported_ekt_ciphers (RFC 8870, Section 5.2.1).

    The text's TLS enumeration and the implementations count from 1, its registry from 0; the enumeration is what goes
    on the wire.
    """

    AESKW128 = 1
    AESKW256 = 2

    @property
    def key_length(self) -> int:
        """L of RFC 8870, Section 4.4.1: octets of the EKTKey."""
        return 16 if self is EKTCipher.AESKW128 else 32


@dataclass(frozen=True, slots=True)
class EktKey:
    """One EKT parameter set: the key-encrypting key of all members, the salt of every master key sent under it, the
    SPI by which EKTFields refer to both, and for how many seconds it may be used."""

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    spi: int
    ttl: int

    @property
    def cipher(self) -> EKTCipher:
        """The EKT cipher; its key length tells them apart."""
        return EKTCipher.AESKW128 if len(self.key) == EKTCipher.AESKW128.key_length else EKTCipher.AESKW256

    @classmethod
    def read(cls, body: bytes) -> EktKey:
        """An ekt_key message body; `IllegalParameter` for a key or salt that no EKT cipher or SRTP profile here takes.

        "If an EKTKey message is received that cannot be processed, then the recipient MUST respond with an appropriate
        DTLS alert" (RFC 8870, Section 5.2.2).
        """
        reader = Reader(body)
        key = reader.opaque(2, 1, 256)
        salt = reader.opaque(2, 1, 256)
        spi, ttl = reader.uint16(), reader.uint24()
        reader.expect_end()
        if len(key) not in (cipher.key_length for cipher in EKTCipher):
            raise IllegalParameter(f"an EKTKey of {len(key)} octets")
        if len(salt) < SALT_LENGTH:
            raise IllegalParameter(f"a master salt of {len(salt)} octets")
        # "If the value of the srtp_master_salt […] is longer than needed by SRTP, then it is truncated by taking the
        # first N bytes" (RFC 8870, Section 4.3.2).
        return cls(key, salt[:SALT_LENGTH], spi, ttl)

    def write(self) -> bytes:
        """The message body."""
        writer = Writer().opaque(self.key, 2, 1, 256).opaque(self.salt, 2, 1, 256)
        return writer.uint16(self.spi).uint24(self.ttl).finish()


def write_ekt_ciphers(ciphers: Iterable[EKTCipher]) -> bytes:
    """A client's supported_ekt_ciphers extension, the most preferred cipher first."""
    return Writer().opaque(bytes(ciphers), 1, 1, 255).finish()


def read_ekt_ciphers(body: bytes) -> tuple[EKTCipher, ...]:
    """A client's supported_ekt_ciphers extension: the ciphers known here, in the client's order of preference."""
    reader = Reader(body)
    values = reader.opaque(1, 1, 255)
    reader.expect_end()
    return tuple(EKTCipher(value) for value in values if value in set(EKTCipher))


def write_selected_ekt_cipher(cipher: EKTCipher) -> bytes:
    """A server's supported_ekt_ciphers extension."""
    return Writer().uint8(cipher).finish()


def read_selected_ekt_cipher(body: bytes) -> EKTCipher:
    """A server's supported_ekt_ciphers extension: the one cipher it selected."""
    if len(body) != 1:
        raise DecodeError(f"a selected EKT cipher of {len(body)} octets")
    try:
        return EKTCipher(body[0])
    except ValueError as error:
        raise IllegalParameter(f"EKT cipher {body[0]} was not offered") from error
