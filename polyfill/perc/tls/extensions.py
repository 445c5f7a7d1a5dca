"""Extensions as blocks of bytes (RFC 8446, Section 4.2), and which may stand where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum

from perc.errors import AlertDescription, IllegalParameter, PeerError
from perc.wire import Reader, Writer


class ExtensionType(IntEnum):
    """The extensions that this client sends or understands."""

    SERVER_NAME = 0
    SUPPORTED_GROUPS = 10
    SIGNATURE_ALGORITHMS = 13
    SUPPORTED_VERSIONS = 43
    COOKIE = 44
    SIGNATURE_ALGORITHMS_CERT = 50
    KEY_SHARE = 51


OFFERED = frozenset(ExtensionType) - {ExtensionType.COOKIE}


def read_extensions(reader: Reader) -> dict[int, bytes]:
    """Reads `Extension extensions<0..2^16-1>`; `IllegalParameter` for a repeated one."""
    found: dict[int, bytes] = {}
    extensions = reader.vector(2)
    while extensions.remaining:
        extension_type = extensions.uint16()
        # "There MUST NOT be more than one extension of the same type in a given extension block."
        if extension_type in found:
            raise IllegalParameter(f"extension {extension_type} occurs twice")
        found[extension_type] = extensions.opaque(2)
    return found


def check_responses(found: Collection[int], allowed: frozenset[ExtensionType]) -> None:
    """Refuse anything but `allowed` in a message whose extensions answer those of the ClientHello."""
    for extension_type in set(found) - allowed:
        if extension_type not in OFFERED:
            # "Implementations MUST NOT send extension responses if the remote endpoint did not send the corresponding
            # extension requests ... Upon receiving such an extension, an endpoint MUST abort the handshake with an
            # "unsupported_extension" alert."
            alert = AlertDescription.UNSUPPORTED_EXTENSION
            raise PeerError(f"an answer to extension {extension_type}, which was not offered", alert)
        # "If an implementation receives an extension which it recognizes and which is not specified for the message in
        # which it appears, it MUST abort the handshake with an "illegal_parameter" alert."
        raise IllegalParameter(f"extension {extension_type} in a message where it does not belong")


def write_extensions(extensions: Mapping[ExtensionType, bytes]) -> bytes:
    """Writes `Extension extensions<0..2^16-1>`, in the order of the mapping."""
    writer = Writer()
    for extension_type, data in extensions.items():
        writer.uint16(extension_type).opaque(data, 2)
    return Writer().opaque(writer.finish(), 2).finish()
