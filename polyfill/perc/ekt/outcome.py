"""Why a packet is not sent or not accepted, and which EKTFields are put aside: names that counters and the page show.

The transform Worker of a browser uses the same names for the same rules.
"""

from __future__ import annotations

from enum import Enum

from perc.errors import AuthenticationFailed, PercError


class Drop(Enum):
    """Why a packet goes no further."""

    MALFORMED = "malformed"
    UNKNOWN_SPI = "unknown-spi"
    UNWRAP_FAILED = "unwrap-failed"
    KEY_LENGTH = "key-length"
    NO_KEY = "no-key"
    REPLAYED = "replayed"
    NOT_AUTHENTIC = "not-authentic"


class PutAside(Enum):
    """Why an EKTField is discarded while its packet goes on."""

    EPOCH = "field-epoch"
    SSRC = "field-ssrc"
    UNKNOWN_TYPE = "field-unknown-type"


class Stop(Enum):
    """Why a source sends nothing."""

    NO_KEY = "no-key"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


class PacketDropped(AuthenticationFailed):
    """The packet is to be dropped and counted; its sender hears nothing."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason.value)
        self.reason = reason


class SendingStopped(PercError):
    """Nothing may be sent: there is no key that could protect it."""

    def __init__(self, reason: Stop) -> None:
        super().__init__(reason.value)
        self.reason = reason
