"""The responder's stories: opening, messages, losses, ends, and everything a peer should not do (RFC 9260)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import ApiMisuse
from perc.sctp.association import MAX_CONTROL_CHUNKS
from perc.sctp.chunks import ChunkType, Data, ErrorCause, Init, ParameterType, Sack
from perc.sctp.cookie import COOKIE_LIFETIME
from perc.sctp.crc32c import crc32c
from perc.sctp.events import AssociationAborted, AssociationEstablished, Event, MessageReceived
from perc.sctp.packet import MAX_PACKET_LENGTH, Chunk, Parameter, Ports, SctpPacket, read_parameters
from perc.sctp.reassembly import FRAGMENT_COST
from perc.sctp.responder import MAX_QUEUED, SctpResponder
from perc.wire import Writer
from tests.sctp.client import CHROMIUM_INIT, PORTS, TAG, TSN, Client, packet


def causes(chunk: Chunk) -> list[int]:
    return [parameter.type for parameter in read_parameters(chunk.value)]


def test_a_browser_opens_speaks_listens_and_shuts_down() -> None:
    client = Client()
    init_ack = client.request()
    assert client.answers[0].verification_tag == TAG
    assert (init_ack.outbound_streams, init_ack.inbound_streams) == (1, 1)
    assert init_ack.receiver_window == 131072
    assert Parameter(ParameterType.UNRECOGNIZED_PARAMETER, Parameter(0xC000, b"").write()) in init_ack.parameters
    client.peer_tag = init_ack.initiate_tag
    assert client.echo(init_ack) == [AssociationEstablished()]
    assert [chunk.type for chunk in client.chunks] == [ChunkType.COOKIE_ACK]

    assert client.give(client.message(b"announce")) == [MessageReceived(0, 53, b"announce")]
    assert client.sack == Sack(TSN, 131072)

    client.responder.send(0, 53, b"ekt_key", 1.0)
    client.collect()
    (data,) = client.data
    assert data == Data(init_ack.initial_tsn, 0, 0, 53, b"ekt_key", immediate=True)
    assert client.responder.next_timeout() == 1.5
    client.acknowledge(data.tsn, now=1.1)
    assert client.responder.next_timeout() is None

    assert client.give(Chunk(ChunkType.SHUTDOWN, 0, data.tsn.to_bytes(4, "big"))) == []
    assert [chunk.type for chunk in client.chunks] == [ChunkType.SHUTDOWN_ACK]
    (end,) = client.give(Chunk(ChunkType.SHUTDOWN_COMPLETE, 0, b""))
    assert isinstance(end, AssociationAborted)
    assert client.responder.next_timeout() is None


def test_data_may_ride_with_the_cookie() -> None:
    client = Client()
    init_ack = client.request()
    echo = Chunk(ChunkType.COOKIE_ECHO, 0, init_ack.parameters[0].value)
    events = client.give(echo, client.message(b"early"), tag=init_ack.initiate_tag)
    assert events == [AssociationEstablished(), MessageReceived(0, 53, b"early")]
    assert [chunk.type for chunk in client.chunks] == [ChunkType.COOKIE_ACK, ChunkType.SACK]


class TestOpening:
    def test_an_init_leaves_no_state(self) -> None:
        client = Client()
        for _ in range(3):
            client.request()
        assert client.responder.next_timeout() is None
        client.responder.send(0, 53, b"x", 0.0)
        assert client.collect() == []

    @pytest.mark.parametrize(
        ("chunks", "tag"),
        [
            ((CHROMIUM_INIT.write(ChunkType.INIT),), 7),
            ((CHROMIUM_INIT.write(ChunkType.INIT), Chunk(ChunkType.COOKIE_ACK, 0, b"")), 0),
            ((Init(0, 1500, 1, 1, 1).write(ChunkType.INIT),), 0),
            ((Chunk(ChunkType.INIT, 0, b"short"),), 0),
        ],
        ids=["tag not zero", "not alone", "initiate tag zero", "truncated"],
    )
    def test_inits_that_are_discarded_in_silence(self, chunks: tuple[Chunk, ...], tag: int) -> None:
        client = Client()
        assert client.give(*chunks, tag=tag) == []
        assert client.answers == []

    @pytest.mark.parametrize("streams", [(0, 1), (1, 0)])
    def test_an_init_without_streams_is_aborted(self, streams: tuple[int, int]) -> None:
        client = Client()
        client.give(Init(TAG, 1500, *streams, 1).write(ChunkType.INIT), tag=0)
        assert client.chunks[0].type == ChunkType.ABORT
        assert client.answers[0].verification_tag == TAG

    def test_unknown_parameters_by_their_two_high_bits(self) -> None:
        def reported(*parameters: Parameter) -> list[bytes]:
            answer = Client(init=Init(TAG, 1500, 1, 1, 1, parameters)).request()
            return [p.value for p in answer.parameters if p.type == ParameterType.UNRECOGNIZED_PARAMETER]

        last = Parameter(0xC001, b"last")
        assert reported(Parameter(0x0100, b""), last) == []
        assert reported(Parameter(0x4100, b""), last) == [Parameter(0x4100, b"").write()]
        assert reported(Parameter(0x8100, b""), last) == [last.write()]
        assert reported(Parameter(0xC100, b""), last) == [Parameter(0xC100, b"").write(), last.write()]

    def test_a_forged_cookie_is_discarded_in_silence(self) -> None:
        client = Client()
        init_ack = client.request()
        cookie = bytearray(init_ack.parameters[0].value)
        cookie[4] ^= 1
        assert client.give(Chunk(ChunkType.COOKIE_ECHO, 0, bytes(cookie)), tag=init_ack.initiate_tag) == []
        assert client.answers == []

    def test_a_cookie_of_another_responder_is_discarded(self) -> None:
        init_ack = Client(SctpResponder(lambda n: b"\x09" * n)).request()
        client = Client()
        assert client.echo(init_ack) == []
        assert client.answers == []

    def test_a_cookie_with_the_wrong_tag_or_ports_is_discarded(self) -> None:
        client = Client()
        init_ack = client.request()
        echo = Chunk(ChunkType.COOKIE_ECHO, 0, init_ack.parameters[0].value)
        assert client.give(echo, tag=init_ack.initiate_tag ^ 1) == []
        other = packet(echo, tag=init_ack.initiate_tag, ports=Ports(5001, 5000))
        assert client.responder.receive_datagram(other, 0.0) == []

    def test_a_stale_cookie_is_told_by_how_much(self) -> None:
        client = Client()
        init_ack = client.request(now=10.0)
        assert client.echo(init_ack, now=10.0 + COOKIE_LIFETIME + 0.25) == []
        (error,) = client.chunks
        assert error.type == ChunkType.ERROR
        assert read_parameters(error.value) == (Parameter(ErrorCause.STALE_COOKIE, (250_000).to_bytes(4, "big")),)
        assert client.answers[0].verification_tag == TAG

    def test_a_repeated_cookie_is_acknowledged_again_even_when_stale(self) -> None:
        client = Client()
        init_ack = client.request()
        client.echo(init_ack)
        assert client.echo(init_ack, now=2 * COOKIE_LIFETIME) == []
        assert [chunk.type for chunk in client.chunks] == [ChunkType.COOKIE_ACK]


class TestRestart:
    def test_an_init_alone_changes_nothing(self) -> None:
        client = Client().establish()
        before = client.peer_tag
        Client(client.responder, init=Init(0x55, 9000, 1, 1, 77)).request()
        assert client.peer_tag == before
        assert client.give(client.message(b"still here")) == [MessageReceived(0, 53, b"still here")]

    def test_a_peer_that_starts_over_gets_a_new_association(self) -> None:
        client = Client().establish()
        client.responder.send(0, 53, b"never acknowledged", 0.0)
        client.collect()
        again = Client(client.responder, init=Init(0x55, 9000, 1, 1, 77)).establish(now=1.0)
        assert again.give(again.message(b"anew")) == [MessageReceived(0, 53, b"anew")]
        assert client.give(client.message(b"old")) == []

    def test_a_cookie_from_before_the_association_is_discarded(self) -> None:
        client = Client()
        early = client.request()
        client.establish()
        assert client.echo(early) == []
        assert client.answers == []

    def test_a_restart_while_shutting_down_gets_the_shutdown_ack(self) -> None:
        client = Client().establish()
        restart = Client(client.responder, init=Init(0x55, 9000, 1, 1, 77)).request()
        client.responder.send(0, 53, b"x", 0.0)
        client.collect()
        tsn = client.data[0].tsn
        client.give(Chunk(ChunkType.SHUTDOWN, 0, tsn.to_bytes(4, "big")))
        client.echo(restart)
        assert [c.type for c in client.chunks] == [ChunkType.SHUTDOWN_ACK, ChunkType.ERROR]
        assert causes(client.chunks[1]) == [ErrorCause.COOKIE_RECEIVED_WHILE_SHUTTING_DOWN]
        client.give(client.init.write(ChunkType.INIT), tag=0)
        assert [c.type for c in client.chunks] == [ChunkType.SHUTDOWN_ACK]

    def test_an_init_in_shutdown_ack_sent_is_answered_with_shutdown_ack_until_the_shutdown_completes(self) -> None:
        client = Client().establish()
        client.give(Chunk(ChunkType.SHUTDOWN, 0, bytes(4)))
        assert [chunk.type for chunk in client.chunks] == [ChunkType.SHUTDOWN_ACK]
        for now in (1.0, 2.0):
            assert client.initiate(now) == ([], None)
        (end,) = client.give(Chunk(ChunkType.SHUTDOWN_COMPLETE, 0, b""), now=3.0)
        assert isinstance(end, AssociationAborted)
        assert client.establish(now=4.0).give(client.message(b"anew")) == [MessageReceived(0, 53, b"anew")]


class TestMessages:
    def test_fragments_in_any_order_make_one_message(self) -> None:
        client = Client().establish()
        parts = [
            client.message(b"one ", beginning=True, ending=False),
            client.message(b"two ", beginning=False, ending=False),
            client.message(b"three", beginning=False, ending=True),
        ]
        assert client.give(parts[2]) == []
        assert client.sack == Sack((TSN - 1) % 2**32, 131072 - 5 - FRAGMENT_COST, ((3, 3),))
        assert client.give(parts[0]) == []
        assert client.sack.gaps == ((2, 2),)
        assert client.give(parts[1]) == [MessageReceived(0, 53, b"one two three")]
        assert client.sack == Sack((TSN + 2) % 2**32, 131072)

    def test_ordered_messages_wait_and_unordered_ones_do_not(self) -> None:
        client = Client().establish()
        first, second = client.message(b"first", ssn=0), client.message(b"second", ssn=1)
        third = client.message(b"third", ssn=0, unordered=True)
        assert client.give(second) == []
        assert client.give(third) == [MessageReceived(0, 53, b"third")]
        assert client.give(first) == [MessageReceived(0, 53, b"first"), MessageReceived(0, 53, b"second")]

    def test_duplicates_are_reported_and_not_delivered(self) -> None:
        client = Client().establish()
        chunk = client.message(b"once")
        client.give(chunk)
        assert client.give(chunk) == []
        assert client.sack.duplicates == (TSN,)

    def test_a_message_of_64_kib_goes_both_ways(self) -> None:
        client = Client().establish()
        text = bytes(range(256)) * 256
        events = []
        for start in range(0, len(text), 1024):
            ends = {"beginning": start == 0, "ending": start + 1024 == len(text)}
            events += client.give(client.message(text[start : start + 1024], **ends))
        assert events == [MessageReceived(0, 53, text)]

        client.responder.send(0, 53, text, 0.0)
        received = b""
        while client.collect() and client.data:
            assert all(len(answer.write()) <= MAX_PACKET_LENGTH for answer in client.answers)
            received += b"".join(data.fragment for data in client.data)
            tsn = client.data[-1].tsn
            client.responder.receive_datagram(packet(Sack(tsn, 100_000).write(), tag=client.peer_tag), 0.01)
        assert received == text

    def test_more_than_64_kib_is_a_violation(self) -> None:
        client = Client().establish()
        events = []
        for number in range(65):
            events += client.give(client.message(bytes(1024), beginning=number == 0, ending=False))
        assert [type(event) for event in events] == [AssociationAborted]
        assert causes(client.chunks[-1]) == [ErrorCause.PROTOCOL_VIOLATION]

    def test_another_stream_is_acknowledged_and_refused(self) -> None:
        client = Client().establish()
        assert client.give(Data(TSN, 7, 0, 53, b"x").write()) == []
        error, sack = client.chunks
        assert read_parameters(error.value) == (Parameter(ErrorCause.INVALID_STREAM_IDENTIFIER, b"\0\7\0\0"),)
        assert Sack.read(sack.value).cumulative_tsn == TSN

    def test_what_the_window_does_not_hold_is_not_kept(self) -> None:
        client = Client().establish()
        client.next_tsn += 1  # everything waits behind one loss
        for number in range(127):
            client.give(client.message(bytes(1060), ssn=number + 1))
        window = client.sack.receiver_window
        assert 0 <= window < 1060 + FRAGMENT_COST
        assert client.sack.gaps == ((2, 111),)

    def test_tiny_fragments_of_no_message_are_limited_too(self) -> None:
        client = Client().establish()
        for number in range(1200):
            client.give(client.message(b"x", beginning=number == 0, ending=False))
        assert client.sack.receiver_window < 1 + FRAGMENT_COST
        assert (client.sack.cumulative_tsn - TSN) % 2**32 < 1100

    @pytest.mark.parametrize(
        "chunks",
        [
            [Data(TSN, 0, 0, 53, b"").write()],
            [Chunk(ChunkType.DATA, 3, b"short")],
            [Data(TSN, 0, 0, 53, b"a", ending=False).write(), Data(TSN + 1, 0, 0, 53, b"b", ending=False).write()],
            [
                Data(TSN, 0, 0, 53, b"a", ending=False).write(),
                Data(TSN + 1, 0, 1, 53, b"b", beginning=False).write(),
            ],
            [Data(TSN, 0, 9000, 53, b"a").write()],
            [Sack(5, 1000).write()],
            [Chunk(ChunkType.SACK, 0, b"short")],
            [Sack(0x00000001, 1000, ((5, 4),)).write()],
            [Chunk(ChunkType.SHUTDOWN, 0, (0x7000).to_bytes(4, "big"))],
        ],
        ids=[
            "empty",
            "short",
            "two beginnings",
            "two messages",
            "far SSN",
            "SACK of nothing",
            "short SACK",
            "bad gap",
            "SHUTDOWN of nothing",
        ],
    )
    def test_violations_end_the_association_and_nothing_else(self, chunks: list[Chunk]) -> None:
        client = Client().establish()
        assert [type(e) for chunk in chunks for e in client.give(chunk)] == [AssociationAborted]
        assert causes(client.chunks[-1]) == [ErrorCause.PROTOCOL_VIOLATION]
        client.establish()


class TestChunks:
    def test_heartbeats_are_answered(self) -> None:
        client = Client().establish()
        client.give(Chunk(ChunkType.HEARTBEAT, 0, b"echo me"))
        assert client.chunks == [Chunk(ChunkType.HEARTBEAT_ACK, 0, b"echo me")]

    @pytest.mark.parametrize(
        ("chunk_type", "reported", "goes_on"),
        [(0x3F, False, False), (0x7F, True, False), (0xBF, False, True), (0xC0, True, True)],
    )
    def test_unknown_chunks_by_their_two_high_bits(self, chunk_type: int, reported: bool, goes_on: bool) -> None:
        client = Client().establish()
        unknown = Chunk(chunk_type, 0, b"what")
        events = client.give(unknown, client.message(b"next"))
        assert bool(events) is goes_on
        errors = [read_parameters(chunk.value) for chunk in client.chunks if chunk.type == ChunkType.ERROR]
        expected = [(Parameter(ErrorCause.UNRECOGNIZED_CHUNK_TYPE, unknown.write()),)]
        assert errors == (expected if reported else [])

    def test_what_is_too_large_to_echo_goes_unanswered_and_holds_up_nothing(self) -> None:
        client = Client().establish()
        client.give(Chunk(0xC1, 0, bytes(2000)), Chunk(ChunkType.HEARTBEAT, 0, bytes(2000)))
        assert client.chunks == []
        client.give(*(Chunk(ChunkType.HEARTBEAT, 0, b"beat") for _ in range(100)))
        assert len(client.chunks) == MAX_CONTROL_CHUNKS

    def test_a_stream_reset_is_denied(self) -> None:
        client = Client().establish()
        request = Parameter(13, Writer().uint32(9).uint32(0).uint32(0).uint16(0).finish())
        client.give(Chunk(ChunkType.RE_CONFIG, 0, request.write()))
        (answer,) = client.chunks
        assert read_parameters(answer.value) == (Parameter(16, bytes.fromhex("00000009 00000002")),)

    def test_known_chunks_out_of_place_are_ignored(self) -> None:
        client = Client().establish()
        for chunk_type in (ChunkType.COOKIE_ACK, ChunkType.INIT_ACK, ChunkType.ERROR, ChunkType.SHUTDOWN_COMPLETE):
            assert client.give(Chunk(chunk_type, 0, b"")) == []
            assert client.answers == []


class TestTags:
    def test_a_wrong_tag_or_port_is_out_of_the_blue(self) -> None:
        client = Client().establish()
        assert client.give(client.message(b"x"), tag=client.peer_tag ^ 1) == []
        assert [(c.type, c.flags) for c in client.chunks] == [(ChunkType.ABORT, 1)]
        other = packet(client.message(b"x"), tag=client.peer_tag, ports=Ports(1, 5000))
        assert client.responder.receive_datagram(other, 0.0) == []

    @pytest.mark.parametrize(
        ("chunk_type", "answer"),
        [
            (ChunkType.ABORT, None),
            (ChunkType.SHUTDOWN_COMPLETE, None),
            (ChunkType.COOKIE_ACK, None),
            (ChunkType.ERROR, None),
            (ChunkType.SHUTDOWN_ACK, ChunkType.SHUTDOWN_COMPLETE),
            (ChunkType.HEARTBEAT, ChunkType.ABORT),
        ],
    )
    def test_answers_without_an_association(self, chunk_type: ChunkType, answer: ChunkType | None) -> None:
        client = Client()
        client.give(Chunk(chunk_type, 0, b""), tag=99)
        assert [(p.verification_tag, p.chunks[0].type, p.chunks[0].flags) for p in client.answers] == (
            [(99, answer, 1)] if answer is not None else []
        )

    @pytest.mark.parametrize(("flags", "own"), [(0, True), (1, False)])
    def test_an_abort_needs_the_right_tag_for_its_t_bit(self, flags: int, own: bool) -> None:
        client = Client().establish()
        abort = Chunk(ChunkType.ABORT, flags, b"")
        assert client.give(abort, tag=TAG if own else client.peer_tag) == []
        (event,) = client.give(abort, tag=client.peer_tag if own else TAG)
        assert isinstance(event, AssociationAborted)
        assert client.answers == []


class TestLosses:
    def test_a_lost_message_is_sent_again_and_the_timer_backs_off(self) -> None:
        client = Client().establish()
        client.responder.send(0, 53, b"x", 0.0)
        first = client.collect()
        due = []
        for _ in range(3):
            due.append(client.responder.next_timeout())
            assert client.responder.handle_timeout(due[-1] or 0.0) == []
            assert client.collect() == first
        assert due == [0.5, 1.5, 3.5]

    def test_a_silent_peer_is_given_up_within_two_minutes(self) -> None:
        client = Client().establish()
        client.responder.send(0, 53, b"x", 0.0)
        now = 0.0
        events: list[Event] = []
        while not events:
            now = client.responder.next_timeout() or 0.0
            events = client.responder.handle_timeout(now)
        assert events == [AssociationAborted("the peer does not acknowledge")]
        assert 30 < now < 120
        assert client.responder.next_timeout() is None

    def test_three_missing_reports_send_again_without_a_timeout(self) -> None:
        client = Client().establish()
        client.responder.send(0, 53, bytes(5 * 1072), 0.0)
        client.collect()
        tsns = [data.tsn for data in client.data]
        before = tsns[0] - 1
        for reports in range(3):
            assert client.acknowledge(before, gaps=((2, 2 + reports),), now=0.1) == []
        assert tsns[0] in [data.tsn for data in client.data]

    def test_a_closed_window_is_probed_by_one_fragment(self) -> None:
        client = Client().establish()
        client.responder.send(0, 53, b"a", 0.0)
        client.collect()
        tsn = client.data[0].tsn
        client.acknowledge(tsn, window=0)
        client.responder.send(0, 53, bytes(3000), 0.0)
        client.collect()
        assert len(client.data) == 1
        for probe in range(20):
            client.responder.handle_timeout(client.responder.next_timeout() or 0.0)
            assert client.collect()
            assert client.acknowledge(tsn, window=0, now=float(probe)) == []
        client.acknowledge(tsn, window=100_000, now=200.0)
        client.responder.handle_timeout(300.0)
        client.collect()
        assert client.data

    def test_a_peer_that_takes_nothing_is_let_go_when_too_much_waits(self) -> None:
        client = Client().establish()
        for _ in range(MAX_QUEUED // 65536):
            client.responder.send(0, 53, bytes(65536), 0.0)
        assert client.responder.next_timeout() == 0.5
        client.responder.send(0, 53, b"one too many", 0.0)
        client.responder.send(0, 53, b"and another", 0.0)
        assert (client.responder.next_timeout() or 0.0) < 0.0
        assert [type(event) for event in client.responder.handle_timeout(0.0)] == [AssociationAborted]
        assert client.collect()[-1].type == ChunkType.ABORT

    def test_a_lost_shutdown_complete_is_asked_for_again(self) -> None:
        client = Client().establish()
        client.responder.send(0, 53, b"x", 0.0)
        client.collect()
        tsn = client.data[0].tsn
        client.give(Chunk(ChunkType.SHUTDOWN, 0, (tsn - 1).to_bytes(4, "big")))
        assert client.chunks == []  # its own data first
        client.acknowledge(tsn)
        assert [chunk.type for chunk in client.chunks] == [ChunkType.SHUTDOWN_ACK]
        client.responder.handle_timeout(client.responder.next_timeout() or 0.0)
        assert [chunk.type for chunk in client.collect()] == [ChunkType.SHUTDOWN_ACK]


def test_abort_tells_the_peer_and_is_harmless_twice() -> None:
    client = Client().establish()
    client.responder.abort()
    client.responder.abort()
    (chunk,) = client.collect()
    assert chunk.type == ChunkType.ABORT


@pytest.mark.parametrize(
    "end",
    [Chunk(ChunkType.ABORT, 0, b""), Chunk(ChunkType.SHUTDOWN, 0, bytes(4)), Chunk(ChunkType.DATA, 3, b"violation")],
)
def test_a_message_to_an_association_that_just_ended_goes_nowhere(end: Chunk) -> None:
    client = Client()
    init_ack = client.request()
    client.peer_tag = init_ack.initiate_tag
    echo = Chunk(ChunkType.COOKIE_ECHO, 0, init_ack.parameters[0].value)
    assert client.give(echo, end)[0] == AssociationEstablished()
    client.responder.send(0, 53, b"ekt_key", 0.0)
    assert client.collect() == []


@pytest.mark.parametrize(("stream_id", "message"), [(1, b"x"), (0, b""), (0, bytes(65537))])
def test_what_cannot_be_sent_is_the_callers_mistake(stream_id: int, message: bytes) -> None:
    client = Client().establish()
    with pytest.raises(ApiMisuse):
        client.responder.send(stream_id, 53, message, 0.0)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40)), min_size=1, max_size=6))
@settings(max_examples=150)
def test_no_packet_raises_and_answers_stay_small(chunks: list[tuple[int, int, bytes]]) -> None:
    client = Client().establish()
    given_packet = packet(*(Chunk(*chunk) for chunk in chunks), tag=client.peer_tag)
    client.responder.receive_datagram(given_packet, 0.0)
    assert all(len(data) <= MAX_PACKET_LENGTH for data in client.responder.datagrams_to_send())


@given(st.data())
@settings(max_examples=150)
def test_mutated_packets_never_raise(data: st.DataObject) -> None:
    client = Client().establish()
    client.responder.send(0, 53, bytes(3000), 0.0)
    client.collect()
    chunks = [
        client.message(b"hello"),
        Sack(client.data[0].tsn, 9000, ((2, 2),), (1,)).write(),
        Chunk(ChunkType.HEARTBEAT, 0, b"beat"),
    ]
    octets = bytearray(packet(*chunks, tag=client.peer_tag)[12:])
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    client.responder.receive_datagram(with_checksum(bytes(octets), client.peer_tag), 0.1)


def with_checksum(body: bytes, tag: int) -> bytes:
    """A packet around octets that may be no chunks at all."""
    whole = SctpPacket(PORTS, tag, (Chunk(0, 0, b""),)).write()[:12]
    return whole[:8] + crc32c(whole[:8] + bytes(4) + body).to_bytes(4, "little") + body
