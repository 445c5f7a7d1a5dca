"""The DTLS 1.2 server of a Key Distributor (RFC 6347), which ends the DTLS of all endpoints of a conference.

It offers one kind of handshake: ECDHE_ECDSA with AES-GCM, extended master secret, client certificate, use_srtp with a
GCM profile. It refuses everything else, and resumption and renegotiation with it.
"""

from __future__ import annotations

from collections.abc import Callable

from perc.crypto.provider import CryptoProvider
from perc.dtls.association import Association
from perc.dtls.events import Event
from perc.dtls.server_handshake import DtlsServerConfig, ServerHandshake
from perc.x509.certificate import Certificate


class DtlsServer(Association):
    """The server's end of one association.

    `verify_client` is called with the client's certificate before the client has proved to own it, and refuses it by
    raising `CertificateError` (or, for another tls-id than the offer's, `IllegalParameter`). Only `HandshakeCompleted`
    says that the client is the certificate's owner.
    """

    def __init__(
        self, provider: CryptoProvider, config: DtlsServerConfig, verify_client: Callable[[Certificate], None]
    ) -> None:
        self._server_handshake = ServerHandshake(provider, config, verify_client)
        super().__init__(provider, self._server_handshake, config.mtu)

    async def receive_datagram(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the client in; the first one starts the clock of the handshake."""
        if self._is_idle:
            self._start_clock(now)
        return await super().receive_datagram(data, now)

    @property
    def external_session_id(self) -> bytes | None:
        """The tls-id that the client sent (RFC 8844, Section 4), from when `verify_client` is called; None if it sent
        none."""
        return self._server_handshake.external_session_id
