"""Alerts (RFC 8446, Section 6)."""

from __future__ import annotations

from perc.errors import AlertDescription, AlertReceived
from perc.wire import Reader, Writer

_WARNING = 1
_FATAL = 2


def write_alert(description: AlertDescription) -> bytes:
    """An alert; all but close_notify are fatal."""
    level = _WARNING if description is AlertDescription.CLOSE_NOTIFY else _FATAL
    return Writer().uint8(level).uint8(description).finish()


def read_alert(fragment: bytes) -> AlertDescription:
    """Reads an alert that closes properly, or announces that one will; raises `AlertReceived` for every other."""
    reader = Reader(fragment)
    reader.uint8()  # "the severity is implicit in the type of alert being sent"
    number = reader.uint8()
    # "Alert messages MUST NOT be fragmented across records, and multiple alert messages MUST NOT be coalesced into a
    # single TLSPlaintext record" (Section 5.1).
    reader.expect_end()
    try:
        description = AlertDescription(number)
    except ValueError as error:
        # "Unknown Alert types MUST be treated as error alerts."
        raise AlertReceived(f"alert {number}", AlertDescription.INTERNAL_ERROR) from error
    if description in {AlertDescription.CLOSE_NOTIFY, AlertDescription.USER_CANCELED}:
        return description
    raise AlertReceived(f"alert {description.name.lower()}", description)
