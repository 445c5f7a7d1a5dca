"""The EKTKeys that an endpoint holds (RFC 8870, Section 4.2)."""

from __future__ import annotations

import pytest

from perc.ekt.ekt_key import EktKey
from perc.ekt.outcome import SendingStopped
from perc.ekt.parameter_sets import RETIREMENT, EktParameterSets
from perc.errors import IllegalParameter
from tests.driving import run
from tests.ekt.transform_vectors import PROVIDER


def key(spi: int, filling: int = 0, ttl: int = 300) -> EktKey:
    return EktKey(bytes([filling]) * 16, bytes(12), spi, ttl)


def test_without_an_ekt_key_nothing_is_sent() -> None:
    with pytest.raises(SendingStopped, match="no-key"):
        EktParameterSets(PROVIDER).outbound(0.0)


def test_the_newest_is_for_sending_and_the_old_one_retires() -> None:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(key(1), 0.0))
    run(sets.install(key(2), 50.0))
    assert sets.outbound(50.0).ekt_key.spi == 2
    assert sets.find(1, 50.0 + RETIREMENT - 0.1) is not None
    assert sets.find(1, 50.0 + RETIREMENT) is None


def test_a_ttl_ends_sending_and_receiving() -> None:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(key(1, ttl=5), 0.0))
    assert sets.outbound(4.9) is sets.find(1, 4.9)
    with pytest.raises(SendingStopped, match="expired"):
        sets.outbound(5.0)
    assert sets.find(1, 5.0) is None


def test_the_same_key_again_does_not_prolong_its_life() -> None:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(key(1, ttl=5), 0.0))
    first = sets.outbound(0.0)
    run(sets.install(key(1, ttl=5), 4.0))
    assert sets.outbound(4.0) is first


def test_a_second_key_under_one_spi_is_refused() -> None:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(key(1), 0.0))
    with pytest.raises(IllegalParameter):
        run(sets.install(key(1, filling=9), 1.0))


def test_ended_keys_are_forgotten() -> None:
    sets = EktParameterSets(PROVIDER)
    for spi in range(1, 30):
        run(sets.install(key(spi), 20.0 * spi))
    assert sets.spis_held == {28, 29}
