"""SRTCP with AES-GCM (RFC 3711, Section 3.4; RFC 7714, Section 9). RTCP has the outer layer only (RFC 8723, Section 6).

    header and sender's SSRC (8 octets) | encrypted rest | tag (16) | E and SRTCP index (4)

Header and the last word are authenticated with it. E is always 1: what is not encrypted is not accepted.
"""

from __future__ import annotations

from perc.crypto.provider import GCM_TAG_LENGTH, CryptoProvider
from perc.errors import ApiMisuse, AuthenticationFailed, DecodeError
from perc.srtp.key_derivation import SessionKeys
from perc.srtp.packet import MAX_PACKET_LENGTH
from perc.srtp.packet_index import ReplayWindow

HEADER_LENGTH = 8
INDEX_LIMIT = 1 << 31
MAX_SOURCES = 64
"""Senders of RTCP per hop: an endpoint has one, a Media Distributor few."""
_WORD_LENGTH = 4
_ENCRYPTED = 1 << 31


class RtcpSender:
    """Protects the compound packets of one hop."""

    def __init__(self, provider: CryptoProvider, keys: SessionKeys) -> None:
        self._provider = provider
        self._keys = keys
        self._index = 0

    async def protect(self, packet: bytes) -> bytes:
        """The SRTCP packet of a compound RTCP packet."""
        if len(packet) < HEADER_LENGTH:
            raise ApiMisuse(f"an RTCP packet of {len(packet)} octets")
        # "The SRTCP index MUST be set to zero before the first SRTCP packet is sent, and MUST be incremented by one,
        # modulo 2^31, after each SRTCP packet is sent" (RFC 3711, Section 3.4). The key ends before it wraps.
        index, self._index = self._index, self._index + 1
        if index >= INDEX_LIMIT:
            raise ApiMisuse("every SRTCP index of this key has been used")
        header, word = packet[:HEADER_LENGTH], (index | _ENCRYPTED).to_bytes(_WORD_LENGTH, "big")
        nonce = self._keys.rtcp_nonce(int.from_bytes(header[4:], "big"), index)
        return header + await self._provider.seal(self._keys.key, nonce, packet[HEADER_LENGTH:], header + word) + word


class RtcpReceiver:
    """Opens the compound packets of one hop."""

    def __init__(self, provider: CryptoProvider, keys: SessionKeys) -> None:
        self._provider = provider
        self._keys = keys
        self._sources: dict[int, ReplayWindow] = {}

    async def unprotect(self, data: bytes) -> bytes:
        """The compound packet; `DecodeError` if it is none, `AuthenticationFailed` if forged, clear or repeated."""
        if not HEADER_LENGTH + GCM_TAG_LENGTH + _WORD_LENGTH <= len(data) <= MAX_PACKET_LENGTH or data[0] >> 6 != 2:
            raise DecodeError(f"not an SRTCP packet: {len(data)} octets")
        header, body, word = data[:HEADER_LENGTH], data[HEADER_LENGTH:-_WORD_LENGTH], data[-_WORD_LENGTH:]
        index, ssrc = int.from_bytes(word, "big") - _ENCRYPTED, int.from_bytes(header[4:], "big")
        if index < 0:
            raise AuthenticationFailed("the packet is not encrypted")
        window = self._sources.get(ssrc) or ReplayWindow()
        if not window.is_fresh(index) or (ssrc not in self._sources and len(self._sources) >= MAX_SOURCES):
            raise AuthenticationFailed("the packet is a replay, or of one sender too many")
        nonce = self._keys.rtcp_nonce(ssrc, index)
        plaintext = await self._provider.open(self._keys.key, nonce, body, header + word)
        self._sources[ssrc] = window
        window.accept(index)
        return header + plaintext
