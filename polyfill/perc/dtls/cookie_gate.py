"""The cookie exchange of a listener that faces the Internet (RFC 6347, Section 4.2.1).

    Client                          Gate                     Association

    ClientHello      -------->
                     <--------  HelloVerifyRequest
    ClientHello      -------->  admits the client
    (with cookie)                                 -------->  begins here

A gate stands in front of the associations and remembers nothing of anybody: who has not shown that it receives at its
address costs no state, no public-key operation, and gets less than it sent. Behind a Media Distributor there is none,
because ICE has verified the path.

A ClientHello in fragments is judged by its first one, where all stands that the cookie covers. The others are dropped
until there is an association to take them; a client sends them again together with the cookie.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from perc.dtls.fragments import MAX_MESSAGE_LENGTH, Fragment, HandshakeMessage, HandshakeType, read_fragments
from perc.dtls.fragments import write_message as write_handshake_message
from perc.dtls.hello import ClientHello, HelloVerifyRequest, read_client_hello_opening, write_hello_verify_request
from perc.dtls.numbers import Numbers
from perc.dtls.records import MAX_SEQUENCE_NUMBER, ContentType, Record, read_records, write_record
from perc.errors import PeerError, UnexpectedMessage
from perc.wire import Writer

SECRET_LENGTH = 32
MAX_MESSAGE_SEQ = 255
"""Of a ClientHello: it is counted up once for each challenge that was answered. Whoever counts from higher up would
leave an association few numbers for its messages."""
# Cookies collected at addresses that somebody held for a while must not be good for long; a client brings its own back
# within a round trip. The secret before the current one still counts.
SECRET_LIFETIME = 60.0


@dataclass(frozen=True, slots=True)
class Challenged:
    """Send this datagram, a HelloVerifyRequest, to the address that the ClientHello came from."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    """The client receives at its address: begin an association with these numbers, and give it the datagram."""

    numbers: Numbers


class CookieGate:
    """Judges datagrams of addresses that have no association; `random_bytes` is a provider's."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._secrets = [random_bytes(SECRET_LENGTH)] * 2
        self._expires: float | None = None

    def receive(self, datagram: bytes, address: bytes, now: float) -> Challenged | Admitted | None:
        """What to do with a datagram of `address`, in any form that tells addresses apart; None: nothing."""
        record = next(iter(read_records(datagram)), None)
        # Whoever counts from there would leave an association no numbers for its flights.
        if record is None or record.sequence_number > MAX_SEQUENCE_NUMBER // 2:
            return None
        try:
            fragment = _first_fragment(record)
            hello = read_client_hello_opening(fragment.content)
        except PeerError:
            return None
        self._rotate(now)
        parameters = _parameters(address, hello)
        if any(hmac.compare_digest(hello.cookie, _cookie(secret, parameters)) for secret in self._secrets):
            return Admitted(Numbers(fragment.message_seq, record.sequence_number))
        # "If a server receives a ClientHello with an invalid cookie, it SHOULD treat it the same as a ClientHello with
        # no cookie."
        return Challenged(_challenge(record, fragment, _cookie(self._secrets[0], parameters)))

    def _rotate(self, now: float) -> None:
        if self._expires is None:
            self._expires = now + SECRET_LIFETIME
        elif now >= self._expires:
            older = self._secrets[0] if now < self._expires + SECRET_LIFETIME else self._random_bytes(SECRET_LENGTH)
            self._secrets = [self._random_bytes(SECRET_LENGTH), older]
            self._expires = now + SECRET_LIFETIME


def _first_fragment(record: Record) -> Fragment:
    """The beginning of a ClientHello in clear; `PeerError` for anything else."""
    if record.content_type is not ContentType.HANDSHAKE or record.epoch:
        raise UnexpectedMessage("not the beginning of a handshake")
    fragment = read_fragments(record.fragment)[0]
    is_client_hello = fragment.msg_type == HandshakeType.CLIENT_HELLO and fragment.length <= MAX_MESSAGE_LENGTH
    if not is_client_hello or fragment.offset or fragment.message_seq > MAX_MESSAGE_SEQ:
        raise UnexpectedMessage("not the beginning of a ClientHello")
    return fragment


def _parameters(address: bytes, hello: ClientHello) -> bytes:
    # "the client MUST use the same parameter values (version, random, session_id, cipher_suites, compression_method) as
    # it did in the original ClientHello. The server SHOULD use those values to generate its cookie"
    suites = b"".join(suite.to_bytes(2, "big") for suite in hello.cipher_suites)
    writer = Writer().opaque(address, 1).uint16(hello.version).write(hello.random).opaque(hello.session_id, 1)
    return writer.opaque(suites, 2).opaque(hello.compression_methods, 1).finish()


def _cookie(secret: bytes, parameters: bytes) -> bytes:
    # "Cookie = HMAC(Secret, Client-IP, Client-Parameters)"
    return hmac.digest(secret, parameters, "sha256")


def _challenge(record: Record, hello: Fragment, cookie: bytes) -> bytes:
    request = write_hello_verify_request(HelloVerifyRequest(cookie))
    message = HandshakeMessage(HandshakeType.HELLO_VERIFY_REQUEST, hello.message_seq, request)
    # "the server MUST use the record sequence number in the ClientHello as the record sequence number in the
    # HelloVerifyRequest."
    return write_record(ContentType.HANDSHAKE, record.sequence_number, write_handshake_message(message))
