"""A tap that keeps what a Media Distributor forwarded."""

from __future__ import annotations

from perc_server.media_distributor.seams import ForwardedPacket, Tap


class Recording(Tap):
    """`packets` are all that were forwarded since the recording began, in order, once for each receiver."""

    def __init__(self) -> None:
        self.packets: list[ForwardedPacket] = []

    def forwarded(self, packet: ForwardedPacket) -> None:
        self.packets.append(packet)
