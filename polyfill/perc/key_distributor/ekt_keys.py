"""The EKTKeys of a conference: one at a time, never one twice (RFC 8870, Section 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perc.ekt.ekt_key import SALT_LENGTH, EKTCipher, EktKey
from perc.errors import ApiMisuse

EKT_TTL = 300
"""Seconds for which endpoints may use an EKTKey: the longest that a Media Distributor can withhold a rekey from one."""

_SPI_LIMIT = 2**16


@dataclass(frozen=True, slots=True)
class _Issued:
    key: EktKey
    expires: float


class EktKeys:
    """Makes EKTKeys and knows the one that is in use."""

    def __init__(self, random_bytes: Callable[[int], bytes], cipher: EKTCipher = EKTCipher.AESKW128) -> None:
        self.cipher = cipher
        """One for all members, because they share one EKTKey."""
        self._random_bytes = random_bytes
        self._spi = int.from_bytes(random_bytes(2), "big")
        self._current: _Issued | None = None

    @property
    def spi(self) -> int | None:
        """The SPI of the key that is in use."""
        return None if self._current is None else self._current.key.spi

    def renew(self, now: float) -> None:
        """Replace the key by a fresh one with an SPI of its own; the old one is forgotten here."""
        # SPI 0 stands for "none yet" in the roster. The others come again after 65535 keys, none of which still lives.
        self._spi = self._spi % (_SPI_LIMIT - 1) + 1
        key, salt = self._random_bytes(self.cipher.key_length), self._random_bytes(SALT_LENGTH)
        self._current = _Issued(EktKey(key, salt, self._spi, EKT_TTL), now + EKT_TTL)

    def message(self, now: float) -> EktKey:
        """The key as it is sent: its ekt_ttl is what is left of its life, so that it ends for all members at once."""
        if self._current is None:
            raise ApiMisuse("there is no EKTKey")
        key, left = self._current.key, int(self._current.expires - now)
        return EktKey(key.key, key.salt, key.spi, max(1, left))

    def age(self, seconds: float) -> None:
        """Its life has gone on by seconds that `now` does not count."""
        if self._current is not None:
            self._current = _Issued(self._current.key, self._current.expires - seconds)

    def forget(self) -> None:
        """Have no key: "destroy the keying material once the conference concludes" (RFC 8871, Section 8.3)."""
        self._current = None
