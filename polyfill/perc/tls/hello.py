"""ClientHello, ServerHello and HelloRetryRequest (RFC 8446, Sections 4.1 and 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

from perc.crypto.provider import NamedGroup, SignatureScheme
from perc.errors import AlertDescription, IllegalParameter, PeerError
from perc.tls.extensions import ExtensionType, check_responses, read_extensions, write_extensions
from perc.wire import Reader, Writer

TLS_AES_128_GCM_SHA256 = 0x1301
RANDOM_LENGTH = 32

# The first is the one whose share is offered unasked: every server of this decade takes it, and a second share would
# cost each handshake the making of a key. A server that wants another asks with a HelloRetryRequest.
OFFERED_GROUPS = (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1)
# RSASSA-PKCS1-v1_5 is for certificates only, "not defined for use in signed TLS handshake messages" (Section 4.2.3).
HANDSHAKE_SCHEMES = (
    SignatureScheme.ECDSA_SECP256R1_SHA256,
    SignatureScheme.ECDSA_SECP384R1_SHA384,
    SignatureScheme.RSA_PSS_RSAE_SHA256,
    SignatureScheme.RSA_PSS_RSAE_SHA384,
    SignatureScheme.RSA_PSS_RSAE_SHA512,
)
CERTIFICATE_SCHEMES = (
    *HANDSHAKE_SCHEMES,
    SignatureScheme.ECDSA_SECP521R1_SHA512,
    SignatureScheme.RSA_PKCS1_SHA256,
    SignatureScheme.RSA_PKCS1_SHA384,
    SignatureScheme.RSA_PKCS1_SHA512,
)

_LEGACY_VERSION = 0x0303
_TLS_13 = 0x0304
_HOST_NAME = 0
_NULL_COMPRESSION = b"\x00"
# SHA-256 of "HelloRetryRequest" (Section 4.1.3).
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_SERVER_HELLO_EXTENSIONS = frozenset({ExtensionType.SUPPORTED_VERSIONS, ExtensionType.KEY_SHARE})
_RETRY_EXTENSIONS = _SERVER_HELLO_EXTENSIONS | {ExtensionType.COOKIE}


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What varies in a ClientHello of this client.

    `server_name` is a DNS name or None, `cookie` comes from a HelloRetryRequest. The session id is empty: there is no
    middlebox between a bridge and its server to be deceived.
    """

    random: bytes
    server_name: str | None
    group: NamedGroup
    key_share: bytes
    cookie: bytes | None = None

    def write(self) -> bytes:
        """The message's body."""
        writer = Writer().uint16(_LEGACY_VERSION).write(self.random).opaque(b"", 1)
        writer.opaque(_uint16s(TLS_AES_128_GCM_SHA256), 2).opaque(_NULL_COMPRESSION, 1)
        return writer.write(write_extensions(self._extensions())).finish()

    def _extensions(self) -> dict[ExtensionType, bytes]:
        share = Writer().uint16(self.group).opaque(self.key_share, 2).finish()
        extensions = {
            ExtensionType.SUPPORTED_VERSIONS: Writer().opaque(_uint16s(_TLS_13), 1).finish(),
            ExtensionType.SUPPORTED_GROUPS: Writer().opaque(_uint16s(*OFFERED_GROUPS), 2).finish(),
            ExtensionType.SIGNATURE_ALGORITHMS: Writer().opaque(_uint16s(*HANDSHAKE_SCHEMES), 2).finish(),
            ExtensionType.SIGNATURE_ALGORITHMS_CERT: Writer().opaque(_uint16s(*CERTIFICATE_SCHEMES), 2).finish(),
            ExtensionType.KEY_SHARE: Writer().opaque(share, 2).finish(),
        }
        if self.server_name is not None:
            name = Writer().uint8(_HOST_NAME).opaque(self.server_name.encode("ascii"), 2).finish()
            extensions[ExtensionType.SERVER_NAME] = Writer().opaque(name, 2).finish()
        if self.cookie is not None:
            extensions[ExtensionType.COOKIE] = Writer().opaque(self.cookie, 2).finish()
        return extensions


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The server's choice: its share in the group it chose."""

    group: NamedGroup
    key_share: bytes


@dataclass(frozen=True, slots=True)
class HelloRetryRequest:
    """The server's wish for another ClientHello: with a share in `group`, with `cookie`, or with both."""

    group: NamedGroup | None
    cookie: bytes | None


def read_server_hello(body: bytes) -> ServerHello | HelloRetryRequest:
    """Reads either message: they have one type and differ in their random (Section 4.1.3)."""
    reader = Reader(body)
    legacy_version = reader.uint16()
    is_retry = reader.read(RANDOM_LENGTH) == _RETRY_RANDOM
    session_id = reader.opaque(1, maximum=32)
    cipher_suite = reader.uint16()
    compression = reader.uint8()
    extensions = _read_hello_extensions(reader, _RETRY_EXTENSIONS if is_retry else _SERVER_HELLO_EXTENSIONS)
    if extensions.get(ExtensionType.SUPPORTED_VERSIONS) != _uint16s(_TLS_13):
        raise IllegalParameter("a version that was not offered")
    # "A client which receives a legacy_session_id_echo field that does not match what it sent in the ClientHello MUST
    # abort the handshake with an "illegal_parameter" alert"; the same goes for suite and compression (Section 4.1.3).
    if (legacy_version, session_id, cipher_suite, compression) != (_LEGACY_VERSION, b"", TLS_AES_128_GCM_SHA256, 0):
        raise IllegalParameter("a ServerHello with something that was not offered")
    return _read_retry(extensions) if is_retry else _read_choice(extensions)


def _read_hello_extensions(reader: Reader, allowed: frozenset[ExtensionType]) -> dict[int, bytes]:
    # A ServerHello of TLS 1.2 may end without extensions, and has none that says so.
    extensions = read_extensions(reader) if reader.remaining else {}
    reader.expect_end()
    if ExtensionType.SUPPORTED_VERSIONS not in extensions:
        raise PeerError("the server does not speak TLS 1.3", AlertDescription.PROTOCOL_VERSION)
    check_responses(extensions, allowed)
    return extensions


def _read_choice(extensions: dict[int, bytes]) -> ServerHello:
    share = Reader(_required(extensions, ExtensionType.KEY_SHARE))
    group = _read_group(share)
    hello = ServerHello(group, share.opaque(2, minimum=1))
    share.expect_end()
    return hello


def _read_retry(extensions: dict[int, bytes]) -> HelloRetryRequest:
    group = cookie = None
    if ExtensionType.KEY_SHARE in extensions:
        share = Reader(extensions[ExtensionType.KEY_SHARE])
        group = _read_group(share)
        share.expect_end()
    if ExtensionType.COOKIE in extensions:
        reader = Reader(extensions[ExtensionType.COOKIE])
        cookie = reader.opaque(2, minimum=1)
        reader.expect_end()
    return HelloRetryRequest(group, cookie)


def _read_group(reader: Reader) -> NamedGroup:
    group = reader.uint16()
    if group not in OFFERED_GROUPS:
        raise IllegalParameter(f"group {group:#06x}, which was not offered")
    return NamedGroup(group)


def _required(extensions: dict[int, bytes], extension_type: ExtensionType) -> bytes:
    if extension_type not in extensions:
        raise PeerError(f"no {extension_type.name} where one must be", AlertDescription.MISSING_EXTENSION)
    return extensions[extension_type]


def _uint16s(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)
