"""The JSON of the signalling interface, version 1: strict, bounded, nothing unknown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ROOM_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
MAXIMUM_SDP = 1 << 16  # an SDP that the tunnel's 16-bit length could not carry need not be read (RFC 9185, Section 6)
MAXIMUM_BODY = 2 * MAXIMUM_SDP  # JSON escapes

Room = Annotated[str, StringConstraints(pattern=ROOM_PATTERN)]
Sha256Fingerprint = Annotated[str, StringConstraints(pattern=r"^sha-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}$")]
Claim = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]
EndpointId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]


class Message(BaseModel):
    """Every message names its version."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1]


class StartConference(Message):
    """4.1.1 (7): the owner's page starts a conference and names its Key Distributor by fingerprint.

    With the `claim` of a conference that it started before, in the place of that one.
    """

    room: Room
    fingerprint: Sha256Fingerprint
    claim: Claim | None = None


class ConferenceStarted(Message):
    """4.1.1 (10): where the Media Distributor listens for the Key Distributor.

    `generation` is what events call this conference, `claim` a capability of its owner alone.
    """

    host: str
    port: int
    generation: str
    claim: Claim


class Offer(Message):
    """4.1.2 (9) and 4.1.6 (11): a signed offer; with `endpoint`, one that renegotiates."""

    type: Literal["offer"]
    sdp: Annotated[str, Field(max_length=MAXIMUM_SDP)]
    role: Literal["owner", "participant"]
    endpoint: EndpointId | None = None


class Answer(Message):
    """4.1.4 (1) and 4.1.8 (1): the answer that the Key Distributor signed."""

    type: Literal["answer"] = "answer"
    sdp: str
    endpoint: EndpointId


class Leave(Message):
    """An endpoint's page says goodbye."""

    endpoint: EndpointId


class End(Message):
    """The owner ends the conference, whether or not its Key Distributor has a tunnel."""

    claim: Claim
