"""The packet path's interface: what conference policy tells it, and what it tells back.

`Forwarder` is the implementation in Python. Policy (who gets which slot, who left) stays on the caller's side, so that
another implementation needs no more than these tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from perc.srtp.packet import HeaderExtension
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.hop import HopKeys
from perc_server.media_distributor.reception import ReportBlock


@dataclass(frozen=True, slots=True)
class Leg:
    """How a source's packets look on their way to one receiver."""

    payload_type: int
    extension: HeaderExtension


Send = Callable[[str, bytes], None]
"""Sends a datagram to an endpoint, if its address is known."""


Heard = Callable[[int], None]
"""Told of a source's first packet before it is forwarded, so that the source may be connected first."""


class PacketPath(Protocol):
    """SRTP in, SRTP out. Endpoints are known by their ids, sources by their SSRCs; neither is ever invented here."""

    def add_hop(self, endpoint: str, keys: HopKeys) -> None:
        """From now on packets from and to this endpoint are protected with these keys."""

    def remove_hop(self, endpoint: str) -> None:
        """The endpoint left: its hop's keys, and every leg to it, are gone."""

    def add_source(self, endpoint: str, source: Source) -> None:
        """Packets with this SSRC are accepted, from this endpoint alone."""

    def remove_source(self, ssrc: int) -> None:
        """They are no longer."""

    def connect(self, ssrc: int, receiver: str, leg: Leg) -> None:
        """The source is forwarded to the receiver from its next packet on."""

    def disconnect(self, ssrc: int, receiver: str) -> None:
        """It is no longer; its sequence numbers on that hop go on where they stopped, should it be connected again."""

    def receive_rtp(self, endpoint: str, packet: bytes, now: float) -> None:
        """Forward a packet that came from the endpoint."""

    def receive_rtcp(self, endpoint: str, packet: bytes) -> bytes | None:
        """The compound packet in the clear, or None if it does not authenticate."""

    def send_rtcp(self, endpoint: str, compound: bytes) -> None:
        """Protect a compound packet and send it; nothing happens while the endpoint has no hop."""

    def sender_report(self, ssrc: int, ntp_timestamp: int, now: float) -> None:
        """The source's sender report came: report blocks refer to it."""

    def report(self, ssrc: int, now: float) -> ReportBlock | None:
        """A report block on the source, or None if nothing came from it yet."""
