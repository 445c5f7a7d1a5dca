"""The inner layer of one source that others send (RFC 8870, Section 4.3.2; RFC 8723, Section 5.3).

A FullEKTField brings a key or is put aside; then the packet is tried with the keys that are known. Of a packet that
does not authenticate nothing is remembered, but a master key that authenticated under the EKTKey.

    ciphertext as last accepted            the packet goes on, with the ROC that was told
    SPI unknown, unwrap fails,             the packet is dropped
      wrong length of the master key
    SSRC of another source                 the field is put aside
    epoch above all seen under this SPI    a new master key and its ROC
    equal or lower epoch                   the field is put aside, except: the same key with a ROC further on moves the
                                           index forward after a pause, once its packet authenticates
"""

from __future__ import annotations

import hmac
from collections import Counter
from dataclasses import dataclass, field

from perc.crypto.provider import CryptoProvider
from perc.ekt.cipher import EktParameterSet, EKTPlaintext
from perc.ekt.outcome import Drop, PacketDropped, PutAside
from perc.ekt.parameter_sets import EktParameterSets
from perc.errors import AuthenticationFailed, DecodeError
from perc.srtp.ekt_field import EKTField, ExtensionEKTField, FullEKTField
from perc.srtp.inner import unprotect_inner
from perc.srtp.key_derivation import SessionKeys, derive_rtp_keys
from perc.srtp.packet import RtpPacket
from perc.srtp.packet_index import SEQUENCE_MODULUS, ReplayState, estimate_index

KEYS_KEPT = 3
"""The key that is told, the one that encrypts meanwhile, and one for packets that were overtaken: a rekey within the
overlap of another has all three."""


@dataclass(frozen=True, slots=True)
class _Key:
    parameters: EktParameterSet
    epoch: int
    octets: bytes = field(repr=False)
    keys: SessionKeys


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a field says of the ROC; only its packet can prove it."""

    ciphertext: bytes
    roc: int


class EktReceiver:
    """Opens the packets of one SSRC. `put_aside` counts EKTFields that were discarded while their packet went on."""

    def __init__(
        self,
        provider: CryptoProvider,
        sets: EktParameterSets,
        ssrc: int,
        replay: ReplayState,
    ) -> None:
        self.put_aside: Counter[PutAside] = Counter()
        self._provider = provider
        self._sets = sets
        self._ssrc = ssrc
        self._replay = replay
        self._keys: list[_Key] = []  # the one that was told last comes first
        self._epochs: dict[EktParameterSet, int] = {}
        self._accepted, self._accepted_roc = b"", 0
        self._roc = 0

    @property
    def keys_held(self) -> int:
        """How many of the source's master keys are kept: at most `KEYS_KEPT`."""
        return len(self._keys)

    @property
    def epochs_held(self) -> int:
        """For how many EKTKeys the highest epoch is remembered: not for more than may still be used."""
        return len(self._epochs)

    async def unprotect(self, packet: RtpPacket, ekt_field: EKTField, now: float, prefix: bytes = b"") -> bytes:
        """The plaintext of a synthetic packet, whose payload is inner ciphertext and tag; `PacketDropped` otherwise."""
        offer = await self._read_field(ekt_field, now)
        self._keys = [key for key in self._keys if self._sets.has(key.parameters, now)]
        if not self._keys:
            raise PacketDropped(Drop.NO_KEY)
        indices = self._possible_indices(packet.sequence_number, offer)
        if not indices:
            raise PacketDropped(Drop.REPLAYED)
        for key in self._keys:
            for index in indices:
                plaintext = await self._open(key.keys, packet, index // SEQUENCE_MODULUS, prefix)
                if plaintext is not None:
                    self._commit(index, offer)
                    return plaintext
        raise PacketDropped(Drop.NOT_AUTHENTIC)

    async def _read_field(self, ekt_field: EKTField, now: float) -> _Offer | None:
        if isinstance(ekt_field, ExtensionEKTField):
            self.put_aside[PutAside.UNKNOWN_TYPE] += 1
        return await self._read_full(ekt_field, now) if isinstance(ekt_field, FullEKTField) else None

    async def _read_full(self, full: FullEKTField, now: float) -> _Offer | None:
        if full.ciphertext == self._accepted:
            # Known, and still the only one who says the ROC after more than half of all SEQs were lost.
            return _Offer(self._accepted, self._accepted_roc)
        plaintext, parameters = await self._unwrap(full, now)
        # "If the SSRC in the EKTPlaintext does not match the SSRC of the SRTP packet received, then this FullEKTField
        # MUST be discarded […]. The remainder of the SRTP packet MAY be processed as normal" (step 5).
        if plaintext.ssrc != self._ssrc:
            self.put_aside[PutAside.SSRC] += 1
            return None
        # "The length of the SRTP Master Key MUST be the same as the master key length for the SRTP transform in use"
        # (step 6).
        if len(plaintext.master_key) != parameters.master_key_length:
            raise PacketDropped(Drop.KEY_LENGTH)
        # "The recipient of a FullEKTField MUST reject any future FullEKTField for this SPI and SSRC that has an equal
        # or lower epoch value to an epoch already seen" (Section 4.1).
        if full.epoch <= self._epochs.get(parameters, -1):
            if self._is_resynchronisation(parameters, full.epoch, plaintext):
                return _Offer(full.ciphertext, plaintext.roc)
            self.put_aside[PutAside.EPOCH] += 1
            return None
        keys = await derive_rtp_keys(self._provider, plaintext.master_key, parameters.ekt_key.salt)
        self._epochs = {each: epoch for each, epoch in self._epochs.items() if self._sets.has(each, now)}
        self._epochs[parameters] = full.epoch
        self._keys = [_Key(parameters, full.epoch, plaintext.master_key, keys), *self._keys][:KEYS_KEPT]
        self._accepted = full.ciphertext
        self._accepted_roc = self._roc = plaintext.roc
        return _Offer(full.ciphertext, plaintext.roc)

    async def _unwrap(self, full: FullEKTField, now: float) -> tuple[EKTPlaintext, EktParameterSet]:
        # "If there is no matching SPI, then the verification function MUST return an indication of authentication
        # failure" (step 2).
        parameters = self._sets.find(full.spi, now)
        if parameters is None:
            raise PacketDropped(Drop.UNKNOWN_SPI)
        try:
            plaintext = await parameters.unwrap(full.ciphertext)
        except (AuthenticationFailed, DecodeError) as error:
            # "The receiver SHOULD discard the whole UDP packet" (step 3).
            raise PacketDropped(Drop.UNWRAP_FAILED) from error
        return plaintext, parameters

    def _is_resynchronisation(self, parameters: EktParameterSet, epoch: int, plaintext: EKTPlaintext) -> bool:
        reached = self._roc if self._replay.highest is None else self._replay.highest // SEQUENCE_MODULUS
        return plaintext.roc > reached and any(
            (key.parameters, key.epoch) == (parameters, epoch) and hmac.compare_digest(key.octets, plaintext.master_key)
            for key in self._keys
        )

    def _possible_indices(self, sequence_number: int, offer: _Offer | None) -> list[int]:
        """The fresh indices that a SEQ may stand for: with the ROC of a new field, then the likely one."""
        reference = self._roc * SEQUENCE_MODULUS + sequence_number
        likely = reference if self._replay.highest is None else estimate_index(self._replay.highest, sequence_number)
        offered = likely if offer is None else offer.roc * SEQUENCE_MODULUS + sequence_number
        return [index for index in dict.fromkeys((offered, likely)) if self._replay.is_fresh(index)]

    async def _open(self, keys: SessionKeys, packet: RtpPacket, roc: int, prefix: bytes) -> bytes | None:
        try:
            return await unprotect_inner(self._provider, keys, packet, roc, prefix)
        except AuthenticationFailed:
            return None

    def _commit(self, index: int, offer: _Offer | None) -> None:
        self._replay.accept(index)
        if offer is not None and index // SEQUENCE_MODULUS == offer.roc:
            self._accepted, self._accepted_roc = offer.ciphertext, offer.roc
