"""The client's handshake (RFC 8446, Section 2 and Appendix A.1), without pre-shared keys.

              START
Send ClientHello |                        (protection of both directions begins with ServerHello)
                 v
       EXPECT_SERVER_HELLO <--+
                 |            | HelloRetryRequest: send another ClientHello, once
                 +------------+
Recv ServerHello |
                 v
    EXPECT_ENCRYPTED_EXTENSIONS
                 |
                 v
EXPECT_CERTIFICATE_OR_REQUEST --------+
                 |                    | CertificateRequest
Recv Certificate |                    v
                 | <---------- EXPECT_CERTIFICATE
                 v
     EXPECT_CERTIFICATE_VERIFY
                 |
                 v
          EXPECT_FINISHED
                 | Send [Certificate, CertificateVerify], Finished
                 v
             CONNECTED
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from types import MappingProxyType
from typing import ClassVar

from perc.crypto.key_log import KeyLogLabel, log_secret
from perc.crypto.provider import CryptoProvider, KeyShare, SignatureScheme
from perc.errors import ApiMisuse, DecryptError, IllegalParameter, UnexpectedMessage
from perc.tls.authentication import (
    CertificateRequest,
    CertificateVerify,
    check_may_sign,
    client_signed_content,
    read_certificate,
    read_certificate_request,
    read_certificate_verify,
    read_encrypted_extensions,
    server_signed_content,
    write_certificate,
    write_certificate_verify,
)
from perc.tls.config import TlsClientConfig
from perc.tls.handshake import HandshakeMessage, HandshakeType, write_handshake
from perc.tls.hello import (
    OFFERED_GROUPS,
    RANDOM_LENGTH,
    ClientHello,
    HelloRetryRequest,
    ServerHello,
    read_server_hello,
)
from perc.tls.key_schedule import KeySchedule, verify_data
from perc.tls.record_layer import ContentType, RecordLayer
from perc.tls.transcript import Transcript
from perc.x509.certificate import Certificate
from perc.x509.names import dns_name, ip_address
from perc.x509.path import validate_server

_CLIENT_SCHEME = SignatureScheme.ECDSA_SECP256R1_SHA256


class State(Enum):
    """What the client expects next."""

    START = auto()
    EXPECT_SERVER_HELLO = auto()
    EXPECT_ENCRYPTED_EXTENSIONS = auto()
    EXPECT_CERTIFICATE_OR_REQUEST = auto()
    EXPECT_CERTIFICATE = auto()
    EXPECT_CERTIFICATE_VERIFY = auto()
    EXPECT_FINISHED = auto()
    CONNECTED = auto()


class ClientHandshake:
    """Takes the server's messages one by one, and writes its own and the changes of keys into the record layer.

    `receive` raises the `PeerError` that ends the handshake.
    """

    def __init__(self, provider: CryptoProvider, config: TlsClientConfig, records: RecordLayer) -> None:
        self._provider = provider
        self._config = config
        self._records = records
        self._state = State.START
        self._transcript = Transcript()
        self._schedule = KeySchedule()
        self._hello: ClientHello
        self._key_share: KeyShare
        self._retry: HelloRetryRequest | None = None
        self._client_secret = b""
        self._server_secret = b""
        self._request: CertificateRequest | None = None
        self._server_certificate: Certificate

    @property
    def is_complete(self) -> bool:
        """Whether both sides are authenticated and both Finished have been exchanged."""
        return self._state is State.CONNECTED

    @property
    def server_certificate(self) -> Certificate:
        """The server's certificate, once the handshake is complete."""
        return self._server_certificate

    async def start(self) -> None:
        """Send the ClientHello; `ApiMisuse` if the server's name is neither a DNS name nor an IP address."""
        name = self._config.server_name
        if self._state is not State.START:
            raise ApiMisuse("a handshake starts once")
        # RFC 6066, Section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
        host_name = dns_name(name)
        if host_name is None and ip_address(name) is None:
            raise ApiMisuse(f"{name!r} is neither a DNS name nor an IP address")
        self._state = State.EXPECT_SERVER_HELLO
        self._key_share = await self._provider.generate_key_share(OFFERED_GROUPS[0])
        random = self._provider.random_bytes(RANDOM_LENGTH)
        self._hello = ClientHello(random, host_name, self._key_share.group, self._key_share.public_key)
        await self._send_hello()

    async def receive(self, message: HandshakeMessage) -> None:
        """The server's next message."""
        handler = self._EXPECTED.get((self._state, message.msg_type))
        if handler is None:
            raise UnexpectedMessage(f"handshake message {message.msg_type} in {self._state.name}")
        await handler(self, message)

    async def _receive_server_hello(self, message: HandshakeMessage) -> None:
        hello = read_server_hello(message.body)
        if isinstance(hello, HelloRetryRequest):
            await self._receive_retry(hello, message)
            return
        # "the client MUST verify that the selected NamedGroup in the ServerHello is the same as that in the
        # HelloRetryRequest" (Section 4.2.8); without one, that it is the one whose share was offered.
        if hello.group != self._key_share.group:
            raise IllegalParameter("a share in a group without a share of ours")
        self._transcript.add(message.encoded)
        await self._begin_protection(hello)
        self._state = State.EXPECT_ENCRYPTED_EXTENSIONS

    async def _receive_retry(self, retry: HelloRetryRequest, message: HandshakeMessage) -> None:
        # "If a client receives a second HelloRetryRequest in the same connection ... it MUST abort the handshake with
        # an "unexpected_message" alert" (Section 4.1.4).
        if self._retry is not None:
            raise UnexpectedMessage("a second HelloRetryRequest")
        # "Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would not result
        # in any change in the ClientHello" (Section 4.1.4), or asks for the share that it has got (Section 4.2.8).
        if retry.group == self._key_share.group or (retry.group is None and retry.cookie is None):
            raise IllegalParameter("a HelloRetryRequest that changes nothing")
        self._retry = retry
        self._transcript.restart_for_retry()
        self._transcript.add(message.encoded)
        if retry.group is not None:
            self._key_share = await self._provider.generate_key_share(retry.group)
        share = self._key_share
        self._hello = replace(self._hello, group=share.group, key_share=share.public_key, cookie=retry.cookie)
        await self._send_hello()

    async def _begin_protection(self, hello: ServerHello) -> None:
        self._schedule.enter_handshake(await self._provider.agree(self._key_share, hello.key_share))
        transcript_hash = self._transcript.digest()
        self._client_secret = self._schedule.derive_secret(b"c hs traffic", transcript_hash)
        self._server_secret = self._schedule.derive_secret(b"s hs traffic", transcript_hash)
        self._log_secret(KeyLogLabel.CLIENT_HANDSHAKE_TRAFFIC_SECRET, self._client_secret)
        self._log_secret(KeyLogLabel.SERVER_HANDSHAKE_TRAFFIC_SECRET, self._server_secret)
        await self._records.protect_reading(self._server_secret)
        await self._records.protect_writing(self._client_secret)

    async def _receive_encrypted_extensions(self, message: HandshakeMessage) -> None:
        read_encrypted_extensions(message.body)
        self._transcript.add(message.encoded)
        self._state = State.EXPECT_CERTIFICATE_OR_REQUEST

    async def _receive_certificate_request(self, message: HandshakeMessage) -> None:
        self._request = read_certificate_request(message.body)
        self._transcript.add(message.encoded)
        self._state = State.EXPECT_CERTIFICATE

    async def _receive_certificate(self, message: HandshakeMessage) -> None:
        config, chain = self._config, read_certificate(message.body)
        self._server_certificate = await validate_server(
            self._provider, chain, config.trust_anchors, config.server_name, config.now
        )
        check_may_sign(self._server_certificate)
        self._transcript.add(message.encoded)
        self._state = State.EXPECT_CERTIFICATE_VERIFY

    async def _receive_certificate_verify(self, message: HandshakeMessage) -> None:
        verify = read_certificate_verify(message.body)
        server = self._server_certificate
        # "the signature algorithm MUST be one offered in the client's "signature_algorithms" extension" and fit the
        # key (Section 4.4.3); what each type of key may sign with is exactly what was offered.
        if server.key_type is None or verify.scheme not in server.key_type.value:
            raise IllegalParameter("a signature scheme that does not fit the server's key")
        content = server_signed_content(self._transcript.digest())
        if not await self._provider.verify(server.public_key, verify.scheme, verify.signature, content):
            raise DecryptError("the server's signature does not verify")
        self._transcript.add(message.encoded)
        self._state = State.EXPECT_FINISHED

    async def _receive_finished(self, message: HandshakeMessage) -> None:
        expected = verify_data(self._server_secret, self._transcript.digest())
        # "Recipients of Finished messages MUST verify that the contents are correct and if incorrect MUST terminate
        # the connection with a "decrypt_error" alert" (Section 4.4.4).
        if not hmac.compare_digest(message.body, expected):
            raise DecryptError("the server's Finished does not verify")
        self._transcript.add(message.encoded)
        self._records.handshake_is_over = True
        self._schedule.enter_application()
        transcript_hash = self._transcript.digest()
        client_secret = self._schedule.derive_secret(b"c ap traffic", transcript_hash)
        server_secret = self._schedule.derive_secret(b"s ap traffic", transcript_hash)
        self._log_secret(KeyLogLabel.CLIENT_TRAFFIC_SECRET_0, client_secret)
        self._log_secret(KeyLogLabel.SERVER_TRAFFIC_SECRET_0, server_secret)
        await self._send_authentication()
        await self._records.protect_reading(server_secret)
        await self._records.protect_writing(client_secret)
        self._state = State.CONNECTED

    async def _send_hello(self) -> None:
        hello = self._add_message(HandshakeType.CLIENT_HELLO, self._hello.write())
        await self._records.write(ContentType.HANDSHAKE, hello)

    async def _send_authentication(self) -> None:
        # In one record, because each costs a browser an await.
        flight = b"" if self._request is None else await self._authenticate(self._request)
        finished = verify_data(self._client_secret, self._transcript.digest())
        flight += self._add_message(HandshakeType.FINISHED, finished)
        await self._records.write(ContentType.HANDSHAKE, flight)

    async def _authenticate(self, request: CertificateRequest) -> bytes:
        # "If ... no suitable certificate is available, the client MUST send a Certificate message containing no
        # certificates" (Section 4.4.2).
        if _CLIENT_SCHEME not in request.schemes:
            return self._add_message(HandshakeType.CERTIFICATE, write_certificate())
        certificate = self._add_message(HandshakeType.CERTIFICATE, write_certificate(self._config.certificate.der))
        content = client_signed_content(self._transcript.digest())
        signature = await self._provider.sign(self._config.signing_key, content)
        verify = write_certificate_verify(CertificateVerify(_CLIENT_SCHEME, signature))
        return certificate + self._add_message(HandshakeType.CERTIFICATE_VERIFY, verify)

    def _log_secret(self, label: KeyLogLabel, secret: bytes) -> None:
        log_secret(self._config.key_log, label, self._hello.random, secret)

    def _add_message(self, msg_type: HandshakeType, body: bytes) -> bytes:
        message = write_handshake(msg_type, body)
        self._transcript.add(message)
        return message

    _EXPECTED: ClassVar[Mapping[tuple[State, int], Callable[[ClientHandshake, HandshakeMessage], Awaitable[None]]]] = (
        MappingProxyType(
            {
                (State.EXPECT_SERVER_HELLO, HandshakeType.SERVER_HELLO): _receive_server_hello,
                (State.EXPECT_ENCRYPTED_EXTENSIONS, HandshakeType.ENCRYPTED_EXTENSIONS): _receive_encrypted_extensions,
                (State.EXPECT_CERTIFICATE_OR_REQUEST, HandshakeType.CERTIFICATE_REQUEST): _receive_certificate_request,
                (State.EXPECT_CERTIFICATE_OR_REQUEST, HandshakeType.CERTIFICATE): _receive_certificate,
                (State.EXPECT_CERTIFICATE, HandshakeType.CERTIFICATE): _receive_certificate,
                (State.EXPECT_CERTIFICATE_VERIFY, HandshakeType.CERTIFICATE_VERIFY): _receive_certificate_verify,
                (State.EXPECT_FINISHED, HandshakeType.FINISHED): _receive_finished,
            }
        )
    )
