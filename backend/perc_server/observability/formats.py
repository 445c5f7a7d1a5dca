"""How a log record becomes a line: text or JSON, without control characters and without what identifies a person."""

from __future__ import annotations

import errno
import inspect
import json
import logging
import re
import time
import traceback
from collections.abc import Iterator
from enum import Enum
from typing import Any, TypedDict

from perc_server.observability.identifying import Identifying, Pseudonyms

OWN = "perc_server"
"""The root of this project's loggers. Records of other libraries are not trusted to leave out what identifies."""

WITHHELD = "withheld"

_FIXED_WORDS = re.compile(r"[A-Za-z0-9 ,.;:_-]*")
"""The beginning of a library's message, up to the first quote, bracket or address that it may have put in."""


class Entry(TypedDict, total=False):
    """The members of one line."""

    time: str
    level: str
    logger: str
    connection: str
    code: str
    message: str
    suppressed: int
    exception: list[str]


class LineFormatter(logging.Formatter):
    """Collects the members of a line; a subclass writes them."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        super().__init__()
        self._pseudonyms = pseudonyms

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, or as one line and the indented lines of its exception."""
        entry = Entry(
            time=f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z",
            level=record.levelname.lower(),
            logger=record.name,
            connection=getattr(record, "connection", ""),
            code=str(getattr(record, "code", "library")),
            message=self._message(record),
        )
        if suppressed := getattr(record, "suppressed", 0):
            entry["suppressed"] = suppressed
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = list(self._exception(record.exc_info[1]))
        return self.write(entry)

    def write(self, entry: Entry) -> str:
        """Return the line."""
        raise NotImplementedError

    def _message(self, record: logging.LogRecord) -> str:
        if record.name.partition(".")[0] == OWN:
            values = record.args if isinstance(record.args, tuple) else (record.args,)
            return str(record.msg) % tuple(map(self._render, values))
        if isinstance(record.msg, BaseException):
            return self._describe(record.msg)
        message = record.getMessage()
        if self._pseudonyms.shown:
            return message
        # The fixed words of the first line; what follows may be the representation of anything.
        words = _FIXED_WORDS.match(message.partition("\n")[0])
        return (words.group().strip() if words else "") or WITHHELD

    def _render(self, value: object) -> object:
        if isinstance(value, Identifying):
            return self._pseudonyms.render(value)
        if isinstance(value, BaseException):
            return self._describe(value)
        if isinstance(value, Enum):
            return value.value
        if inspect.isroutine(value):
            return value.__qualname__
        # A plain string may be anything: it is shown only if it was marked as identifying.
        return value if isinstance(value, int | float) else WITHHELD

    def _describe(self, error: BaseException) -> str:
        name = type(error).__name__
        if self._pseudonyms.shown:
            return f"{name}: {error}"
        # A message of the system names addresses and files; its number does not.
        number = (error.errno or 0) if isinstance(error, OSError) else 0
        return f"{name} {errno.errorcode[number]}" if number in errno.errorcode else name

    def _exception(self, error: BaseException) -> Iterator[str]:
        """Yield the frames and the type of each exception of the chain; its message only where identities are shown."""
        earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if earlier is not None:
            yield from self._exception(earlier)
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"{frame.filename}:{frame.lineno} in {frame.name}"
        yield self._describe(error)


class TextFormatter(LineFormatter):
    """For people: `TIME LEVEL LOGGER [CONNECTION] CODE: MESSAGE`, exceptions on indented lines."""

    def write(self, entry: Entry) -> str:
        """Return the line."""
        connection = f" [{entry['connection']}]" if entry["connection"] else ""
        suppressed = f" ({entry['suppressed']} more suppressed)" if "suppressed" in entry else ""
        first = f"{entry['time']} {entry['level'].upper()} {entry['logger']}{connection} {entry['code']}: "
        lines = [first + entry["message"] + suppressed, *("    " + line for line in entry.get("exception", ()))]
        return "\n".join(map(printable, lines))


class JsonFormatter(LineFormatter):
    """For programs: one JSON object per line."""

    def write(self, entry: Entry) -> str:
        """Return the line; JSON escapes every control character, and everything that is not ASCII."""
        members: dict[str, Any] = {name: value for name, value in entry.items() if value != ""}
        return json.dumps(members)


def printable(text: str) -> str:
    """Return the text with everything escaped that could begin another line or change how this one looks."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
