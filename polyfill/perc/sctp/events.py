"""What a responder reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class AssociationEstablished:
    """The peer is there and messages can be sent; a second one means that it started over and has forgotten all."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """One whole message of at most 64 KiB."""

    stream_id: int
    ppid: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AssociationAborted:
    """The association has ended, by either side or by silence; the peer may open another."""

    reason: str


Event: TypeAlias = AssociationEstablished | MessageReceived | AssociationAborted
