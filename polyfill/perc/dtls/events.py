"""What an association tells its owner."""

from __future__ import annotations

from dataclasses import dataclass, field

from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.errors import PeerError
from perc.srtp.profiles import SRTPProtectionProfile
from perc.x509.certificate import Certificate


@dataclass(frozen=True, slots=True)
class SrtpKeysExported:
    """The SRTP master keys and salts of both directions, as RFC 5764, Section 4.2 exports them.

    Under a double profile each field holds the inner and then the outer half. The event is there before the datagrams
    with this side's Finished are, so that the keys can be in place when media arrives.
    """

    profile: SRTPProtectionProfile
    client_write_key: bytes = field(repr=False)
    server_write_key: bytes = field(repr=False)
    client_write_salt: bytes = field(repr=False)
    server_write_salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandshakeCompleted:
    """Both sides have proved who they are: their certificates, and what was negotiated."""

    client_certificate: Certificate
    server_certificate: Certificate
    profile: SRTPProtectionProfile
    application_protocol: bytes | None
    ekt_cipher: EKTCipher | None = None


@dataclass(frozen=True, slots=True)
class EktKeyReceived:
    """A client was given an EKTKey, and has acknowledged it."""

    key: EktKey


@dataclass(frozen=True, slots=True)
class EktKeyAcknowledged:
    """The client has the EKTKey with this SPI."""

    spi: int


@dataclass(frozen=True, slots=True)
class ApplicationDataReceived:
    """The content of one record."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AssociationFailed:
    """The association is over; `error.alert` was sent, or (`AlertReceived`) was received."""

    error: PeerError


@dataclass(frozen=True, slots=True)
class AssociationClosed:
    """The peer sent close_notify; it was answered, and the association is over."""


Event = (
    SrtpKeysExported
    | HandshakeCompleted
    | EktKeyReceived
    | EktKeyAcknowledged
    | ApplicationDataReceived
    | AssociationFailed
    | AssociationClosed
)
