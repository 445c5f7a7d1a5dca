"""What both ends of the tunnel do alike: read a stream, refuse what does not belong, queue what goes out.

supported_profiles           MD -> KD   first, and once
unsupported_version          KD -> MD   instead of anything else
media_keys                   KD -> MD
tunneled_dtls                both ways
endpoint_disconnect          both ways
sign_answer                  MD -> KD
sign_answer_ack, _reject     KD -> MD   one of them for each sign_answer, in any order
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from perc.errors import ApiMisuse, PeerError
from perc.tunnel.messages import Message, write_message
from perc.tunnel.stream import MessageReader


@dataclass(frozen=True, slots=True)
class TunnelFailed:
    """The other end broke the protocol: the TLS connection is to be closed once `data_to_send()` has been sent."""

    error: PeerError


Event = Message | TunnelFailed


class TunnelEnd(ABC):
    """One end of a tunnel, over the plaintext of its TLS connection. Events are the messages that arrived."""

    def __init__(self) -> None:
        self._reader = MessageReader()
        self._outgoing = bytearray()
        self._failed = False

    def receive_data(self, data: bytes) -> list[Event]:
        """The messages in `data` and what came before it; at the first one that is wrong `TunnelFailed`, then nothing.

        Never raises for what the other end sent.
        """
        events: list[Event] = []
        if self._failed:
            return events
        self._reader.receive_data(data)
        try:
            while not self._failed and (message := self._reader.next_message()) is not None:
                events += self._receive(message)
        except PeerError as error:
            events.append(self._fail(error))
        return events

    @property
    def octets_held(self) -> int:
        """How much of a message that is not complete is kept: less than 64 KiB and a header."""
        return self._reader.octets_held

    def data_to_send(self) -> bytes:
        """What is to be written to the TLS connection now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def send(self, message: Message) -> None:
        """Queue a message, all of it or nothing.

        `ApiMisuse` if this end does not send such a message now, `MessageTooLarge` if it does not fit, `DecodeError` if
        it carries an answer without an `o=` line of its own.
        """
        if self._failed:
            raise ApiMisuse("the tunnel has failed")
        octets = write_message(message)
        self._before_sending(message)
        self._outgoing += octets

    @abstractmethod
    def _receive(self, message: Message) -> list[Event]:
        """What a message means to this end; `PeerError` if it means nothing good."""

    @abstractmethod
    def _before_sending(self, message: Message) -> None:
        """Raise `ApiMisuse` if `message` is not this end's to send now."""

    def _fail(self, error: PeerError) -> TunnelFailed:
        self._failed = True
        return TunnelFailed(error)
