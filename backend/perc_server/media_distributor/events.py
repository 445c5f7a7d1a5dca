"""What call processing is told without having asked (control protocol, events)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar


class StepName(StrEnum):
    """Steps of the call flow in which the Media Distributor has a part."""

    NEW_CONFERENCE = "new-conference"
    CONFERENCE_ACK = "conference-ack"
    TLS = "tls"
    PROFILES = "profiles"
    OFFER = "offer"
    SIGN_ANSWER = "sign-answer"
    SIGN_ANSWER_ACK = "sign-answer-ack"
    ANSWER = "answer"
    DTLS = "dtls"
    TUNNELED_DTLS = "tunneled-dtls"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the call flow happened, for the first time for whomever it is about."""

    event: ClassVar = "step"
    conference: str
    step: StepName
    endpoint: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class TunnelChanged:
    """The Key Distributor's tunnel went up or down."""

    event: ClassVar = "tunnel"
    conference: str
    state: str


@dataclass(frozen=True, slots=True)
class SourcesChanged:
    """How many sources there are, which is how many slots a receiver may need."""

    event: ClassVar = "sources"
    conference: str
    audio: int
    video: int


@dataclass(frozen=True, slots=True)
class EndpointLeft:
    """An endpoint is gone, without call processing having said so."""

    event: ClassVar = "endpoint-left"
    conference: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class ConferenceEnded:
    """A conference is over, without call processing having said so."""

    event: ClassVar = "ended"
    conference: str
    reason: str


Event = Step | TunnelChanged | SourcesChanged | EndpointLeft | ConferenceEnded

Notify = Callable[[Event], None]


def as_message(event: Event) -> dict[str, Any]:
    """The event as a message of the control protocol; what does not apply is left out."""
    fields = {name: value for name, value in asdict(event).items() if value is not None}
    return {"event": event.event, **fields}
