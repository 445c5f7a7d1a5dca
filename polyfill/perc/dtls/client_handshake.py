"""The client's side of the handshake; `server_handshake.py` has the diagram."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from perc.crypto.provider import CryptoProvider, NamedGroup, SignatureScheme, SigningKey
from perc.dtls.cipher_suites import CIPHER_SUITES
from perc.dtls.events import HandshakeCompleted
from perc.dtls.flights import Flight
from perc.dtls.fragments import HandshakeMessage, HandshakeType
from perc.dtls.hello import (
    RANDOM_LENGTH,
    ClientHello,
    Extensions,
    read_hello_verify_request,
    read_server_hello,
    write_client_hello,
)
from perc.dtls.messages import (
    ECDSA_SIGN,
    DigitallySigned,
    ServerKeyExchange,
    read_certificate_request,
    read_certificates,
    read_server_key_exchange,
    write_certificate_verify,
    write_certificates,
    write_client_key_exchange,
    write_ecdh_parameters,
)
from perc.dtls.negotiation import NAMED_GROUPS, SIGNATURE_SCHEMES
from perc.dtls.offer import Accepted, accept, write_offer
from perc.dtls.outputs import FlightPrepared, KeysDerived, Output
from perc.dtls.session import CLIENT_FINISHED, SERVER_FINISHED, Session
from perc.dtls.transcript import Transcript
from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.errors import (
    CertificateError,
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    UnexpectedMessage,
)
from perc.srtp.profiles import SRTPProtectionProfile
from perc.x509.certificate import Certificate

# One is usual; a server that changes its cookie secret meanwhile sends a second.
MAX_HELLO_VERIFY_REQUESTS = 3


@dataclass(frozen=True, slots=True)
class DtlsClientConfig:
    """What a client is and offers; `profiles`, ALPN `protocols` and `ekt_ciphers` in its order of preference."""

    certificate: Certificate
    signing_key: SigningKey
    profiles: tuple[SRTPProtectionProfile, ...]
    protocols: tuple[bytes, ...] = ()
    external_session_id: bytes | None = None
    mtu: int = 1200
    ekt_ciphers: tuple[EKTCipher, ...] = ()


class State(Enum):
    """The message that a client expects."""

    EXPECT_SERVER_HELLO = HandshakeType.SERVER_HELLO
    EXPECT_CERTIFICATE = HandshakeType.CERTIFICATE
    EXPECT_SERVER_KEY_EXCHANGE = HandshakeType.SERVER_KEY_EXCHANGE
    EXPECT_CERTIFICATE_REQUEST = HandshakeType.CERTIFICATE_REQUEST
    EXPECT_SERVER_HELLO_DONE = HandshakeType.SERVER_HELLO_DONE
    EXPECT_FINISHED = HandshakeType.FINISHED
    COMPLETED = None


class ClientHandshake:
    """One handshake of a client."""

    _accepted: Accepted
    _randoms: tuple[bytes, bytes]
    _server_certificate: Certificate
    _server_key: tuple[NamedGroup, bytes]
    _session: Session

    def __init__(
        self, provider: CryptoProvider, config: DtlsClientConfig, verify_server: Callable[[Certificate], None]
    ) -> None:
        self._provider = provider
        self._config = config
        self._verify_server = verify_server
        self._state = State.EXPECT_SERVER_HELLO
        self._transcript = Transcript()
        self._random = provider.random_bytes(RANDOM_LENGTH)
        self._offer: Extensions = write_offer(
            config.profiles, config.protocols, config.external_session_id, config.ekt_ciphers
        )
        self._verify_requests = 0
        self.external_session_id: bytes | None = None

    def start(self) -> list[Output]:
        """The first ClientHello."""
        return [FlightPrepared(self._client_hello_flight(cookie=b""))]

    def _client_hello_flight(self, cookie: bytes) -> Flight:
        hello = ClientHello(self._random, tuple(suite.code for suite in CIPHER_SUITES), self._offer, cookie)
        return Flight((self._transcript.send(HandshakeType.CLIENT_HELLO, write_client_hello(hello)),))

    async def receive_message(self, message: HandshakeMessage) -> list[Output]:
        """Take the server's next message; `PeerError` for one that this state does not expect or allow."""
        if self._state is State.EXPECT_SERVER_HELLO and message.msg_type == HandshakeType.HELLO_VERIFY_REQUEST:
            return self._receive_hello_verify_request(message)
        if message.msg_type != self._state.value:
            raise UnexpectedMessage(f"handshake message {message.msg_type} in state {self._state.name}")
        match self._state:
            case State.EXPECT_SERVER_HELLO:
                self._receive_server_hello(message)
            case State.EXPECT_CERTIFICATE:
                self._receive_certificate(message)
            case State.EXPECT_SERVER_KEY_EXCHANGE:
                await self._receive_server_key_exchange(message)
            case State.EXPECT_CERTIFICATE_REQUEST:
                self._receive_certificate_request(message)
            case State.EXPECT_SERVER_HELLO_DONE:
                return await self._receive_server_hello_done(message)
            case _:
                return self._receive_finished(message)
        return []

    def _receive_hello_verify_request(self, message: HandshakeMessage) -> list[Output]:
        self._verify_requests += 1
        if self._verify_requests > MAX_HELLO_VERIFY_REQUESTS:
            raise UnexpectedMessage("the server keeps asking for cookies")
        self._transcript.restart()
        return [FlightPrepared(self._client_hello_flight(read_hello_verify_request(message.body).cookie))]

    def _receive_server_hello(self, message: HandshakeMessage) -> None:
        hello = read_server_hello(message.body)
        self._accepted = accept(hello, self._offer)
        self.external_session_id = self._accepted.external_session_id
        self._randoms = self._random, hello.random
        self._transcript.add(message)
        self._state = State.EXPECT_CERTIFICATE

    def _receive_certificate(self, message: HandshakeMessage) -> None:
        chain = read_certificates(message.body)
        if not chain:
            raise CertificateError("the server has no certificate")
        self._server_certificate = Certificate.parse(chain[0])
        self._verify_server(self._server_certificate)
        self._transcript.add(message)
        self._state = State.EXPECT_SERVER_KEY_EXCHANGE

    async def _receive_server_key_exchange(self, message: HandshakeMessage) -> None:
        exchange = read_server_key_exchange(message.body)
        if exchange.group not in NAMED_GROUPS or exchange.signed.scheme not in SIGNATURE_SCHEMES:
            raise IllegalParameter("a group or signature scheme that was not offered")
        await self._verify_key_exchange(exchange)
        self._server_key = NamedGroup(exchange.group), exchange.public_key
        self._transcript.add(message)
        self._state = State.EXPECT_CERTIFICATE_REQUEST

    async def _verify_key_exchange(self, exchange: ServerKeyExchange) -> None:
        content = b"".join(self._randoms) + write_ecdh_parameters(exchange.group, exchange.public_key)
        public_key, scheme = self._server_certificate.public_key, SignatureScheme(exchange.signed.scheme)
        if not await self._provider.verify(public_key, scheme, exchange.signed.signature, content):
            raise DecryptError("ServerKeyExchange does not verify")

    def _receive_certificate_request(self, message: HandshakeMessage) -> None:
        request = read_certificate_request(message.body)
        if (
            ECDSA_SIGN not in request.certificate_types
            or SignatureScheme.ECDSA_SECP256R1_SHA256 not in request.signature_schemes
        ):
            raise HandshakeFailure("the server does not take ECDSA certificates")
        self._transcript.add(message)
        self._state = State.EXPECT_SERVER_HELLO_DONE

    async def _receive_server_hello_done(self, message: HandshakeMessage) -> list[Output]:
        if message.body:
            raise DecodeError("ServerHelloDone is not empty")
        self._transcript.add(message)
        group, server_key = self._server_key
        key_share = await self._provider.generate_key_share(group)
        premaster_secret = await self._provider.agree(key_share, server_key)
        flight = await self._finished_flight(key_share.public_key, premaster_secret)
        keys = await self._session.record_keys(self._provider)
        self._state = State.EXPECT_FINISHED
        return [KeysDerived(reading=keys.server_write, writing=keys.client_write), FlightPrepared(flight)]

    async def _finished_flight(self, public_key: bytes, premaster_secret: bytes) -> Flight:
        transcript, suite = self._transcript, self._accepted.suite
        certificate = transcript.send(HandshakeType.CERTIFICATE, write_certificates([self._config.certificate.der]))
        key_exchange = transcript.send(HandshakeType.CLIENT_KEY_EXCHANGE, write_client_key_exchange(public_key))
        self._session = Session.derive(suite, self._randoms, premaster_secret, transcript.hash(suite.digest))
        signature = await self._provider.sign(self._config.signing_key, transcript.content)
        signed = DigitallySigned(SignatureScheme.ECDSA_SECP256R1_SHA256, signature)
        certificate_verify = transcript.send(HandshakeType.CERTIFICATE_VERIFY, write_certificate_verify(signed))
        verify_data = self._session.verify_data(CLIENT_FINISHED, transcript.hash(suite.digest))
        finished = transcript.send(HandshakeType.FINISHED, verify_data)
        return Flight((certificate, key_exchange, certificate_verify), (finished,))

    def _receive_finished(self, message: HandshakeMessage) -> list[Output]:
        session, digest = self._session, self._transcript.hash(self._accepted.suite.digest)
        session.check_verify_data(SERVER_FINISHED, digest, message.body)
        self._transcript.restart()
        self._state = State.COMPLETED
        del self._session
        return [
            session.export_srtp_keys(self._accepted.profile),
            HandshakeCompleted(
                self._config.certificate,
                self._server_certificate,
                self._accepted.profile,
                self._accepted.application_protocol,
                self._accepted.ekt_cipher,
            ),
        ]

    def read_ekt_key(self, message: HandshakeMessage) -> EktKey:
        """The EKTKey in a message behind Finished; `PeerError` where there should be none of its kind."""
        if self._accepted.ekt_cipher is None:
            raise UnexpectedMessage("an EKTKey, but no EKT cipher was negotiated")
        key = EktKey.read(message.body)
        if key.cipher is not self._accepted.ekt_cipher:
            raise IllegalParameter(f"an EKTKey for {key.cipher.name}, not {self._accepted.ekt_cipher.name}")
        return key
