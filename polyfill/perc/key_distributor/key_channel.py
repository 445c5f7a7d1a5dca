"""The Key Distributor's end of an endpoint's key channel: a browser's data channel over SCTP (RFC 8831).

The channel is pre-negotiated (stream 0, ordered, reliable), so nothing has to be opened but the SCTP association. Other
channels and their opening (RFC 8832) get no answer: nobody here listens to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perc.ekt.key_channel import Announce, EktKeyAck, KeyChannelMessage, read_message, write_message
from perc.errors import AlertDescription, ApiMisuse, PeerError, UnexpectedMessage
from perc.sctp import events as sctp
from perc.sctp.responder import SctpResponder

STREAM_ID = 0

WEBRTC_BINARY = 53
"""The payload protocol identifier of a binary message (RFC 8831, Section 8)."""


@dataclass(frozen=True, slots=True)
class KeyChannelOpened:
    """Messages can be sent, and will be received. A second one: the endpoint has forgotten what it was sent."""


@dataclass(frozen=True, slots=True)
class KeyChannelFailed:
    """The channel is over: the endpoint broke its protocol or ended it."""

    error: PeerError


Event = KeyChannelOpened | KeyChannelFailed | Announce | EktKeyAck


class KeyChannel:
    """Messages over one SCTP association, whose packets are the association's application data."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._sctp = SctpResponder(random_bytes)
        self.is_open = False
        """Whether messages can be sent."""

    def receive_datagram(self, packet: bytes, now: float) -> list[Event]:
        """Take an SCTP packet in."""
        return self._translate(self._sctp.receive_datagram(packet, now))

    def datagrams_to_send(self) -> list[bytes]:
        """SCTP packets that have become due."""
        return self._sctp.datagrams_to_send()

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called."""
        return self._sctp.next_timeout()

    def handle_timeout(self, now: float) -> list[Event]:
        """Repeat what was not acknowledged, or give up."""
        return self._translate(self._sctp.handle_timeout(now))

    def send(self, message: KeyChannelMessage, now: float) -> None:
        """Queue a message, which is lost if the endpoint is closing the channel; `ApiMisuse` before it is open."""
        if not self.is_open:
            raise ApiMisuse("the key channel is not open")
        self._sctp.send(STREAM_ID, WEBRTC_BINARY, write_message(message), now)

    def _translate(self, events: list[sctp.Event]) -> list[Event]:
        translated: list[Event] = []
        for event in events:
            match event:
                case sctp.AssociationEstablished():
                    self.is_open = True
                    translated.append(KeyChannelOpened())
                case sctp.AssociationAborted(reason):
                    self.is_open = False
                    error = PeerError(f"the key channel ended: {reason}", AlertDescription.CLOSE_NOTIFY)
                    translated.append(KeyChannelFailed(error))
                case sctp.MessageReceived(stream_id, ppid, data) if stream_id == STREAM_ID:
                    translated.append(self._read(ppid, data))
        return translated

    def _read(self, ppid: int, data: bytes) -> Event:
        try:
            if ppid != WEBRTC_BINARY:
                raise UnexpectedMessage(f"a message with payload protocol {ppid} on the key channel")
            message = read_message(data)
            if not isinstance(message, Announce | EktKeyAck):
                raise UnexpectedMessage("a message that is the Key Distributor's to send")
        except PeerError as error:
            return KeyChannelFailed(error)
        return message
