"""Messages after the handshake (RFC 8446, Section 4.6)."""

from __future__ import annotations

from perc.errors import IllegalParameter
from perc.tls.extensions import read_extensions
from perc.wire import Reader, Writer

_UPDATE_NOT_REQUESTED = 0
_UPDATE_REQUESTED = 1


def read_key_update(body: bytes) -> bool:
    """Reads a KeyUpdate: whether the other side asks for one in return."""
    reader = Reader(body)
    request = reader.uint8()
    reader.expect_end()
    # "If an implementation receives any other value, it MUST terminate the connection with an "illegal_parameter"
    # alert" (Section 4.6.3).
    if request not in {_UPDATE_NOT_REQUESTED, _UPDATE_REQUESTED}:
        raise IllegalParameter("a KeyUpdate that neither asks nor does not")
    return request == _UPDATE_REQUESTED


def write_key_update() -> bytes:
    """The body of a KeyUpdate that asks for none in return."""
    return Writer().uint8(_UPDATE_NOT_REQUESTED).finish()


def check_new_session_ticket(body: bytes) -> None:
    """Checks a NewSessionTicket, which is then forgotten: this client never resumes."""
    reader = Reader(body)
    reader.uint32()  # ticket_lifetime
    reader.uint32()  # ticket_age_add
    reader.opaque(1)  # ticket_nonce
    reader.opaque(2, minimum=1)  # ticket
    read_extensions(reader)
    reader.expect_end()
