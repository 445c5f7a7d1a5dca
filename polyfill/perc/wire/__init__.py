"""TLS presentation language (RFC 8446, Section 3): strict reading and writing of bytes."""

from perc.wire.reader import Reader
from perc.wire.writer import Writer

__all__ = ["Reader", "Writer"]
