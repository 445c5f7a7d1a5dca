r"""Flights and their retransmission (RFC 6347, Section 4.2.4).

                      +-----------+
                      | PREPARING |
                +---> |           |
                |     +-----------+
                |           | Buffer next flight
                |          \|/
                |     +-----------+
                |     |  SENDING  | <------------------+
                |     +-----------+                    |
        Receive |           | Send flight              |
           next |  +--------+                          |
         flight |  |        | Set retransmit timer     |
                |  |       \|/                         |
                |  |  +-----------+                    |
                +--)--|  WAITING  |--------------------+
                   |  +-----------+  Timer expires, or
                   |        |        the peer repeats its flight
              Send |        | Receive
              last |        | last
            flight |        | flight
                  \|/      \|/
            +-----------------+
            |    FINISHED     |---+  The peer repeats its flight:
            +-----------------+   |  retransmit last flight
                     /|\          |
                      +-----------+

`Retransmission` is WAITING while it holds a flight with a timer, and FINISHED while it holds one without.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.dtls import fragments, protection, records
from perc.dtls.fragments import HandshakeMessage, write_fragment, write_message
from perc.dtls.record_layer import CLEAR_EPOCH, PROTECTED_EPOCH
from perc.dtls.records import ContentType

# "It is RECOMMENDED that for DTLS-SRTP ..., a default timeout of 400 ms be used" (RFC 9147, Section 5.8.2). RFC 6347
# asks for one second where nothing is known about the path.
INITIAL_TIMEOUT = 0.4
# "double the value at each retransmission, up to no less than ... 60 seconds" (RFC 6347, Section 4.2.4.1).
MAX_TIMEOUT = 60.0
# That many reach the maximum; an EKTKey may be repeated for hours, and powers of two outgrow a float.
MAX_DOUBLINGS = 8
# The peer's repetitions are answered, but no faster than Chromium repeats (50 ms), and each flight so often at most:
# before the handshake is done, anyone can forge a repetition, and the answer is larger than the question.
MIN_INTERVAL = 0.04
MAX_TRANSMISSIONS = 16
# "If repeated retransmissions do not result in a response, and the PMTU is unknown, subsequent retransmissions SHOULD
# back off to a smaller record size" (RFC 6347, Section 4.1.1.1): to the 576 octets that every path takes, less headers.
TIMEOUTS_AT_FULL_SIZE = 2
SMALL_MTU = 548
# A fragment shorter than this is not worth its headers: it goes into the next datagram.
MIN_FRAGMENT_LENGTH = 32
# The smallest datagram in which flights still make progress: headers, protection and a fragment worth sending.
MIN_MTU = records.HEADER_LENGTH + protection.EXPANSION + fragments.HEADER_LENGTH + MIN_FRAGMENT_LENGTH

# struct { enum { change_cipher_spec(1), (255) } type; } ChangeCipherSpec (RFC 5246, Section 7.1)
CHANGE_CIPHER_SPEC = b"\x01"


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record of a flight before it is sealed; each transmission seals it anew, under a new sequence number."""

    epoch: int
    content_type: ContentType
    payload: bytes

    @property
    def wire_length(self) -> int:
        """The octets that the sealed record takes in a datagram."""
        return _overhead(self.epoch) + len(self.payload)


@dataclass(frozen=True, slots=True)
class Flight:
    """Messages that are sent and repeated together: some in clear, then, behind ChangeCipherSpec, some protected.

    Only a flight that `expects_answer` is repeated by the timer; all are repeated when the peer repeats its own. One
    that comes `after_handshake` needs no ChangeCipherSpec.
    """

    clear: tuple[HandshakeMessage, ...]
    protected: tuple[HandshakeMessage, ...] = ()
    expects_answer: bool = True
    after_handshake: bool = False

    def datagrams(self, mtu: int) -> list[list[OutgoingRecord]]:
        """The flight's records, fragmented and packed so that no datagram is larger than `mtu`."""
        packer = _Packer(mtu)
        for message in self.clear:
            packer.add_message(CLEAR_EPOCH, message)
        if self.protected and not self.after_handshake:
            packer.add_change_cipher_spec()
        for message in self.protected:
            packer.add_message(PROTECTED_EPOCH, message)
        return packer.finish()


def _overhead(epoch: int) -> int:
    return records.HEADER_LENGTH + (protection.EXPANSION if epoch == PROTECTED_EPOCH else 0)


class _Packer:
    """Fills datagrams: as many fragments a record and as many records a datagram as fit.

    "multiple handshake messages may be placed in the same DTLS record, provided that there is room and that they are
    part of the same flight" (RFC 6347, Section 4.2.3).
    """

    def __init__(self, mtu: int) -> None:
        self._mtu = mtu
        self._room = mtu
        self._datagrams: list[list[OutgoingRecord]] = [[]]
        self._epoch: int | None = None  # of the record that is being filled, while one is
        self._payload = b""

    def add_message(self, epoch: int, message: HandshakeMessage) -> None:
        if self._room_for_fragment(epoch) >= len(message.body):
            self._add_fragment(epoch, write_message(message))
        else:
            self._add_fragments(epoch, message)

    def add_change_cipher_spec(self) -> None:
        self._finish_record()
        record = OutgoingRecord(CLEAR_EPOCH, ContentType.CHANGE_CIPHER_SPEC, CHANGE_CIPHER_SPEC)
        if self._room < record.wire_length:
            self._next_datagram()
        self._datagrams[-1].append(record)
        self._room -= record.wire_length

    def finish(self) -> list[list[OutgoingRecord]]:
        self._finish_record()
        return self._datagrams

    def _add_fragments(self, epoch: int, message: HandshakeMessage) -> None:
        offset, length = 0, len(message.body)
        while True:
            room = self._room_for_fragment(epoch)
            if room < min(length - offset, MIN_FRAGMENT_LENGTH):
                self._next_datagram()
                continue
            fragment = message.fragment(offset, room)
            self._add_fragment(epoch, write_fragment(fragment))
            offset = fragment.end
            if offset == length:
                return

    def _room_for_fragment(self, epoch: int) -> int:
        header = 0 if epoch == self._epoch else _overhead(epoch)
        return self._room - header - fragments.HEADER_LENGTH

    def _add_fragment(self, epoch: int, fragment: bytes) -> None:
        if epoch != self._epoch:
            self._finish_record()
            self._epoch = epoch
            self._room -= _overhead(epoch)
        self._payload += fragment
        self._room -= len(fragment)

    def _finish_record(self) -> None:
        if self._epoch is not None:
            self._datagrams[-1].append(OutgoingRecord(self._epoch, ContentType.HANDSHAKE, self._payload))
            self._epoch, self._payload = None, b""

    def _next_datagram(self) -> None:
        self._finish_record()
        self._datagrams.append([])
        self._room = self._mtu


class Retransmission:
    """The flight sent last, and when to send it again."""

    def __init__(self) -> None:
        self._flight: Flight | None = None
        self._timeouts = 0
        self._transmissions = 0
        self._sent_at = 0.0
        self._due: float | None = None

    @property
    def due(self) -> float | None:
        """When the timer expires; None where no answer is awaited."""
        return self._due

    def begin(self, flight: Flight) -> None:
        """A new flight takes the place of the old, which has been answered."""
        self._flight = flight
        self._timeouts = self._transmissions = 0

    def stop(self) -> None:
        """Nothing will be repeated any more."""
        self._flight = self._due = None

    def complete(self) -> None:
        """The handshake is over: a flight that awaited an answer has it; only a last flight may still be missed."""
        if self._due is not None:
            self.stop()

    def expired(self, now: float) -> bool:
        """Whether the timer has expired; if so, the next timeout is twice as long."""
        if self._due is None or now < self._due:
            return False
        self._timeouts += 1
        return True

    def may_answer_repetition(self, now: float) -> bool:
        """Whether the peer's repetition of its flight should make this side repeat its own."""
        just_sent = now - self._sent_at < MIN_INTERVAL
        return self._flight is not None and not just_sent and self._transmissions < MAX_TRANSMISSIONS

    def transmit(self, mtu: int, now: float) -> list[list[OutgoingRecord]]:
        """The flight's datagrams, to be sealed and sent now; sets the timer."""
        if self._flight is None:
            return []
        self._transmissions += 1
        self._sent_at = now
        timeout = min(INITIAL_TIMEOUT * 2 ** min(self._timeouts, MAX_DOUBLINGS), MAX_TIMEOUT)
        self._due = now + timeout if self._flight.expects_answer else None
        return self._flight.datagrams(mtu if self._timeouts < TIMEOUTS_AT_FULL_SIZE else min(mtu, SMALL_MTU))
