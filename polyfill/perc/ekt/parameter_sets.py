"""The EKT parameter sets that an endpoint holds, by SPI (RFC 8870, Section 4.2)."""

from __future__ import annotations

from perc.crypto.provider import CryptoProvider
from perc.ekt.cipher import EktParameterSet
from perc.ekt.ekt_key import EktKey
from perc.ekt.outcome import SendingStopped, Stop
from perc.errors import IllegalParameter

RETIREMENT = 10.0
"""Seconds for which a replaced EKTKey is still accepted, from members that the new one reaches later. Until then
somebody who has left could pass for another member, with the Media Distributor's help."""


class EktParameterSets:
    """Every EKTKey that may be used now. The newest is for sending, the others only to hear who still uses them."""

    def __init__(self, provider: CryptoProvider) -> None:
        self._provider = provider
        self._by_spi: dict[int, EktParameterSet] = {}
        self._newest: EktParameterSet | None = None

    async def install(self, ekt_key: EktKey, now: float) -> None:
        """Take in an ekt_key message; the same key again changes nothing, not even when it ends."""
        known = self.find(ekt_key.spi, now)
        if known is not None:
            # "Each distinct EKT parameter set that is used MUST be associated with a distinct SPI value" (Section 4.2).
            if (known.ekt_key.key, known.ekt_key.salt) != (ekt_key.key, ekt_key.salt):
                raise IllegalParameter(f"SPI {ekt_key.spi} has another key already")
            return
        created = await EktParameterSet.create(self._provider, ekt_key, now)
        if self._newest is not None:
            self._newest.expires_at = min(self._newest.expires_at, now + RETIREMENT)
        self._forget_expired(now)
        self._by_spi[ekt_key.spi] = self._newest = created

    def outbound(self, now: float) -> EktParameterSet:
        """The set to send with; `SendingStopped` if there is none, or none any more.

        The end is the dead man's switch against a Media Distributor that withholds a rekey (Section 6).
        """
        if self._newest is None:
            raise SendingStopped(Stop.NO_KEY)
        if now >= self._newest.expires_at:
            raise SendingStopped(Stop.EXPIRED)
        return self._newest

    def find(self, spi: int, now: float) -> EktParameterSet | None:
        """The set with this SPI, if it may still be used."""
        found = self._by_spi.get(spi)
        return found if found is not None and now < found.expires_at else None

    @property
    def spis_held(self) -> frozenset[int]:
        """The SPIs of all sets that are kept, whether they may still be used or not."""
        return frozenset(self._by_spi)

    def has(self, parameters: EktParameterSet, now: float) -> bool:
        """Whether a set may still be used. Its SPI may be another's by then: they come again in the end."""
        return self.find(parameters.ekt_key.spi, now) is parameters

    def _forget_expired(self, now: float) -> None:
        self._by_spi = {spi: entry for spi, entry in self._by_spi.items() if now < entry.expires_at}
