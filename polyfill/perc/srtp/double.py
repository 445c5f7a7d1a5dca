"""The double transform of a native endpoint: inner layer, OHB, outer layer (RFC 8723, Section 5).

    +----------------------------- outer SRTP ------------------------------+
    | header, extensions | inner ciphertext | inner tag | OHB | outer tag   |
    +-----------------------------------------------------------------------+

The EKTField follows behind, "exactly like using EKT with any other SRTP transform" (Section 5.1): it is no part of it.
The inner keys and ROC are arguments, since with EKT they change while the outer ones stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from perc.crypto.provider import GCM_TAG_LENGTH, CryptoProvider
from perc.errors import ApiMisuse, DecodeError
from perc.srtp.inner import protect_inner
from perc.srtp.key_derivation import SessionKeys
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.outer import OuterReceiver, OuterSender
from perc.srtp.packet import RtpPacket
from perc.srtp.profiles import SRTPProtectionProfile


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A master key and salt of one layer."""

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)


def split_double(profile: SRTPProtectionProfile, key: bytes, salt: bytes) -> tuple[MasterKey, MasterKey]:
    """The inner and the outer master key of a double profile's key and salt.

    "The first half of the key and salt is used for the inner (end-to-end) algorithm and the second half is used for the
    outer (hop-by-hop) algorithm" (RFC 8723, Section 10.1).
    """
    if not profile.is_double or (len(key), len(salt)) != (profile.key_length, profile.salt_length):
        raise ApiMisuse(f"{len(key)} and {len(salt)} octets are no keys of {profile.name}")
    half_key, half_salt = profile.hop_key_length, profile.hop_salt_length
    return MasterKey(key[:half_key], salt[:half_salt]), MasterKey(key[half_key:], salt[half_salt:])


class DoubleSender:
    """Sends on one hop with the double transform."""

    def __init__(self, provider: CryptoProvider, outer: OuterSender) -> None:
        self._provider = provider
        self._outer = outer

    async def protect(self, packet: RtpPacket, keys: SessionKeys, roc: int) -> bytes:
        """The SRTP packet of an endpoint's own RTP packet, under its inner keys and inner ROC."""
        protected = await protect_inner(self._provider, keys, packet, roc)
        return await self._outer.protect(replace(packet, payload=protected + OriginalHeaderBlock().write()))

    async def protect_repair(self, packet: RtpPacket) -> bytes:
        """A repair packet: "with only the hop-by-hop key" (RFC 8723, Section 7.1), around what is protected already."""
        return await self._outer.protect(packet)


class DoubleReceiver:
    """Receives on one hop with the double transform."""

    def __init__(self, outer: OuterReceiver) -> None:
        self._outer = outer

    async def unprotect_outer(self, data: bytes) -> tuple[RtpPacket, RtpPacket]:
        """The packet as the Media Distributor sent it, and the synthetic packet that its sender protected.

        "The application MUST use only the information found in the synthetic SRTP packet", except that PT and SEQ of
        the outer one are for codec selection and ordering (Section 5.3). The synthetic packet is proved by
        `unprotect_inner`, nothing before.
        """
        received = await self._outer.unprotect(data)
        return received, synthetic_packet(received)

    async def unprotect_repair(self, data: bytes) -> RtpPacket:
        """A repair packet, whose payload is yet to be recovered from."""
        return await self._outer.unprotect(data)


def synthetic_packet(received: RtpPacket) -> RtpPacket:
    """The original header, as the OHB gives it, over inner ciphertext and tag; `DecodeError` if they are not there."""
    ciphertext, block = OriginalHeaderBlock.split(received.payload)
    if len(ciphertext) < GCM_TAG_LENGTH:
        raise DecodeError("the payload is too short for an inner tag")
    return replace(block.restore(received), payload=ciphertext, extension=None)
