"""The inner, end-to-end layer: AES-GCM over a synthetic packet (RFC 8723, Sections 5.1 and 5.3).

The synthetic packet has the header of the original without its extensions: those are the Media Distributor's to change.
Keys come from EKT, one master key per SSRC and EKTKey. Counting indices and remembering them is the caller's part:
`packet_index`.

In `frame` mode a whole encoded video frame is one synthetic packet, behind a prefix that stays readable:

    prefix | ciphertext | tag | OHB            associated data: synthetic header | prefix
"""

from __future__ import annotations

from perc.crypto.provider import CryptoProvider
from perc.srtp.key_derivation import SessionKeys
from perc.srtp.packet import RtpPacket


async def protect_inner(
    provider: CryptoProvider, keys: SessionKeys, packet: RtpPacket, roc: int, prefix: bytes = b""
) -> bytes:
    """Ciphertext and tag of `packet`'s payload, without prefix and OHB.

    The caller promises that it never passes the same keys, SSRC, ROC and SEQ twice.
    """
    nonce = keys.rtp_nonce(packet.ssrc, roc, packet.sequence_number)
    return await provider.seal(keys.key, nonce, packet.payload, packet.write_header(extension=False) + prefix)


async def unprotect_inner(
    provider: CryptoProvider, keys: SessionKeys, packet: RtpPacket, roc: int, prefix: bytes = b""
) -> bytes:
    """The plaintext of `packet`, whose payload is ciphertext and tag, and whose header is the original one.

    `AuthenticationFailed` if anything about it was changed.
    """
    nonce = keys.rtp_nonce(packet.ssrc, roc, packet.sequence_number)
    return await provider.open(keys.key, nonce, packet.payload, packet.write_header(extension=False) + prefix)
