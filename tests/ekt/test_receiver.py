"""What the receiver stories of the common vectors leave out; those run in `test_browser_payload`."""

from __future__ import annotations

import pytest

from perc.ekt.cipher import EKTPlaintext
from perc.ekt.ekt_key import EktKey
from perc.ekt.outcome import Drop, PacketDropped, PutAside
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.receiver import KEYS_KEPT, EktReceiver
from perc.srtp.ekt_field import FullEKTField, ShortEKTField
from perc.srtp.inner import protect_inner
from perc.srtp.key_derivation import derive_rtp_keys
from perc.srtp.packet import RtpPacket
from perc.srtp.packet_index import ReplayWindow
from tests.driving import run
from tests.ekt.transform_vectors import PROVIDER

KEY = EktKey(bytes(16), bytes(12), 1, 300)
SSRC = 7


class Sources:
    """A receiver, and master keys of the source that it hears."""

    def __init__(self) -> None:
        self.sets = EktParameterSets(PROVIDER)
        run(self.sets.install(KEY, 0.0))
        self.receiver = EktReceiver(PROVIDER, self.sets, SSRC, ReplayWindow())

    def field(self, number: int, roc: int = 0, epoch: int | None = None) -> FullEKTField:
        plaintext = EKTPlaintext(bytes([number]) * 16, SSRC, roc)
        return FullEKTField(run(self.sets.outbound(0.0).wrap(plaintext)), KEY.spi, number if epoch is None else epoch)

    def packet(self, number: int, index: int) -> RtpPacket:
        keys = run(derive_rtp_keys(PROVIDER, bytes([number]) * 16, KEY.salt))
        plain = RtpPacket(111, index % 65536, index, SSRC, b"media")
        return RtpPacket(111, index % 65536, index, SSRC, run(protect_inner(PROVIDER, keys, plain, index // 65536)))

    def receive(self, number: int, index: int, field: FullEKTField | None = None) -> bytes:
        return run(self.receiver.unprotect(self.packet(number, index), field or ShortEKTField(), 0.0))


def test_no_more_keys_are_kept_than_rekeys_that_overlap_need() -> None:
    sources = Sources()
    sources.receive(1, 1, sources.field(1))
    for number in range(2, 6):
        sources.receive(number - 1, number, sources.field(number))
    assert sources.receiver.keys_held == KEYS_KEPT
    with pytest.raises(PacketDropped) as dropped:
        sources.receive(2, 10)
    assert dropped.value.reason is Drop.NOT_AUTHENTIC
    assert sources.receive(5, 11) == b"media"


def test_a_new_key_with_a_roc_further_back_does_not_open_the_past_again() -> None:
    sources = Sources()
    sources.receive(1, 0x5_0000, sources.field(1, roc=5))
    with pytest.raises(PacketDropped):
        sources.receive(2, 0x4_0000, sources.field(2, roc=4))
    assert sources.receive(2, 0x5_0001) == b"media"


def test_a_field_once_accepted_is_not_unwrapped_again() -> None:
    sources = Sources()
    field = sources.field(1)
    sources.receive(1, 1, field)
    unwrapped = sources.sets.outbound(0.0)
    unwrapped.unwrap = None  # type: ignore[method-assign, assignment]
    assert sources.receive(1, 2, field) == b"media"


def test_a_roc_that_was_proved_is_the_last_accepted_field() -> None:
    sources = Sources()
    sources.receive(1, 1, sources.field(1))
    further = sources.field(1, roc=3)
    sources.receive(1, 0x3_0001, further)
    sources.receive(1, 0x3_0002, further)
    sources.receive(1, 0x3_0003, sources.field(1))
    assert sources.receiver.put_aside == {PutAside.EPOCH: 1}
