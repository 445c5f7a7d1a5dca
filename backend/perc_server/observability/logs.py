"""Log lines: a `Log` for each connection, a code for each line, and the set-up of the process.

Only a `Value` is shown: numbers, codes, types of exceptions, names of functions. What identifies a person goes through
`identifying`. The type checker refuses a plain string, and the formatter withholds it.
"""

from __future__ import annotations

import itertools
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TextIO

from perc_server.observability.codes import LogCode
from perc_server.observability.formats import OWN, JsonFormatter, LineFormatter, TextFormatter
from perc_server.observability.identifying import Identifying, Pseudonyms

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")

BURST = 200
"""Lines of one code at once: a class that joins, or the assets of two pages at level debug."""

PER_SECOND = 20.0
"""Lines of one code after that. Refusals are written at the request of strangers, who must not fill the disk."""

Value = int | float | Enum | Identifying | BaseException | Callable[..., Any]
"""A function is shown by its name, which is a constant of the program."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What the command line says about logging."""

    level: str = "info"
    format: str = "text"
    identities: bool = False

    @property
    def arguments(self) -> list[str]:
        """The same options for the command line of another process."""
        shown = ["--log-identities"] if self.identities else []
        return ["--log-level", self.level, "--log-format", self.format, *shown]


class Log:
    """Writes the lines of one module, or of one connection (`connection` is its short id in this process)."""

    __slots__ = ("_logger", "connection")

    def __init__(self, name: str, connection: str = "") -> None:
        self._logger = logging.getLogger(name)
        self.connection = connection

    def of(self, kind: str) -> Log:
        """Return a log for a new connection, such as `tunnel-17`; within a connection, `conference-4/endpoint-18`."""
        outer = f"{self.connection}/" if self.connection else ""
        return Log(self._logger.name, f"{outer}{kind}-{next(_numbers)}")

    def debug(self, code: LogCode, message: str, *values: Value) -> None:
        """Write what is of use to whoever looks for a fault: single requests, steps."""
        self._write(logging.DEBUG, code, message, values)

    def info(self, code: LogCode, message: str, *values: Value) -> None:
        """Write what happens in normal service: a connection began or ended, a request was refused."""
        self._write(logging.INFO, code, message, values)

    def warning(self, code: LogCode, message: str, *values: Value) -> None:
        """Write what an operator should look at: a peer that breaks the protocol, a lost server."""
        self._write(logging.WARNING, code, message, values)

    def exception(self, code: LogCode, message: str, *values: Value) -> None:
        """Write a fault of this program, with the exception that is being handled."""
        self._write(logging.ERROR, code, message, values, is_exception=True)

    def _write(
        self, level: int, code: LogCode, message: str, values: tuple[Value, ...], *, is_exception: bool = False
    ) -> None:
        extra = {"code": code.value, "connection": self.connection}
        self._logger.log(level, message, *values, extra=extra, exc_info=is_exception)


class FloodFilter(logging.Filter):
    """Lets a burst of lines of each code through, then so many a second; the next line tells how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._left: dict[str, tuple[float, float]] = {}
        self._suppressed: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record becomes a line."""
        # Codes and names of loggers are few, so that this table is, too.
        key, now = str(getattr(record, "code", record.name)), time.monotonic()
        left, at = self._left.get(key, (float(BURST), now))
        left = min(BURST, left + (now - at) * PER_SECOND)
        is_allowed = left >= 1
        self._left[key] = (left - 1 if is_allowed else left, now)
        if not is_allowed:
            self._suppressed[key] += 1
        elif suppressed := self._suppressed.pop(key, 0):
            record.suppressed = suppressed
        return is_allowed


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - of the standard library
        # The library would print the values of the record.
        sys.stderr.write(f"a log line of {record.name} could not be written\n")


def set_up_logging(options: LogOptions, stream: TextIO | None = None) -> None:
    """Send every record of this process to one stream, standard error by default."""
    pseudonyms = Pseudonyms(shown=options.identities)
    formatter: LineFormatter = JsonFormatter(pseudonyms) if options.format == "json" else TextFormatter(pseudonyms)
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(FloodFilter())
    level = logging.getLevelNamesMapping()[options.level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries write requests, headers and addresses below this level.
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(OWN).setLevel(level)
    if options.identities:
        Log(__name__).warning(LogCode.IDENTITIES_SHOWN, "log lines name rooms, people and addresses (--log-identities)")
