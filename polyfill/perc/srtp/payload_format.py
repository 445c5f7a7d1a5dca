"""How a browser's media lies in a payload: what stays readable in front, and which marker the inner header has.

A browser's transform sees whole frames. Of Opus, one frame is one RTP packet, and its payload is RFC 8723 as it stands.
A VP8 frame is protected whole (`frame` mode); the packetiser must still tell key frames from others, and so a constant
prefix says that much and nothing else: not even the size of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import DecodeError


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """One codec's format; prefixes are empty where nothing stays readable.

    `marker` is that of the inner header: a video frame is its own last packet, and that of audio is not visible here.
    """

    marker: bool
    key_frame_prefix: bytes
    delta_frame_prefix: bytes

    def prefix(self, *, key_frame: bool) -> bytes:
        """The octets in front of the ciphertext."""
        return self.key_frame_prefix if key_frame else self.delta_frame_prefix

    def split_prefix(self, payload: bytes) -> tuple[bytes, bytes]:
        """The prefix, and what follows; `DecodeError` if the payload starts with neither prefix."""
        # The lowest bit of a VP8 frame is its inverse key frame flag (RFC 6386, Section 9.1).
        prefix = self.prefix(key_frame=not (payload[:1] or b"\1")[0] & 1)
        if not payload.startswith(prefix):
            raise DecodeError("the payload does not start with its format's prefix")
        return prefix, payload[len(prefix) :]


OPUS = PayloadFormat(marker=False, key_frame_prefix=b"", delta_frame_prefix=b"")

# The header of a key frame of 320 by 240 pixels, whatever its true size; of others the first octet of their frame tag.
VP8 = PayloadFormat(marker=True, key_frame_prefix=bytes.fromhex("1002009d012a4001f000"), delta_frame_prefix=b"\x01")
