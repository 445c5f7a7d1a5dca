"""The DTLS 1.2 client of a native endpoint (RFC 6347); it asks for exactly what `server.py` offers."""

from __future__ import annotations

from collections.abc import Callable

from perc.crypto.provider import CryptoProvider
from perc.dtls.association import Association
from perc.dtls.client_handshake import ClientHandshake, DtlsClientConfig
from perc.dtls.events import Event
from perc.errors import ApiMisuse
from perc.x509.certificate import Certificate


class DtlsClient(Association):
    """The client's end of one association; `verify_server` refuses a certificate by raising `CertificateError`."""

    def __init__(
        self, provider: CryptoProvider, config: DtlsClientConfig, verify_server: Callable[[Certificate], None]
    ) -> None:
        self._client_handshake = ClientHandshake(provider, config, verify_server)
        super().__init__(provider, self._client_handshake, config.mtu)

    async def start(self, now: float) -> list[Event]:
        """Send the ClientHello; `ApiMisuse` the second time."""
        if not self._is_idle:
            raise ApiMisuse("the handshake has been started")
        self._start_clock(now)
        for output in self._client_handshake.start():
            await self._apply(output, now)
        return self._take_events()
