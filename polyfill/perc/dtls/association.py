"""A DTLS 1.2 association around its handshake: records, reassembly, flights, alerts, timers, application data.

Client and server are this machine with a handshake of their own. It never raises for what a peer sent: records that
are malformed, replayed or not authentic are dropped and counted; what breaks the handshake ends the association with an
alert and `AssociationFailed`.

Until Finished has been verified, nothing on the wire is authentic. Whoever can write to the 5-tuple can then break a
handshake with a forged message, as in every DTLS 1.2; but a forged *alert*, one packet that anybody could keep ready,
is only believed if the handshake stands still for `ALERT_GRACE` after it: RFC 6347, Section 4.1.2.7 wants errors to
preserve the association where they can be forged. Afterwards only protected records count.
"""

from __future__ import annotations

from perc.dtls.ack import read_ack
from perc.dtls.alerts import read_alert, write_alert
from perc.dtls.events import (
    ApplicationDataReceived,
    AssociationClosed,
    AssociationFailed,
    Event,
    HandshakeCompleted,
)
from perc.dtls.flights import MIN_MTU, Flight, Retransmission
from perc.dtls.fragments import Fragment, HandshakeMessage, HandshakeType, Reassembler, read_fragments
from perc.dtls.numbers import Numbers
from perc.dtls.outputs import FlightPrepared, Handshake, KeysDerived, Output
from perc.dtls.record_layer import CLEAR_EPOCH, PROTECTED_EPOCH, RecordLayer
from perc.dtls.records import ContentType, Record, read_records
from perc.errors import AlertDescription, AlertReceived, ApiMisuse, DecodeError, HandshakeFailure, PeerError

# Six transmissions of the slowest flight; Chromium gives up on ICE and DTLS in about the same time.
HANDSHAKE_DEADLINE = 30.0
# Longer than a lost datagram takes to be repeated, shorter than anyone would wait for an explanation.
ALERT_GRACE = 2.0


_PROTECTED_MESSAGES = (HandshakeType.FINISHED, HandshakeType.EKT_KEY)


class Association:
    """One association. Each coroutine is awaited to its end before the next is called."""

    def __init__(self, handshake: Handshake, mtu: int, numbers: Numbers) -> None:
        if mtu < MIN_MTU:
            raise ApiMisuse(f"no flight fits an MTU of {mtu}")
        self._handshake = handshake
        self._mtu = mtu
        self._records = RecordLayer(numbers.sequence_number)
        self._reassembler = Reassembler(numbers.message_seq)
        self._retransmission = Retransmission()
        # From the first datagram to the last; within it, while application data flows; after it.
        self._is_open = self._is_connected = self._has_ended = False
        self._write_epoch = CLEAR_EPOCH
        self._answered_message_seq: int | None = None
        self._deadline: float | None = None
        self._suspicion: tuple[float, AlertReceived] | None = None
        self._events: list[Event] = []
        self._datagrams: list[bytes] = []

    @property
    def dropped_records(self) -> int:
        """How many records were discarded in silence."""
        return self._records.dropped

    @property
    def held_records(self) -> int:
        """How many records wait for the keys: at most `MAX_HELD_RECORDS`."""
        return self._records.records_held

    @property
    def held_messages(self) -> tuple[int, ...]:
        """The lengths of the handshake messages that are incomplete or not due: at most `MAX_BUFFERED_MESSAGES`, each
        of at most `MAX_MESSAGE_LENGTH`."""
        return self._reassembler.lengths_held

    def datagrams_to_send(self) -> list[bytes]:
        """The datagrams that became due since the last call."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    async def receive_datagram(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the peer in; `now` is monotonic, in seconds."""
        records = read_records(data)
        try:
            while records:
                for record in records:
                    await self._receive_record(record, now)
                records = self._records.released()
        except PeerError as error:
            await self._fail(error)
        return self._take_events()

    async def send(self, data: bytes) -> None:
        """One record of application data, in a datagram of its own; `ApiMisuse` unless the handshake is completed."""
        if not self._is_connected:
            raise ApiMisuse("application data outside a connected association")
        self._datagrams.append(await self._records.seal(PROTECTED_EPOCH, ContentType.APPLICATION_DATA, data))

    async def close(self, alert: AlertDescription = AlertDescription.CLOSE_NOTIFY) -> None:
        """End the association with an alert; nothing happens if it has ended already."""
        if not self._has_ended:
            await self._send_alert(alert)
            self._end()

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called; None while there is nothing to wait for."""
        if self._has_ended:
            return None
        suspicion = self._suspicion[0] if self._suspicion else None
        times = [time for time in (self._deadline, self._retransmission.due, suspicion) if time is not None]
        return min(times, default=None)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Do what has become due by `now`: repeat a flight, or give up."""
        if self._has_ended:
            return []
        if self._suspicion is not None and now >= self._suspicion[0]:
            await self._fail(self._suspicion[1])
        elif self._deadline is not None and now >= self._deadline:
            await self._fail(HandshakeFailure(f"no handshake within {HANDSHAKE_DEADLINE:.0f} s"))
        elif self._retransmission.expired(now):
            await self._transmit(now)
        return self._take_events()

    def _open(self, now: float) -> None:
        self._is_open = True
        self._deadline = now + HANDSHAKE_DEADLINE

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    async def _receive_record(self, record: Record, now: float) -> None:
        if not self._is_open:
            return None
        plaintext = await self._records.open(record)
        if plaintext is None:
            return None
        if record.epoch == CLEAR_EPOCH and self._is_connected:
            return self._records.drop()
        match record.content_type:
            case ContentType.HANDSHAKE:
                await self._receive_handshake(record, plaintext, now)
            case ContentType.ALERT:
                await self._receive_alert(record.epoch, plaintext, now)
            case ContentType.APPLICATION_DATA if self._is_connected:
                # Whoever sends application data has seen this side's last flight.
                self._retransmission.stop()
                self._events.append(ApplicationDataReceived(plaintext))
            case ContentType.ACK if self._is_connected:
                await self._receive_acknowledgement(plaintext, now)
            case ContentType.APPLICATION_DATA | ContentType.ACK:
                self._records.drop()
            case ContentType.CHANGE_CIPHER_SPEC:
                pass  # the epoch of the next record says it (see server_handshake.py)
        return None

    async def _receive_handshake(self, record: Record, plaintext: bytes, now: float) -> None:
        try:
            fragments = read_fragments(plaintext)
        except DecodeError:
            return self._records.drop()
        for fragment in fragments:
            if self._is_repetition(fragment):
                if self._retransmission.may_answer_repetition(now):
                    await self._transmit(now)
            elif record.epoch == self._epoch_of(fragment):
                self._note_fragment(record, fragment)
                self._reassembler.receive(record.epoch, fragment)
        while not self._has_ended and (message := self._reassembler.next_message()) is not None:
            await self._receive_message(message, now)
        return None

    async def _receive_message(self, message: HandshakeMessage, now: float) -> None:
        if self._is_connected:
            return await self._receive_after_handshake(message)
        outputs = await self._handshake.receive_message(message)
        self._suspicion = None
        for output in outputs:
            await self._apply(output, now)
        return None

    def _is_repetition(self, fragment: Fragment) -> bool:
        """Whether the fragment ends the flight that this side's current flight has answered, and nothing has come
        since: then the answer was lost."""
        seq = fragment.message_seq
        return seq == self._answered_message_seq == self._reassembler.next_message_seq - 1 and (
            fragment.end == fragment.length
        )

    def _epoch_of(self, fragment: Fragment) -> int:
        """The epoch that a message of this type belongs to: a Finished in clear proves nothing, and what should come
        before it must not come under its protection."""
        is_protected = self._is_connected or fragment.msg_type in _PROTECTED_MESSAGES
        return PROTECTED_EPOCH if is_protected else CLEAR_EPOCH

    async def _apply(self, output: Output, now: float) -> None:
        match output:
            case KeysDerived(reading, writing):
                self._records.install(reading, writing)
            case FlightPrepared(flight):
                await self._begin_flight(flight, now)
            case _:
                self._events.append(output)
                if isinstance(output, HandshakeCompleted):
                    self._is_connected = True
                    self._reassembler.forget_before(PROTECTED_EPOCH)
                    self._deadline = None
                    self._retransmission.complete()

    async def _begin_flight(self, flight: Flight, now: float) -> None:
        self._answered_message_seq = self._reassembler.next_message_seq - 1
        self._retransmission.begin(flight)
        await self._transmit(now)
        if flight.protected:
            self._write_epoch = PROTECTED_EPOCH

    async def _transmit(self, now: float) -> None:
        for records in self._retransmission.transmit(self._mtu, now):
            sealed = [await self._records.seal(record.epoch, record.content_type, record.payload) for record in records]
            self._datagrams.append(b"".join(sealed))

    def _note_fragment(self, record: Record, fragment: Fragment) -> None:
        """Called for each fragment that is neither misplaced nor a repetition of the handshake."""

    async def _receive_ack(self, acknowledged: frozenset[int], now: float) -> None:
        """Called for an ACK behind the handshake; one that nobody waits for means nothing."""

    async def _receive_after_handshake(self, message: HandshakeMessage) -> None:
        """Called for each handshake message behind Finished."""
        # "when that is not appropriate, the recipient should respond with this alert" (RFC 5246, Section 7.2.2);
        # messages that mean nothing here are ignored.
        if message.msg_type in {HandshakeType.HELLO_REQUEST, HandshakeType.CLIENT_HELLO}:
            await self._send_alert(AlertDescription.NO_RENEGOTIATION)

    async def _receive_acknowledgement(self, plaintext: bytes, now: float) -> None:
        try:
            acknowledged = read_ack(plaintext)
        except DecodeError:
            return self._records.drop()
        self._retransmission.stop()  # as for application data
        return await self._receive_ack(acknowledged, now)

    async def _receive_alert(self, epoch: int, plaintext: bytes, now: float) -> None:
        try:
            alert = read_alert(plaintext)
        except DecodeError:
            return self._records.drop()
        if not alert.ends_association:
            return None
        if epoch == CLEAR_EPOCH:
            # Not authentic, so perhaps forged: it counts if the handshake does not disprove it by going on.
            self._suspicion = self._suspicion or (now + ALERT_GRACE, alert.as_error())
        elif alert.description == AlertDescription.CLOSE_NOTIFY:
            # "The other party MUST respond with a close_notify alert of its own" (RFC 5246, Section 7.2.1).
            await self.close()
            self._events.append(AssociationClosed())
        else:
            await self._fail(alert.as_error())
        return None

    async def _fail(self, error: PeerError) -> None:
        if not isinstance(error, AlertReceived):
            await self._send_alert(error.alert)
        self._end()
        self._events.append(AssociationFailed(error))

    async def _send_alert(self, description: AlertDescription) -> None:
        self._datagrams.append(await self._records.seal(self._write_epoch, ContentType.ALERT, write_alert(description)))

    def _end(self) -> None:
        self._is_open = self._is_connected = False
        self._has_ended = True
        self._retransmission.stop()
