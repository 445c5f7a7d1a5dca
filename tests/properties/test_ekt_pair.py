"""A source and a receiver of it, over a path that loses, delays, repeats and changes packets, through any rekeys."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from perc.crypto.provider import AeadKey
from perc.crypto.pyca import PycaProvider
from perc.ekt.browser_payload import Frame, protect_payload, unprotect_payload
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MediaKind
from perc.ekt.outcome import PacketDropped
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.receiver import KEYS_KEPT, EktReceiver
from perc.ekt.sender import AUDIO_PERIOD, LATEST_CHANGE, EktSender
from perc.srtp.packet_index import SEQUENCE_MODULUS, ReplayWindow
from perc.srtp.payload_format import OPUS
from tests.driving import run

SSRC = 0xCAFEBABE
TTL = 300


class Watching(PycaProvider):
    """Remembers which octets each key has, and every nonce that was used with them to seal."""

    def __init__(self) -> None:
        self.sealed: list[tuple[bytes, bytes]] = []
        self._octets: dict[int, bytes] = {}
        self._keys: list[AeadKey] = []

    async def import_aead_key(self, key: bytes) -> AeadKey:
        imported = await super().import_aead_key(key)
        self._keys.append(imported)
        self._octets[id(imported)] = key
        return imported

    async def seal(self, key: AeadKey, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        self.sealed.append((self._octets[id(key)], nonce))
        return await super().seal(key, nonce, plaintext, associated_data)


@dataclass(frozen=True)
class Sent:
    index: int
    frame: Frame
    media: bytes
    sent_at: float


class EktPairMachine(RuleBasedStateMachine):
    @initialize(first=st.sampled_from((0, 100, SEQUENCE_MODULUS // 2 - 1)))
    def begin(self, first: int) -> None:
        self.provider = Watching()
        self.now = 0.0
        self.index = first
        self.keys_made = 0
        self.sending, self.receiving = EktParameterSets(self.provider), EktParameterSets(self.provider)
        self.sender = EktSender(self.provider, self.sending, SSRC, MediaKind.AUDIO)
        self.replay = ReplayWindow()
        self.receiver = EktReceiver(self.provider, self.receiving, SSRC, self.replay)
        self.path: list[Sent] = []
        self.opened: set[int] = set()
        self.rekey()

    def __init__(self) -> None:
        super().__init__()
        self.provider = Watching()

    @rule()
    def rekey(self) -> None:
        """As a Key Distributor does it: both have the key before anyone sends under it."""
        self.keys_made += 1
        octets = self.keys_made.to_bytes(16, "big")
        key = EktKey(octets, octets[:12], self.keys_made, TTL)
        for sets in (self.sending, self.receiving):
            run(sets.install(key, self.now))

    @rule()
    def restart(self) -> None:
        self.sender.restart()

    @rule(seconds=st.sampled_from((0.02, 0.26, 0.6, 11.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(count=st.integers(1, 5))
    def send(self, count: int) -> None:
        for _ in range(count):
            self.send_one()

    def send_one(self) -> Sent:
        media = b"media %d" % self.index
        frame = Frame(111, self.index, SSRC, media)
        payload = run(protect_payload(self.provider, self.sender, OPUS, frame, self.index, self.now))
        received = Frame(111, self.index, SSRC, payload, sequence_number=self.index % SEQUENCE_MODULUS)
        sent = Sent(self.index, received, media, self.now)
        self.path.append(sent)
        self.index += 1
        return sent

    @precondition(lambda self: self.path)
    @rule(which=st.integers(0, 8))
    def lose(self, which: int) -> None:
        del self.path[which % len(self.path)]

    @precondition(lambda self: self.path)
    @rule(which=st.integers(0, 8), again=st.booleans())
    def deliver(self, which: int, again: bool) -> None:
        sent = self.path[which % len(self.path)]
        self.open(sent)
        if again:
            assert self.open(sent) is None, "a packet is opened once"
        self.path.remove(sent)

    @precondition(lambda self: self.path)
    @rule(position=st.integers(0, 200), bit=st.integers(0, 7))
    def change(self, position: int, bit: int) -> None:
        """A changed packet is never opened as something else; its field may be all that was changed."""
        sent = self.path[0]
        data = bytearray(sent.frame.data)
        data[position % len(data)] ^= 1 << bit
        frame = Frame(111, sent.frame.timestamp, SSRC, bytes(data), sequence_number=sent.frame.sequence_number)
        opened = self.open(Sent(sent.index, frame, sent.media, sent.sent_at))
        if opened is not None:
            self.path.remove(sent)

    @rule(packets=st.integers(0, 3 * SEQUENCE_MODULUS))
    def long_pause(self, packets: int) -> None:
        """Everything is lost for a while; then the first field that comes through puts all right again."""
        self.path.clear()
        self.index += packets
        self.now += 1.0
        assert self.open(self.send_one()) is not None, "sync is lost"
        self.path.clear()

    def open(self, sent: Sent) -> bytes | None:
        try:
            media = run(unprotect_payload(self.receiver, OPUS, sent.frame, self.now))
        except PacketDropped:
            return None
        assert media == sent.media
        assert sent.index not in self.opened
        self.opened.add(sent.index)
        return media

    @invariant()
    def no_key_and_nonce_is_used_twice(self) -> None:
        assert len(set(self.provider.sealed)) == len(self.provider.sealed)

    @invariant()
    def memory_is_bounded(self) -> None:
        if self.provider.sealed:
            assert self.receiver.keys_held <= KEYS_KEPT
            assert self.replay.highest is None or len(self.opened) <= self.index
            assert self.sender.epochs_held <= 1

    def teardown(self) -> None:
        """Whatever happened: once the keys have changed over, all that is delivered in order is opened."""
        if not hasattr(self, "sender"):
            return
        self.path.clear()
        self.now += LATEST_CHANGE
        for _ in range(5):
            self.now += AUDIO_PERIOD
            assert self.open(self.send_one()) is not None, "sync is lost"
        assert self.replay.highest == self.index - 1


EktPairMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestEktPair = EktPairMachine.TestCase
