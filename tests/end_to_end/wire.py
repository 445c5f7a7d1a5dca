"""The wire between endpoints and the Media Distributor, as whoever has the hop keys can read it.

Everything that arrives is decrypted here once more, by libsrtp on its own: also what the Media Distributor drops.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from perc.srtp.packet import RtpPacket
from perc.srtp.profiles import SRTPProtectionProfile
from perc_server.media_distributor.hop import HopKeys
from perc_server.media_distributor.seams import Tap

PROFILES = {
    SRTPProtectionProfile.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SRTPProtectionProfile.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}

RUN = 8
"""Octets in a row that no ciphertext has in common with a frame by chance."""

KEY_FRAME_HEADER = 10
"""Octets at the start of a VP8 key frame, which the constant prefix of protected frames resembles."""


@dataclass(frozen=True)
class Rtp:
    """A packet as RFC 3550, Section 5.1, has it; read here once more, so that it is read independently."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    @classmethod
    def read(cls, packet: bytes) -> Rtp:
        first, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", packet[:12])
        assert first >> 6 == 2
        start, end = 12 + 4 * (first & 15), len(packet)
        if first & 0x10:
            start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
        if first & 0x20:
            end -= packet[-1]
        return cls(second & 127, bool(second >> 7), sequence, timestamp, ssrc, packet[start:end])


def replay(packet: RtpPacket, recorded: Rtp) -> RtpPacket:
    """A packet of a source that is there now, made into one that was recorded before, of the same source or another."""
    return replace(
        packet,
        ssrc=recorded.ssrc,
        timestamp=recorded.timestamp,
        marker=recorded.marker,
        payload=recorded.payload,
    )


class Wire(Tap):
    """Packets by the endpoint that sent them; of each hop that is made while this tap is in place."""

    def __init__(self) -> None:
        self.packets: list[tuple[str, Rtp]] = []
        self._sessions: dict[str, Session] = {}

    def hop_added(self, endpoint: str, keys: HopKeys) -> None:
        profile = PROFILES[keys.profile]
        policy = Policy(key=keys.client_write, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        self._sessions[endpoint] = Session(policy)

    def rtp_received(self, endpoint: str, packet: bytes) -> None:
        session = self._sessions.get(endpoint)
        if session is None:
            return
        with contextlib.suppress(SrtpError):  # a duplicate, which this session has seen
            received = Rtp.read(session.unprotect(packet))
            if received.payload:  # else padding, which congestion control sends without a frame
                self.packets.append((endpoint, received))

    def of(self, endpoint: str, since: int = 0) -> list[Rtp]:
        """What an endpoint sent; `since` counts all packets."""
        return [packet for sender, packet in self.packets[since:] if sender == endpoint]


class Plaintext:
    """Frames that must not be seen: known by any few octets of theirs."""

    def __init__(self, frames: Iterable[Any]) -> None:
        self._short: set[bytes] = set()
        self._runs: set[bytes] = set()
        for frame in frames:
            data: bytes = frame.data
            if len(data) < RUN:
                self._short.add(data)
            elif frame.kind == "video" and not data[0] & 1:
                self._add(data[KEY_FRAME_HEADER:])
            else:
                self._add(data)

    def _add(self, data: bytes) -> None:
        self._runs.update(data[at : at + RUN] for at in range(len(data) - RUN + 1))

    def is_in(self, payload: bytes) -> bool:
        """Whether a payload is one of the short frames, or has eight octets in a row of another."""
        runs = (payload[at : at + RUN] for at in range(len(payload) - RUN + 1))
        return payload in self._short or not self._runs.isdisjoint(runs)
