"""Observers and attackers of one running Media Distributor that come and go with the tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from uuid import UUID

from OpenSSL import SSL

from perc.srtp.packet import RtpPacket
from perc.tunnel.messages import Message
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.hop import HopKeys
from perc_server.media_distributor.ice import Address
from perc_server.media_distributor.packet_path import Leg
from perc_server.media_distributor.seams import ForwardedPacket, Tamper, Tap


class Taps(Tap):
    """The taps of all tests that are under way."""

    def __init__(self) -> None:
        self._taps: list[Tap] = []

    @contextlib.contextmanager
    def listening(self, tap: Tap) -> Iterator[None]:
        """Passes everything on to a tap meanwhile."""
        self._taps.append(tap)
        try:
            yield
        finally:
            self._taps.remove(tap)

    def hop_added(self, endpoint: str, keys: HopKeys) -> None:
        for tap in self._taps:
            tap.hop_added(endpoint, keys)

    def rtp_received(self, endpoint: str, packet: bytes) -> None:
        for tap in self._taps:
            tap.rtp_received(endpoint, packet)

    def forwarded(self, packet: ForwardedPacket) -> None:
        for tap in self._taps:
            tap.forwarded(packet)

    def dtls_received(self, association_id: UUID) -> None:
        for tap in self._taps:
            tap.dtls_received(association_id)

    def tunnel_received(self, message: Message) -> None:
        for tap in self._taps:
            tap.tunnel_received(message)


class Attack(Tamper):
    """Does what the attacker of the moment does; otherwise the Media Distributor is honest."""

    def __init__(self) -> None:
        self._attacker = Tamper()
        self.legs: dict[tuple[int, str], Leg] = {}
        """The leg of each SSRC to each receiver, as the honest Media Distributor chose it last."""

    @contextlib.contextmanager
    def by(self, attacker: Tamper) -> Iterator[None]:
        """Lets an attacker act meanwhile."""
        before, self._attacker = self._attacker, attacker
        try:
            yield
        finally:
            self._attacker = before

    def tunnel_context(self, context: SSL.Context) -> SSL.Context:
        return self._attacker.tunnel_context(context)

    def accepts_tunnel(self, fingerprint: Fingerprint) -> bool:
        return self._attacker.accepts_tunnel(fingerprint)

    def tunnel_received(self, conference: str, message: Message) -> Message | None:
        return self._attacker.tunnel_received(conference, message)

    def is_blocked(self, address: Address) -> bool:
        return self._attacker.is_blocked(address)

    def accepts_taken_source(self, ssrc: int) -> bool:
        return self._attacker.accepts_taken_source(ssrc)

    def leg(self, source: Source, receiver: str, leg: Leg) -> Leg:
        self.legs[source.ssrc, receiver] = leg
        return self._attacker.leg(source, receiver, leg)

    def received(self, packet: RtpPacket) -> RtpPacket:
        return self._attacker.received(packet)

    def forwarded(self, packet: RtpPacket, source: Source, receiver: str) -> RtpPacket | None:
        return self._attacker.forwarded(packet, source, receiver)
