r"""The server's side of the handshake: full, with client authentication and extended master secret, and no other kind.

    Client                                          Server

    ClientHello             -------->                           Flight 1, or 3 behind a gate (cookie_gate.py)

                                               ServerHello    \
                                               Certificate     \
                                         ServerKeyExchange      Flight 4
                                        CertificateRequest     /
                            <--------      ServerHelloDone    /

    Certificate                                              \
    ClientKeyExchange                                         \
    CertificateVerify                                          Flight 5
    [ChangeCipherSpec]                                        /
    Finished                -------->                        /

                                        [ChangeCipherSpec]    \ Flight 6
                            <--------             Finished    /

(RFC 6347, Section 4.2.4, Figure 1.) ChangeCipherSpec is no handshake message. The epoch of a record says the same, so
one that is lost or late changes nothing: keys of epoch 1 come from ClientKeyExchange, and Finished must be under them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from perc.crypto.key_log import KeyLog
from perc.crypto.provider import CryptoProvider, KeyShare, SignatureScheme, SigningKey
from perc.dtls.events import HandshakeCompleted
from perc.dtls.flights import Flight
from perc.dtls.fragments import HandshakeMessage, HandshakeType
from perc.dtls.hello import (
    RANDOM_LENGTH,
    ServerHello,
    read_client_hello,
    write_server_hello,
)
from perc.dtls.messages import (
    ECDSA_SIGN,
    CertificateRequest,
    DigitallySigned,
    ServerKeyExchange,
    read_certificate_verify,
    read_certificates,
    read_client_key_exchange,
    write_certificate_request,
    write_certificates,
    write_ecdh_parameters,
    write_server_key_exchange,
)
from perc.dtls.negotiation import SIGNATURE_SCHEMES, Negotiated, negotiate
from perc.dtls.outputs import FlightPrepared, KeysDerived, Output
from perc.dtls.session import CLIENT_FINISHED, SERVER_FINISHED, Session
from perc.dtls.transcript import Transcript
from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.errors import ApiMisuse, DecryptError, HandshakeFailure, IllegalParameter, UnexpectedMessage
from perc.srtp.profiles import SRTPProtectionProfile
from perc.x509.certificate import Certificate

_CERTIFICATE_REQUEST = write_certificate_request(CertificateRequest(bytes([ECDSA_SIGN]), SIGNATURE_SCHEMES))


@lru_cache(maxsize=1)  # a Key Distributor has one certificate
def _certificate_message(certificate: bytes) -> bytes:
    return write_certificates([certificate])


@dataclass(frozen=True, slots=True)
class DtlsServerConfig:
    """What a server is and wants.

    `profiles` are in the server's order of preference. `mtu` bounds the UDP payloads of its flights. With
    `ekt_ciphers` it gives EKTKeys to clients that can take them. `external_session_id` is its tls-id, for
    clients that send theirs. `key_log` gets the master secret of each session, for debugging only.
    """

    certificate: Certificate
    signing_key: SigningKey
    profiles: tuple[SRTPProtectionProfile, ...]
    mtu: int = 1200
    ekt_ciphers: tuple[EKTCipher, ...] = ()
    external_session_id: bytes | None = None
    key_log: KeyLog | None = field(default=None, repr=False)


class State(Enum):
    """The message that a server expects."""

    EXPECT_CLIENT_HELLO = HandshakeType.CLIENT_HELLO
    EXPECT_CERTIFICATE = HandshakeType.CERTIFICATE
    EXPECT_CLIENT_KEY_EXCHANGE = HandshakeType.CLIENT_KEY_EXCHANGE
    EXPECT_CERTIFICATE_VERIFY = HandshakeType.CERTIFICATE_VERIFY
    EXPECT_FINISHED = HandshakeType.FINISHED
    COMPLETED = None


class ServerHandshake:
    """One handshake of a server."""

    _negotiated: Negotiated
    _randoms: tuple[bytes, bytes]
    _key_share: KeyShare
    _client_certificate: Certificate
    _session: Session

    def __init__(
        self,
        provider: CryptoProvider,
        config: DtlsServerConfig,
        verify_client: Callable[[Certificate], None],
        first_message_seq: int,
    ) -> None:
        self._provider = provider
        self._config = config
        self._verify_client = verify_client
        self._state = State.EXPECT_CLIENT_HELLO
        self._transcript = Transcript(first_message_seq)
        self.external_session_id: bytes | None = None

    async def receive_message(self, message: HandshakeMessage) -> list[Output]:
        """Take the client's next message; `PeerError` for one that this state does not expect or allow."""
        if message.msg_type != self._state.value:
            raise UnexpectedMessage(f"handshake message {message.msg_type} in state {self._state.name}")
        match self._state:
            case State.EXPECT_CLIENT_HELLO:
                return await self._receive_client_hello(message)
            case State.EXPECT_CERTIFICATE:
                return self._receive_certificate(message)
            case State.EXPECT_CLIENT_KEY_EXCHANGE:
                return await self._receive_client_key_exchange(message)
            case State.EXPECT_CERTIFICATE_VERIFY:
                return await self._receive_certificate_verify(message)
            case _:
                return self._receive_finished(message)

    async def _receive_client_hello(self, message: HandshakeMessage) -> list[Output]:
        hello = read_client_hello(message.body)
        config = self._config
        self._negotiated = negotiate(hello, config.profiles, config.ekt_ciphers, config.external_session_id)
        self.external_session_id = self._negotiated.external_session_id
        self._transcript.add(message)
        self._randoms = hello.random, self._provider.random_bytes(RANDOM_LENGTH)
        self._key_share = await self._provider.generate_key_share(self._negotiated.group)
        self._state = State.EXPECT_CERTIFICATE
        return [FlightPrepared(await self._server_hello_flight())]

    async def _server_hello_flight(self) -> Flight:
        negotiated, send = self._negotiated, self._transcript.send
        # An empty session_id: the session will not be resumed.
        server_hello = ServerHello(self._randoms[1], negotiated.suite.code, negotiated.extensions)
        return Flight(
            (
                send(HandshakeType.SERVER_HELLO, write_server_hello(server_hello)),
                send(HandshakeType.CERTIFICATE, _certificate_message(self._config.certificate.der)),
                send(HandshakeType.SERVER_KEY_EXCHANGE, write_server_key_exchange(await self._server_key_exchange())),
                send(HandshakeType.CERTIFICATE_REQUEST, _CERTIFICATE_REQUEST),
                send(HandshakeType.SERVER_HELLO_DONE, b""),
            )
        )

    async def _server_key_exchange(self) -> ServerKeyExchange:
        group, public_key = self._key_share.group, self._key_share.public_key
        content = b"".join(self._randoms) + write_ecdh_parameters(group, public_key)
        signature = await self._provider.sign(self._config.signing_key, content)
        return ServerKeyExchange(group, public_key, DigitallySigned(SignatureScheme.ECDSA_SECP256R1_SHA256, signature))

    def _receive_certificate(self, message: HandshakeMessage) -> list[Output]:
        chain = read_certificates(message.body)
        if not chain:
            # "If the client does not send any certificates, the server MAY ... respond with a fatal handshake_failure
            # alert" (RFC 5246, Section 7.4.6).
            raise HandshakeFailure("the client has no certificate")
        self._client_certificate = Certificate.parse(chain[0])
        # Here and not later: whom nobody expects costs no public-key operation.
        self._verify_client(self._client_certificate)
        self._transcript.add(message)
        self._state = State.EXPECT_CLIENT_KEY_EXCHANGE
        return []

    async def _receive_client_key_exchange(self, message: HandshakeMessage) -> list[Output]:
        public_key = read_client_key_exchange(message.body)
        premaster_secret = await self._provider.agree(self._key_share, public_key)
        del self._key_share  # forward secrecy: nothing here outlives its use
        self._transcript.add(message)
        suite = self._negotiated.suite
        session_hash = self._transcript.hash(suite.digest)
        self._session = Session.derive(suite, self._randoms, premaster_secret, session_hash, self._config.key_log)
        keys = await self._session.record_keys(self._provider)
        self._state = State.EXPECT_CERTIFICATE_VERIFY
        return [KeysDerived(reading=keys.client_write, writing=keys.server_write)]

    async def _receive_certificate_verify(self, message: HandshakeMessage) -> list[Output]:
        signed = read_certificate_verify(message.body)
        if signed.scheme not in SIGNATURE_SCHEMES:
            # "MUST be one of those present in the supported_signature_algorithms field" (RFC 5246, Section 7.4.8)
            raise IllegalParameter("a signature scheme that was not asked for")
        scheme, public_key = SignatureScheme(signed.scheme), self._client_certificate.public_key
        if not await self._provider.verify(public_key, scheme, signed.signature, self._transcript.content):
            raise DecryptError("CertificateVerify does not verify")
        self._transcript.add(message)
        self._state = State.EXPECT_FINISHED
        return []

    def _receive_finished(self, message: HandshakeMessage) -> list[Output]:
        session, digest = self._session, self._negotiated.suite.digest
        session.check_verify_data(CLIENT_FINISHED, self._transcript.hash(digest), message.body)
        self._transcript.add(message)
        verify_data = session.verify_data(SERVER_FINISHED, self._transcript.hash(digest))
        finished = self._transcript.number(HandshakeType.FINISHED, verify_data)
        self._transcript.restart()
        self._state = State.COMPLETED
        del self._session
        profile, protocol = self._negotiated.profile, self._negotiated.application_protocol
        return [
            session.export_srtp_keys(profile),
            FlightPrepared(Flight((), (finished,), expects_answer=False)),
            HandshakeCompleted(
                self._client_certificate, self._config.certificate, profile, protocol, self._negotiated.ekt_cipher
            ),
        ]

    def expect_ekt_key(self, key: EktKey) -> None:
        """`ApiMisuse` for an EKTKey of another cipher than the negotiated, or where none was negotiated.

        "If the server did not provide a supported_ekt_ciphers extension in its ServerHello, then EKTKey messages MUST
        NOT be sent by the client or the server" (RFC 8870, Section 5.2.2).
        """
        if self._negotiated.ekt_cipher is not key.cipher:
            raise ApiMisuse(f"an EKTKey for {key.cipher.name} was not negotiated")

    def ekt_key_message(self, key: EktKey) -> HandshakeMessage | None:
        """The next message behind Finished, which gives the client this EKTKey; None if there is no number for it."""
        return None if self._transcript.is_exhausted else self._transcript.number(HandshakeType.EKT_KEY, key.write())
