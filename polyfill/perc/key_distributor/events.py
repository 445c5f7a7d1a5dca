"""What the Key Distributor tells the page, in the past tense; request ids belong to one sign_answer each."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from perc.ekt.key_channel import Member
from perc.errors import PeerError
from perc.x509.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class Connected:
    """The tunnel is up: the Media Distributor is authenticated and has said which profiles it speaks."""

    profiles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The tunnel broke a protocol or its certificate was refused. Send what there is to send, then close."""

    error: PeerError


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """The tunnel is gone. Associations wait for the next one, unless the Media Distributor has ended it in order."""


@dataclass(frozen=True, slots=True)
class SignAnswerReceived:
    """An offer with its answer came in (4.1.3 (2)); the offer's fingerprints tell the page whose it is."""

    request_id: int
    fingerprints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class ValidationRequested:
    """The offerer's assertion is to be validated (4.1.3 (3)); the verdict comes in by `validated`."""

    request_id: int
    domain: str
    protocol: str
    assertion: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PeerValidated:
    """The offerer is `identity`, says the provider at `domain` (4.1.3 (4))."""

    request_id: int
    identity: str
    domain: str


@dataclass(frozen=True, slots=True)
class AssertionRequested:
    """The Key Distributor's own provider is to sign these contents (4.1.3 (5)); the result comes in by `asserted`."""

    request_id: int
    contents: str


@dataclass(frozen=True, slots=True)
class AnswerSigned:
    """The answer went back with the Key Distributor's identity (4.1.3 (9))."""

    request_id: int


@dataclass(frozen=True, slots=True)
class AnswerRefused:
    """The answer was not signed; the offerer is told why."""

    request_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class FingerprintFailed:
    """An endpoint's DTLS certificate belongs to no validated offer; `expected` are those that were awaited."""

    association_id: UUID
    presented: Fingerprint
    expected: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """An endpoint waits until someone decides by `admit` or `deny`, or it gives up (`EndpointLeft`).

    `identity` is verified by the provider at `domain`, at `verified_at` (seconds since 1970).
    """

    association_id: UUID
    identity: str
    domain: str
    verified_at: int


@dataclass(frozen=True, slots=True)
class EndpointKeyed:
    """An endpoint's key channel is open, and the EKTKey and the roster are on their way to it."""

    association_id: UUID
    identity: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class EndpointLeft:
    """An association is over; `identity` is None if nobody had authenticated on it."""

    association_id: UUID
    identity: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class SourceRefused:
    """An endpoint announced an SSRC that another member sends with; it has to take a new one."""

    association_id: UUID
    ssrc: int


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """Who is in the conference now, and the SPI of its EKTKey; None while there is none."""

    members: tuple[Member, ...]
    spi: int | None


Event = (
    Connected
    | ConnectionFailed
    | ConnectionClosed
    | SignAnswerReceived
    | ValidationRequested
    | PeerValidated
    | AssertionRequested
    | AnswerSigned
    | AnswerRefused
    | FingerprintFailed
    | JoinRequested
    | EndpointKeyed
    | EndpointLeft
    | SourceRefused
    | RosterChanged
)
