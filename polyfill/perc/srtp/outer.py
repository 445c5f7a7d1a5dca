"""The outer, hop-by-hop layer: SRTP with AES-GCM (RFC 3711, RFC 7714).

The whole header is authenticated, extensions included; the payload is encrypted, the tag of 16 octets stands behind it.
There is no MKI: "EKT MUST NOT be used in conjunction with SRTP's MKI" (RFC 8870, Section 4).
"""

from __future__ import annotations

from dataclasses import replace

from perc.crypto.provider import GCM_TAG_LENGTH, CryptoProvider
from perc.errors import ApiMisuse, AuthenticationFailed
from perc.srtp.key_derivation import SessionKeys
from perc.srtp.packet import RtpPacket
from perc.srtp.packet_index import SEQUENCE_MODULUS, ReplayWindow, estimate_index

MAX_SOURCES = 1024
"""SSRCs that one hop key protects or opens at most: each is some state, and a peer can make up new ones."""


class OuterSender:
    """Protects the packets of one hop, of any number of SSRCs."""

    def __init__(self, provider: CryptoProvider, keys: SessionKeys) -> None:
        self._provider = provider
        self._keys = keys
        self._sources: dict[int, ReplayWindow] = {}

    async def protect(self, packet: RtpPacket) -> bytes:
        """The SRTP packet; `ApiMisuse` if this SSRC's SEQ was protected before.

        A second packet under one key and nonce would cost all secrecy; what must go out again goes out as it was.
        """
        window = _window(self._sources, packet.ssrc)
        index = estimate_index(window.highest, packet.sequence_number)
        if not window.is_fresh(index):
            raise ApiMisuse(f"packet {index} of SSRC {packet.ssrc:#x} was protected before")
        self._sources[packet.ssrc] = window
        window.accept(index)  # Before anything is awaited: no second packet may take this index meanwhile.
        nonce = self._keys.rtp_nonce(packet.ssrc, *divmod(index, SEQUENCE_MODULUS))
        header = packet.write_header()
        return header + await self._provider.seal(self._keys.key, nonce, packet.payload, header)


class OuterReceiver:
    """Opens the packets of one hop, of any number of SSRCs."""

    def __init__(self, provider: CryptoProvider, keys: SessionKeys) -> None:
        self._provider = provider
        self._keys = keys
        self._sources: dict[int, ReplayWindow] = {}

    @property
    def ssrcs(self) -> frozenset[int]:
        """The SSRCs of which a packet has authenticated: only of these is anything kept."""
        return frozenset(self._sources)

    async def unprotect(self, data: bytes) -> RtpPacket:
        """The RTP packet; `DecodeError` if it is none, `AuthenticationFailed` if it is forged, repeated or too old."""
        packet = RtpPacket.read(data)
        if len(packet.payload) < GCM_TAG_LENGTH:
            raise AuthenticationFailed("the packet is too short for its tag")
        window = _window(self._sources, packet.ssrc)
        index = estimate_index(window.highest, packet.sequence_number)
        if not window.is_fresh(index):
            raise AuthenticationFailed("the packet is a replay")
        nonce = self._keys.rtp_nonce(packet.ssrc, *divmod(index, SEQUENCE_MODULUS))
        plaintext = await self._provider.open(self._keys.key, nonce, packet.payload, packet.write_header())
        # Only a packet that authenticates makes its SSRC known, or moves its window.
        self._sources[packet.ssrc] = window
        window.accept(index)
        return replace(packet, payload=plaintext)


def _window(sources: dict[int, ReplayWindow], ssrc: int) -> ReplayWindow:
    window = sources.get(ssrc)
    if window is None and len(sources) >= MAX_SOURCES:
        raise AuthenticationFailed("too many SSRCs under one hop key")
    return window or ReplayWindow()
