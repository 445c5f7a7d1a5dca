"""The connection to the Media Distributor: TLS 1.3 with client certificate, and the tunnel protocol in it."""

from __future__ import annotations

from perc.crypto.provider import CryptoProvider
from perc.errors import PeerError
from perc.key_distributor.events import ConnectionClosed, ConnectionFailed
from perc.tls import events as tls
from perc.tls.client import TlsClient, TlsClientConfig
from perc.tunnel.end import TunnelFailed
from perc.tunnel.key_distributor_end import KeyDistributorEnd
from perc.tunnel.messages import Message

Event = Message | ConnectionFailed | ConnectionClosed


class MediaDistributorConnection:
    """One tunnel, from the ClientHello to its end."""

    def __init__(self, provider: CryptoProvider, config: TlsClientConfig) -> None:
        self._tls = TlsClient(provider, config)
        self._tunnel = KeyDistributorEnd()
        self._ended = False

    async def start(self) -> None:
        """Begin the TLS handshake."""
        await self._tls.start()

    async def receive_data(self, data: bytes) -> list[Event]:
        """Take octets of the connection in; never raises for what they are."""
        received: list[Event] = []
        for event in await self._tls.receive_data(data):
            match event:
                case tls.ApplicationDataReceived(plaintext):
                    received += await self._receive_plaintext(plaintext)
                case tls.ConnectionFailed(error):
                    received += self._end(ConnectionFailed(error))
                case tls.ConnectionClosed():
                    received += self._end(ConnectionClosed())
        return received

    def send(self, message: Message) -> None:
        """Queue a message, to go out with the next `flush`; dropped if the connection is over."""
        if not self._ended:
            self._tunnel.send(message)

    async def flush(self) -> None:
        """Protect what was queued."""
        data = self._tunnel.data_to_send()
        if data and not self._ended:
            await self._tls.send(data)

    def data_to_send(self) -> bytes:
        """Octets for the connection."""
        return self._tls.data_to_send()

    async def close(self) -> None:
        """Say what was queued, and close_notify."""
        if not self._ended:
            await self.flush()
            self._ended = True
            await self._tls.close()

    async def fail(self, error: PeerError) -> ConnectionFailed:
        """Close the connection, because of what the Media Distributor wants."""
        await self.close()
        return ConnectionFailed(error)

    async def _receive_plaintext(self, plaintext: bytes) -> list[Event]:
        received: list[Event] = []
        if self._ended:
            return received
        for event in self._tunnel.receive_data(plaintext):
            if isinstance(event, TunnelFailed):
                await self.close()
                received.append(ConnectionFailed(event.error))
            else:
                received.append(event)
        return received

    def _end(self, event: ConnectionFailed | ConnectionClosed) -> list[Event]:
        if self._ended:
            return []
        self._ended = True
        return [event]
