"""The connection to the Media Distributor: TLS 1.3 with client certificate, and the tunnel protocol in it."""

from __future__ import annotations

from perc.crypto.provider import CryptoProvider
from perc.errors import PeerError
from perc.key_distributor.events import ConnectionClosed, ConnectionFailed
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.tls import config as tls
from perc.tls.client import TlsClient
from perc.tls.config import TlsClientConfig
from perc.tunnel.end import TunnelFailed
from perc.tunnel.key_distributor_end import KeyDistributorEnd
from perc.tunnel.messages import Message

Event = Message | ConnectionFailed | ConnectionClosed


class MediaDistributorConnection:
    """One tunnel, from the ClientHello to its end, which is told once."""

    def __init__(self, provider: CryptoProvider, config: TlsClientConfig, trace: Trace = NO_TRACE) -> None:
        self._trace = trace
        self._tls = TlsClient(provider, config)
        self._tunnel = KeyDistributorEnd()
        self._is_writable = True
        self._has_ended = False
        self.has_said_goodbye = False

    async def start(self) -> None:
        """Begin the TLS handshake; `ApiMisuse` for a server name that is none."""
        await self._tls.start()
        self._trace.emit(TraceName.TUNNEL_CONNECTING)

    async def receive_data(self, data: bytes) -> list[Event]:
        """Take octets of the connection in; never raises for what they are."""
        events = await self._tls.receive_data(data)
        if any(isinstance(event, tls.ConnectionFailed | tls.ConnectionClosed) for event in events):
            self._is_writable = False  # also for replies to what came in front of the end
        received: list[Event] = []
        for event in events:
            match event:
                case tls.HandshakeCompleted():
                    self._trace.emit(TraceName.TUNNEL_AUTHENTICATED)
                case tls.ApplicationDataReceived(plaintext):
                    received += await self._receive_plaintext(plaintext)
                case tls.ConnectionFailed(error):
                    received += self._end(ConnectionFailed(error))
                case tls.ConnectionClosed():
                    received += self._end(ConnectionClosed())
        return received

    def send(self, message: Message) -> None:
        """Queue a message, to go out with the next `flush`; dropped if the connection is over."""
        if self._is_writable:
            self._tunnel.send(message)

    async def flush(self) -> None:
        """Protect what was queued."""
        data = self._tunnel.data_to_send()
        if data and self._is_writable:
            await self._tls.send(data)

    def data_to_send(self) -> bytes:
        """Octets for the connection."""
        return self._tls.data_to_send()

    async def close(self) -> None:
        """Say what was queued, and close_notify."""
        await self.flush()
        self._is_writable = False
        self._has_ended = self.has_said_goodbye = True
        await self._tls.close()

    async def fail(self, error: PeerError) -> list[ConnectionFailed]:
        """Close the connection, because of what the Media Distributor wants."""
        if self._has_ended:
            return []
        await self.close()
        return [ConnectionFailed(error)]

    async def _receive_plaintext(self, plaintext: bytes) -> list[Event]:
        received: list[Event] = []
        for event in self._tunnel.receive_data(plaintext):
            if isinstance(event, TunnelFailed):
                received += await self.fail(event.error)
            else:
                received.append(event)
        return received

    def _end(self, event: ConnectionFailed | ConnectionClosed) -> list[Event]:
        if self._has_ended:
            return []
        self._has_ended = True
        return [event]
