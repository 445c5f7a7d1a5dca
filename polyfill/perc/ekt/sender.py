"""The keys of one source that this endpoint sends (RFC 8870, Sections 4.3.1, 4.5 and 4.6).

    no master key --first EKTKey--> active --new EKTKey--> active, announced --250 ms--> active

A new EKTKey makes a new master key. It is told in the next packets while the old one still encrypts, so that receivers
have it before they need it; then it takes over. The source's index goes on through all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perc.crypto.provider import CryptoProvider
from perc.ekt.cipher import EktParameterSet, EKTPlaintext
from perc.ekt.key_channel import MediaKind
from perc.ekt.outcome import SendingStopped, Stop
from perc.ekt.parameter_sets import EktParameterSets
from perc.srtp.ekt_field import EKTField, FullEKTField, ShortEKTField
from perc.srtp.key_derivation import SessionKeys, derive_rtp_keys

OVERLAP = 0.25
"""Seconds for which the old SRTP master key is used on after a new one was sent (Section 4.3.1)."""
LATEST_CHANGE = 0.5
"""Seconds after the arrival of an EKTKey at which the old master key is gone, even where no packet has announced the
new one yet: a source that was silent must not go on for somebody who has left."""
CONSECUTIVE_FULL_FIELDS = 3
"""Packets that a FullEKTField goes with at first, "to accommodate packet loss" (Section 4.6)."""
AUDIO_PERIOD = 0.1
"""Seconds between FullEKTFields of audio, for new receivers; video has one with each key frame (Section 4.6)."""
EPOCH_LIMIT = 1 << 16
"""SRTP master keys of one source under one EKTKey: the epoch of a FullEKTField has 16 bits (Section 4.1)."""


@dataclass(frozen=True, slots=True)
class PacketKeys:
    """What one packet is protected with, and the EKTField that ends it."""

    keys: SessionKeys
    field: EKTField


@dataclass(slots=True)
class _MasterKey:
    octets: bytes = field(repr=False)
    keys: SessionKeys
    parameters: EktParameterSet
    epoch: int
    told: tuple[int, bytes] | None = None

    async def full_field(self, ssrc: int, roc: int) -> FullEKTField:
        # "The value of the EKTCiphertext field is identical in successive packets protected by the same EKT parameter
        # set and the same SRTP master key, and ROC" (Section 4.3.2).
        if self.told is None or self.told[0] != roc:
            self.told = roc, await self.parameters.wrap(EKTPlaintext(self.octets, ssrc, roc))
        return FullEKTField(self.told[1], self.parameters.ekt_key.spi, self.epoch)


class EktSender:
    """The keys of one SSRC, packet by packet."""

    def __init__(
        self,
        provider: CryptoProvider,
        sets: EktParameterSets,
        ssrc: int,
        kind: MediaKind,
    ) -> None:
        self._provider = provider
        self._sets = sets
        self._ssrc = ssrc
        self._kind = kind
        self._active: _MasterKey | None = None
        self._announced: _MasterKey | None = None
        self._change_at = 0.0
        self._full_fields_due = 0
        self._last_full_field = float("-inf")
        self._next_epoch: dict[int, int] = {}

    @property
    def epochs_held(self) -> int:
        """For how many EKTKeys the next epoch is remembered."""
        return len(self._next_epoch)

    def restart(self) -> None:
        """The next packet has a new master key: whoever continues this source may not know all that the old one did."""
        self._active = self._announced = None

    async def next_packet(self, roc: int, now: float, *, key_frame: bool = False) -> PacketKeys:
        """The keys and the field of the next packet, whose index is in `roc`; `SendingStopped` if there are none."""
        active, newest = await self._follow(self._sets.outbound(now), now)
        if not self._is_full_field_due(now, key_frame):
            return PacketKeys(active.keys, ShortEKTField())
        field = await newest.full_field(self._ssrc, roc)
        self._full_fields_due = max(0, self._full_fields_due - 1)
        self._last_full_field = now
        return PacketKeys(active.keys, field)

    async def _follow(self, parameters: EktParameterSet, now: float) -> tuple[_MasterKey, _MasterKey]:
        """The master key that encrypts and the one that is told, after following a change of the EKTKey."""
        newest = self._announced or self._active
        # "If a source has its EKTKey changed by the key management, it MUST also change its SRTP master key"
        # (Section 4.5).
        if newest is None or newest.parameters is not parameters:
            self._active = newest
            self._announced = newest = await self._generate(parameters)
            self._full_fields_due = CONSECUTIVE_FULL_FIELDS
            self._change_at = min(now + OVERLAP, parameters.arrived_at + LATEST_CHANGE)
        if self._active is None or now >= min(self._change_at, self._active.parameters.expires_at):
            self._active, self._announced = newest, None
        return self._active, newest

    async def _generate(self, parameters: EktParameterSet) -> _MasterKey:
        # "SRTP master keys MUST be randomly generated […] and MUST NOT be derived from other SRTP master keys"
        # (Section 6).
        spi = parameters.ekt_key.spi
        # "It starts at zero at the beginning of a session and resets to zero whenever the EKTKey is changed"
        # (Section 4.1).
        epoch = self._next_epoch.get(spi, 0)
        if epoch >= EPOCH_LIMIT:
            raise SendingStopped(Stop.EXHAUSTED)
        self._next_epoch = {spi: epoch + 1}
        octets = self._provider.random_bytes(parameters.master_key_length)
        keys = await derive_rtp_keys(self._provider, octets, parameters.ekt_key.salt)
        return _MasterKey(octets, keys, parameters, epoch)

    def _is_full_field_due(self, now: float, key_frame: bool) -> bool:
        if self._full_fields_due or key_frame:
            return True
        return self._kind is MediaKind.AUDIO and now - self._last_full_field >= AUDIO_PERIOD
