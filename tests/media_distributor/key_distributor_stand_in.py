"""A Key Distributor made of OpenSSL: TLS client of the tunnel, DTLS server for endpoints. It signs whatever it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from OpenSSL import SSL

from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.end import TunnelFailed
from perc.tunnel.key_distributor_end import KeyDistributorEnd
from perc.tunnel.messages import (
    EndpointDisconnect,
    MediaKeys,
    Message,
    SignAnswer,
    SignAnswerAck,
    SupportedProfiles,
    TunneledDtls,
)
from tests.media_distributor.certificates import Identity
from tests.media_distributor.dtls import exported_keys, records, server_connection

PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": SRTPProtectionProfile.AEAD_AES_128_GCM,
    b"SRTP_AEAD_AES_256_GCM": SRTPProtectionProfile.AEAD_AES_256_GCM,
}


class KeyDistributor(asyncio.Protocol):
    """Dials the tunnel's port; `sign` may be replaced by a test."""

    def __init__(self, identity: Identity | None, dtls_identity: Identity | None = None) -> None:
        self.secrets: list[str] = []
        """The tunnel's, as a key log has them."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        if identity is not None:
            context.use_certificate(identity.certificate)
            context.use_privatekey(identity.key)
        context.set_keylog_callback(lambda _, line: self.secrets.append(line.decode()))
        self.tls = SSL.Connection(context, None)
        self.tls.set_connect_state()
        self.end = KeyDistributorEnd()
        self._dtls_identity = dtls_identity or identity
        self.associations: dict[UUID, SSL.Connection] = {}
        self.keyed: set[UUID] = set()
        self.disconnected: list[UUID] = []
        self.messages: list[Message] = []
        self.failure: str | None = None
        self.closed = asyncio.Event()
        self.sign: Callable[[SignAnswer], None] = self.acknowledge
        self.early: list[Callable[[UUID], None]] = []
        """Called before an association's keys are sent."""

    @classmethod
    async def dial(cls, port: int, identity: Identity | None) -> KeyDistributor:
        _, protocol = await asyncio.get_running_loop().create_connection(lambda: cls(identity), "127.0.0.1", port)
        return protocol

    @property
    def is_up(self) -> bool:
        return self.end.profiles is not None and not self.closed.is_set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._pump()

    def data_received(self, data: bytes) -> None:
        self.tls.bio_write(data)
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def send(self, message: Message) -> None:
        self.end.send(message)
        self._flush()

    def send_plaintext(self, data: bytes) -> None:
        """Octets in the tunnel that no end would send."""
        self.tls.send(data)
        self._flush()

    def acknowledge(self, message: SignAnswer) -> None:
        self.send(SignAnswerAck(signed(message.answer)))

    def _pump(self) -> None:
        try:
            self.tls.do_handshake()
            while True:
                for event in self.end.receive_data(self.tls.recv(65536)):
                    self._handle(event)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.failure = "closed"
        except SSL.Error as error:
            self.failure = repr(error)
        self._flush()

    def _flush(self) -> None:
        if data := self.end.data_to_send():
            self.tls.send(data)
        try:
            while True:
                self.transport.write(self.tls.bio_read(65536))
        except SSL.WantReadError:
            pass

    def _handle(self, event: Message | TunnelFailed) -> None:
        assert not isinstance(event, TunnelFailed), event
        self.messages.append(event)
        match event:
            case SignAnswer():
                self.sign(event)
            case TunneledDtls(association_id, datagram):
                self._dtls(association_id, datagram)
            case EndpointDisconnect(association_id):
                self.disconnected.append(association_id)
                self.associations.pop(association_id, None)
            case SupportedProfiles():
                pass

    def _dtls(self, association_id: UUID, datagram: bytes) -> None:
        assert self._dtls_identity is not None
        connection = self.associations.get(association_id)
        if connection is None:
            connection = self.associations[association_id] = server_connection(self._dtls_identity)
        connection.bio_write(datagram)
        try:
            connection.do_handshake()
            if association_id not in self.keyed:
                self.keyed.add(association_id)
                self._send_keys(association_id, connection)
            connection.recv(65536)
        except SSL.Error:
            pass
        for part in records(connection):
            self.send(TunneledDtls(association_id, part))

    def _send_keys(self, association_id: UUID, connection: SSL.Connection) -> None:
        for call in self.early:
            call(association_id)
        profile = PROFILES[connection.get_selected_srtp_profile()]
        client, server = exported_keys(connection, profile)
        length = profile.key_length
        self.send(
            MediaKeys(association_id, profile, client[:length], server[:length], client[length:], server[length:])
        )


def signed(answer: bytes) -> bytes:
    """The answer with an identity."""
    return answer.replace(b"\r\nm=", b"\r\na=identity:aWRlbnRpdHk=\r\nm=", 1)
