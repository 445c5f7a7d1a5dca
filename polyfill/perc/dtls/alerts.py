"""Alerts (RFC 5246, Section 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from perc.errors import AlertDescription, AlertReceived, DecodeError
from perc.wire import Reader, Writer


class AlertLevel(IntEnum):
    """Whether the association goes on."""

    WARNING = 1
    FATAL = 2


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `description` is an int because a peer may send ones that have no name here."""

    level: AlertLevel
    description: int

    @property
    def ends_association(self) -> bool:
        """Fatal alerts do, and close_notify does at its warning level; other warnings are of no consequence."""
        return self.level is AlertLevel.FATAL or self.description == AlertDescription.CLOSE_NOTIFY

    def as_error(self) -> AlertReceived:
        """The error that the alert means on this side."""
        try:
            description = AlertDescription(self.description)
        except ValueError:
            description = AlertDescription.INTERNAL_ERROR
        return AlertReceived(f"the peer sent alert {self.description} ({description.name.lower()})", description)


def write_alert(description: AlertDescription) -> bytes:
    """An alert at the level that belongs to it: only close_notify and no_renegotiation are warnings."""
    is_warning = description in {AlertDescription.CLOSE_NOTIFY, AlertDescription.NO_RENEGOTIATION}
    level = AlertLevel.WARNING if is_warning else AlertLevel.FATAL
    return Writer().uint8(level).uint8(description).finish()


def read_alert(payload: bytes) -> Alert:
    """The alert in a record; `DecodeError` for anything else."""
    reader = Reader(payload)
    level, description = reader.uint8(), reader.uint8()
    reader.expect_end()
    if level not in {AlertLevel.WARNING, AlertLevel.FATAL}:
        raise DecodeError(f"an alert of level {level}")
    return Alert(AlertLevel(level), description)
