"""The payload of a browser's packet or frame: inner layer, OHB and EKTField as its last octets.

    [prefix] | inner ciphertext | tag (16) | PT SEQ Config | EKTField

A browser's own SRTP is the outer layer, and nothing can stand behind it. Without its EKTField the payload of an audio
packet is RFC 8723; `payload_format` has what is different about whole video frames. Native endpoints put the field
where RFC 8870 wants it, behind the SRTP packet, and do not come here.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.crypto.provider import CryptoProvider
from perc.ekt.outcome import Drop, PacketDropped
from perc.ekt.receiver import EktReceiver
from perc.ekt.sender import EktSender
from perc.errors import DecodeError
from perc.srtp.ekt_field import EKTField, split_ekt_field
from perc.srtp.inner import protect_inner
from perc.srtp.key_derivation import SessionKeys
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.packet import RtpPacket
from perc.srtp.packet_index import SEQUENCE_MODULUS
from perc.srtp.payload_format import PayloadFormat


@dataclass(frozen=True, slots=True)
class Frame:
    """What a transform knows of a frame, and its data: plain when sent, a whole payload when received."""

    payload_type: int
    timestamp: int
    ssrc: int
    data: bytes
    key_frame: bool = False
    sequence_number: int = 0
    """Of the outer header, when received; video frames have none that means anything."""


async def write_payload(
    provider: CryptoProvider, keys: SessionKeys, payload_format: PayloadFormat, frame: Frame, index: int
) -> bytes:
    """Prefix, inner ciphertext, tag and OHB; the EKTField is still to come."""
    roc, sequence_number = divmod(index, SEQUENCE_MODULUS)
    packet = RtpPacket(
        frame.payload_type, sequence_number, frame.timestamp, frame.ssrc, frame.data, payload_format.marker
    )
    prefix = payload_format.prefix(key_frame=frame.key_frame)
    # All three fields, always: the Media Distributor may then change each of them and has nothing to add.
    block = OriginalHeaderBlock(frame.payload_type, sequence_number, payload_format.marker)
    return prefix + await protect_inner(provider, keys, packet, roc, prefix) + block.write()


async def protect_payload(
    provider: CryptoProvider, sender: EktSender, payload_format: PayloadFormat, frame: Frame, index: int, now: float
) -> bytes:
    """The whole payload of a frame with this index; `SendingStopped` if there is no key for it."""
    packet_keys = await sender.next_packet(index // SEQUENCE_MODULUS, now, key_frame=frame.key_frame)
    payload = await write_payload(provider, packet_keys.keys, payload_format, frame, index)
    return payload + packet_keys.field.write()


async def unprotect_payload(receiver: EktReceiver, payload_format: PayloadFormat, frame: Frame, now: float) -> bytes:
    """The media in a received payload; `PacketDropped` if it is not exactly what its sender made."""
    try:
        prefix, packet, ekt_field = _read_payload(payload_format, frame)
    except DecodeError as error:
        raise PacketDropped(Drop.MALFORMED) from error
    return await receiver.unprotect(packet, ekt_field, now, prefix)


def _read_payload(payload_format: PayloadFormat, frame: Frame) -> tuple[bytes, RtpPacket, EKTField]:
    body, ekt_field = split_ekt_field(frame.data)
    protected, block = OriginalHeaderBlock.split(body)
    prefix, ciphertext = payload_format.split_prefix(protected)
    received = RtpPacket(
        frame.payload_type, frame.sequence_number, frame.timestamp, frame.ssrc, ciphertext, payload_format.marker
    )
    return prefix, block.restore(received), ekt_field
