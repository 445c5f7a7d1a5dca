"""Seams for tests and benchmarks: a tap that observes a Media Distributor, and a tamper hook that makes it hostile.

Both are arguments of `MediaDistributor` and absent in production. Every method of the two classes leaves things as they
are; a test overrides the methods that it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from OpenSSL import SSL

from perc.srtp.packet import RtpPacket
from perc.tunnel.messages import Message
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.hop import HopKeys
from perc_server.media_distributor.ice import Address
from perc_server.media_distributor.packet_path import Leg


@dataclass(frozen=True, slots=True)
class ForwardedPacket:
    """One packet to one receiver, as the Media Distributor saw and sent it: the most that it could read."""

    source_endpoint: str
    receiver_endpoint: str
    received: bytes
    """The RTP packet behind the sender's hop."""
    sent: bytes
    """The SRTP packet on the receiver's hop."""


class Tap:
    """Observes a Media Distributor without changing anything."""

    def hop_added(self, endpoint: str, keys: HopKeys) -> None:
        """An endpoint's hop got its keys."""

    def rtp_received(self, endpoint: str, packet: bytes) -> None:
        """An SRTP packet arrived from an endpoint. It has not been checked yet and may be dropped."""

    def forwarded(self, packet: ForwardedPacket) -> None:
        """A packet was sent to one receiver."""

    def dtls_received(self, association_id: UUID) -> None:
        """A DTLS datagram arrived from an endpoint, for the Key Distributor."""

    def tunnel_received(self, message: Message) -> None:
        """A message arrived from a Key Distributor."""


class Tamper:
    """Changes what a Media Distributor does, as an attacker or a broken network in its place would."""

    def tunnel_context(self, context: SSL.Context) -> SSL.Context:
        """Return the TLS context, and with it the certificate, for the next tunnel connection."""
        return context

    def accepts_tunnel(self, fingerprint: Fingerprint) -> bool:
        """Return whether a Key Distributor with this certificate may open a tunnel now."""
        del fingerprint
        return True

    def tunnel_received(self, conference: str, message: Message) -> Message | None:
        """Return the message to process in place of one that came from a Key Distributor; None drops it."""
        del conference
        return message

    def is_blocked(self, address: Address) -> bool:
        """Return whether datagrams from and to a media address are lost."""
        del address
        return False

    def accepts_taken_source(self, ssrc: int) -> bool:
        """Return whether an endpoint may use an SSRC that another endpoint has."""
        del ssrc
        return False

    def leg(self, source: Source, receiver: str, leg: Leg) -> Leg:
        """Return the leg on which a source is forwarded to a receiver."""
        del source, receiver
        return leg

    def received(self, packet: RtpPacket) -> RtpPacket:
        """Return the packet to forward in place of one that authenticated; its SSRC is one that is known."""
        return packet

    def forwarded(self, packet: RtpPacket, source: Source, receiver: str) -> RtpPacket | None:
        """Return the packet to protect for one receiver in place of a source's packet; None drops it."""
        del source, receiver
        return packet
