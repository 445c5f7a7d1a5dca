"""Fragments of DTLS and SCTP in any order, overlapping, repeated, contradicted: messages come whole and in order."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from perc.dtls.fragments import MAX_BUFFERED_MESSAGES, MAX_MESSAGE_LENGTH, Fragment, HandshakeMessage, Reassembler
from perc.errors import IllegalParameter
from perc.sctp.chunks import Sack
from perc.sctp.events import Event, MessageReceived
from perc.sctp.inbound import RECEIVE_WINDOW
from perc.sctp.packet import MAX_PACKET_LENGTH
from tests.sctp.client import Client


class DtlsReassemblyMachine(RuleBasedStateMachine):
    """The flight of an honest peer, and somebody who adds fragments of messages that were never sent."""

    @initialize(bodies=st.lists(st.binary(max_size=60), min_size=1, max_size=8))
    def begin(self, bodies: list[bytes]) -> None:
        self.messages = [HandshakeMessage(11, seq, body) for seq, body in enumerate(bodies)]
        self.reassembler = Reassembler()
        self.received: list[HandshakeMessage] = []
        self.spoiled: set[int] = set()

    @rule(which=st.integers(0, 7), start=st.integers(0, 60), length=st.integers(0, 60))
    def fragment(self, which: int, start: int, length: int) -> None:
        message = self.messages[which % len(self.messages)]
        self.give(message.fragment(min(start, len(message.body)), length))

    @rule(ahead=st.integers(0, 70000), length=st.integers(0, 2**24 - 1))
    def forged(self, ahead: int, length: int) -> None:
        seq = self.reassembler.next_message_seq + ahead
        if ahead < MAX_BUFFERED_MESSAGES:
            self.spoiled.add(seq)
        with suppress(IllegalParameter):
            self.reassembler.receive(0, Fragment(12, length, seq, 0, b""))
        self.take()

    def give(self, fragment: Fragment) -> None:
        self.reassembler.receive(0, fragment)
        self.take()

    def take(self) -> None:
        while (message := self.reassembler.next_message()) is not None:
            self.received.append(message)

    @invariant()
    def messages_come_in_order_and_as_they_were_sent(self) -> None:
        for seq, message in enumerate(getattr(self, "received", [])):
            assert message.message_seq == seq
            assert seq in self.spoiled or message == self.messages[seq]

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "reassembler"):
            lengths = self.reassembler.lengths_held
            assert len(lengths) <= MAX_BUFFERED_MESSAGES
            assert sum(lengths) <= MAX_BUFFERED_MESSAGES * MAX_MESSAGE_LENGTH

    def teardown(self) -> None:
        if hasattr(self, "reassembler") and not self.spoiled:
            for message in self.messages:
                self.give(message.fragment(0, len(message.body)))
            assert self.received == self.messages


class SctpInboundMachine(RuleBasedStateMachine):
    """Messages that a peer cuts up, and whose fragments it sends in any order, some of them often."""

    @initialize(messages=st.lists(st.integers(1, 4), min_size=1, max_size=5))
    def begin(self, messages: list[int]) -> None:
        self.client = Client().establish()
        self.expected = [bytes([number]) * 40 * parts for number, parts in enumerate(messages)]
        self.chunks = [
            self.client.message(bytes([number]) * 40, number, beginning=part == 0, ending=part == parts - 1)
            for number, parts in enumerate(messages)
            for part in range(parts)
        ]
        self.received: list[bytes] = []

    @rule(which=st.integers(0, 20))
    def chunk(self, which: int) -> None:
        self.take(self.client.give(self.chunks[which % len(self.chunks)]))

    @precondition(lambda self: hasattr(self, "client"))
    @rule(tsn=st.integers(0, 2**32 - 1), data=st.binary(min_size=1, max_size=60))
    def far_away(self, tsn: int, data: bytes) -> None:
        """A TSN that no window holds, unless it is near by chance: then the story would be another."""
        first = self.client.init.initial_tsn
        if (tsn - first) % 2**32 > 5000:
            chunk = self.client.message(data, 0)
            far = tsn.to_bytes(4, "big") + chunk.value[4:]
            self.take(self.client.give(type(chunk)(chunk.type, chunk.flags, far)))

    def take(self, events: list[Event]) -> None:
        assert all(isinstance(event, MessageReceived) for event in events)
        self.received += [event.data for event in events if isinstance(event, MessageReceived)]
        assert all(len(answer.write()) <= MAX_PACKET_LENGTH for answer in self.client.answers)
        sack: Sack = self.client.sack
        assert sack.receiver_window <= RECEIVE_WINDOW

    @invariant()
    def messages_come_once_and_in_order(self) -> None:
        received = getattr(self, "received", [])
        assert received == getattr(self, "expected", [])[: len(received)]

    def teardown(self) -> None:
        if not hasattr(self, "client"):
            return
        for chunk in self.chunks:
            self.take(self.client.give(chunk))
        assert self.received == self.expected
        load = self.client.responder.load
        assert load is not None
        assert (load.octets_held, load.tsns_ahead) == (0, 0)


for _machine in (DtlsReassemblyMachine, SctpInboundMachine):
    _machine.TestCase.settings = settings(max_examples=60, stateful_step_count=20)
TestDtlsReassembly = DtlsReassemblyMachine.TestCase
TestSctpInbound = SctpInboundMachine.TestCase
