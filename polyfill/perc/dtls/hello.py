"""ClientHello, ServerHello and HelloVerifyRequest (RFC 6347, Section 4.3.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from perc.dtls.records import DTLS_1_0, DTLS_1_2
from perc.errors import DecodeError, IllegalParameter
from perc.wire import Reader, Writer

RANDOM_LENGTH = 32
MAX_SESSION_ID_LENGTH = 32
NULL_COMPRESSION = 0

_EXTENSION_HEADER = struct.Struct(">HH")  # extension_type, and the length of extension_data

# Extension data by extension type, in the order of the message.
Extensions = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client offers."""

    random: bytes
    cipher_suites: tuple[int, ...]
    extensions: Extensions
    cookie: bytes = b""
    session_id: bytes = b""
    compression_methods: bytes = field(default=bytes([NULL_COMPRESSION]))
    version: int = DTLS_1_2


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What a server chose."""

    random: bytes
    cipher_suite: int
    extensions: Extensions
    session_id: bytes = b""
    compression_method: int = NULL_COMPRESSION
    version: int = DTLS_1_2


@dataclass(frozen=True, slots=True)
class HelloVerifyRequest:
    """The cookie that a client must bring back."""

    cookie: bytes


def write_client_hello(hello: ClientHello) -> bytes:
    """The body of the message."""
    suites = b"".join(suite.to_bytes(2, "big") for suite in hello.cipher_suites)
    writer = Writer().uint16(hello.version).write(hello.random)
    writer.opaque(hello.session_id, 1, 0, MAX_SESSION_ID_LENGTH).opaque(hello.cookie, 1)
    writer.opaque(suites, 2, 2).opaque(hello.compression_methods, 1, 1)
    return writer.write(_write_extensions(hello.extensions)).finish()


def read_client_hello(body: bytes) -> ClientHello:
    """The message in `body`."""
    return _read_client_hello(Reader(body), _read_extensions)


def read_client_hello_opening(octets: bytes) -> ClientHello:
    """What stands before the extensions, in `octets` from the beginning of a message that may go on elsewhere."""
    return _read_client_hello(Reader(octets), lambda _: {})


def _read_client_hello(reader: Reader, read_extensions: Callable[[Reader], Extensions]) -> ClientHello:
    version, random = reader.uint16(), reader.read(RANDOM_LENGTH)
    session_id, cookie = reader.opaque(1, 0, MAX_SESSION_ID_LENGTH), reader.opaque(1)
    cipher_suites = read_uint16s(reader.opaque(2, 2))
    compression_methods = reader.opaque(1, 1)
    extensions = read_extensions(reader)
    return ClientHello(random, cipher_suites, extensions, cookie, session_id, compression_methods, version)


def write_server_hello(hello: ServerHello) -> bytes:
    """The body of the message."""
    writer = Writer().uint16(hello.version).write(hello.random)
    writer.opaque(hello.session_id, 1, 0, MAX_SESSION_ID_LENGTH)
    writer.uint16(hello.cipher_suite).uint8(hello.compression_method)
    return writer.write(_write_extensions(hello.extensions)).finish()


def read_server_hello(body: bytes) -> ServerHello:
    """The message in `body`."""
    reader = Reader(body)
    version, random = reader.uint16(), reader.read(RANDOM_LENGTH)
    session_id = reader.opaque(1, 0, MAX_SESSION_ID_LENGTH)
    cipher_suite, compression_method = reader.uint16(), reader.uint8()
    extensions = _read_extensions(reader)
    return ServerHello(random, cipher_suite, extensions, session_id, compression_method, version)


def write_hello_verify_request(request: HelloVerifyRequest) -> bytes:
    """The body of the message."""
    # "DTLS 1.2 server implementations SHOULD use DTLS version 1.0 regardless of the version of TLS that is expected to
    # be negotiated" (RFC 6347, Section 4.2.1)
    return Writer().uint16(DTLS_1_0).opaque(request.cookie, 1).finish()


def read_hello_verify_request(body: bytes) -> HelloVerifyRequest:
    """The message in `body`; "clients MUST use the version solely to indicate packet formatting", so it is ignored."""
    reader = Reader(body)
    reader.uint16()
    request = HelloVerifyRequest(reader.opaque(1))
    reader.expect_end()
    return request


def read_uint16s(octets: bytes) -> tuple[int, ...]:
    """The 16-bit values that `octets` consist of."""
    count, odd = divmod(len(octets), 2)
    if odd:
        raise DecodeError("a list of 16-bit values with an odd number of octets")
    return struct.unpack(f">{count}H", octets)


def _write_extensions(extensions: Extensions) -> bytes:
    block = b"".join(_EXTENSION_HEADER.pack(each, len(data)) + data for each, data in extensions.items())
    return Writer().opaque(block, 2).finish() if extensions else b""


def _read_extensions(reader: Reader) -> Extensions:
    """The extensions block that ends a hello: "The presence of extensions can be detected by determining whether there
    are bytes following" (RFC 5246, Section 7.4.1.2)."""
    extensions: Extensions = {}
    if not reader.remaining:
        return extensions
    block = reader.opaque(2)
    reader.expect_end()
    start = 0
    while start < len(block):
        start += _EXTENSION_HEADER.size
        if start > len(block):
            raise DecodeError("an extension shorter than its header")
        extension_type, length = _EXTENSION_HEADER.unpack_from(block, start - _EXTENSION_HEADER.size)
        if extension_type in extensions:
            # "There MUST NOT be more than one extension of the same type." (RFC 5246, Section 7.4.1.4)
            raise IllegalParameter(f"extension {extension_type} is there twice")
        extensions[extension_type] = block[start : start + length]
        start += length
    if start != len(block):
        raise DecodeError("an extension that is longer than what holds it")
    return extensions
