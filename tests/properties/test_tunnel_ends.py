"""Both ends of the tunnel, whose stream is cut anywhere: sign_answers are matched in any order, and nothing is lost."""

from __future__ import annotations

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.end import TunnelEnd, TunnelFailed
from perc.tunnel.key_distributor_end import KeyDistributorEnd
from perc.tunnel.media_distributor_end import MediaDistributorEnd
from perc.tunnel.messages import (
    EndpointDisconnect,
    MediaKeys,
    Message,
    SignAnswer,
    SignAnswerAck,
    SignAnswerReject,
    SupportedProfiles,
    TunneledDtls,
)
from perc.tunnel.origin import origin_of

PROFILE = SRTPProtectionProfile.AEAD_AES_128_GCM
IDS = st.integers(0, 3).map(lambda number: UUID(int=number))


class _Way:
    """One direction: what was said, what has arrived of it, and the octets in between."""

    def __init__(self, sender: TunnelEnd, receiver: TunnelEnd) -> None:
        self.sender, self.receiver = sender, receiver
        self.octets = bytearray()
        self.said: list[Message] = []
        self.heard: list[Message] = []

    def say(self, message: Message) -> None:
        self.sender.send(message)
        self.said.append(message)

    def carry(self, count: int) -> None:
        self.octets += self.sender.data_to_send()
        portion, self.octets = bytes(self.octets[:count]), self.octets[count:]
        for event in self.receiver.receive_data(portion):
            assert not isinstance(event, TunnelFailed), event
            self.heard.append(event)


class TunnelMachine(RuleBasedStateMachine):
    answers = Bundle("answers")

    def __init__(self) -> None:
        super().__init__()
        md, kd = MediaDistributorEnd((PROFILE,)), KeyDistributorEnd()
        self.md, self.kd = md, kd
        self.to_kd, self.to_md = _Way(md, kd), _Way(kd, md)
        self.to_kd.said.append(SupportedProfiles((PROFILE,)))
        self.asked = 0
        self.forgotten: set[str] = set()

    @rule(target=answers)
    def sign_answer(self) -> bytes:
        self.asked += 1
        answer = b"v=0\r\no=- %d 1 IN IP4 0.0.0.0\r\n" % self.asked
        self.to_kd.say(SignAnswer(b"offer", answer))
        return answer

    @rule(answer=consumes(answers), signs=st.booleans())
    def answer(self, answer: bytes, signs: bool) -> None:
        self.to_kd.carry(1 << 20)
        self.to_md.say(
            SignAnswerAck(answer + b"a=identity:x\r\n") if signs else SignAnswerReject(origin_of(answer), "")
        )

    @rule(answer=answers)
    def forget(self, answer: bytes) -> None:
        self.md.forget(origin_of(answer))
        self.forgotten.add(origin_of(answer))

    @rule(name=IDS, datagram=st.binary(max_size=1200), towards_kd=st.booleans())
    def datagram(self, name: UUID, datagram: bytes, towards_kd: bool) -> None:
        self.to_kd.carry(1 << 20)
        (self.to_kd if towards_kd else self.to_md).say(TunneledDtls(name, datagram))

    @rule(name=IDS, towards_kd=st.booleans())
    def disconnect(self, name: UUID, towards_kd: bool) -> None:
        self.to_kd.carry(1 << 20)
        (self.to_kd if towards_kd else self.to_md).say(EndpointDisconnect(name))

    @rule(name=IDS)
    def keys(self, name: UUID) -> None:
        self.to_kd.carry(1 << 20)
        self.to_md.say(MediaKeys(name, PROFILE, bytes(16), bytes(16), bytes(12), bytes(12)))

    @rule(count=st.integers(1, 40), towards_kd=st.booleans())
    def some_octets_arrive(self, count: int, towards_kd: bool) -> None:
        (self.to_kd if towards_kd else self.to_md).carry(count)

    @invariant()
    def what_is_heard_is_what_was_said(self) -> None:
        for way in (self.to_kd, self.to_md):
            expected = [message for message in way.said if not self.is_for_nobody(message)]
            heard = [message for message in way.heard if not self.is_for_nobody(message)]
            assert heard == expected[: len(heard)]

    def is_for_nobody(self, message: Message) -> bool:
        """An answer to what was forgotten may have come before it was, or not at all."""
        match message:
            case SignAnswerAck(answer):
                return origin_of(answer) in self.forgotten
            case SignAnswerReject(origin):
                return origin in self.forgotten
        return False

    @invariant()
    def only_what_is_unanswered_is_remembered(self) -> None:
        assert len(self.md.unanswered) <= self.asked
        assert len(self.kd.unanswered) <= self.asked

    def teardown(self) -> None:
        for way in (self.to_kd, self.to_md):
            way.carry(1 << 20)
            assert not way.octets
        self.what_is_heard_is_what_was_said()
        answered = {self.origin(m) for m in self.to_md.said if isinstance(m, SignAnswerAck | SignAnswerReject)}
        asked = {origin_of(m.answer) for m in self.to_kd.said if isinstance(m, SignAnswer)}
        assert self.kd.unanswered == asked - answered
        assert self.md.unanswered == asked - answered - self.forgotten

    @staticmethod
    def origin(message: SignAnswerAck | SignAnswerReject) -> str:
        return origin_of(message.answer) if isinstance(message, SignAnswerAck) else message.origin


TunnelMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestTunnel = TunnelMachine.TestCase
