"""What a page can have its Key Distributor write for debugging; each line is a message to the page.

`browser/key-distributor/messages.js` declares the messages and the records.
"""

from __future__ import annotations

from collections.abc import Collection

from perc.crypto.key_log import KeyLog
from perc.key_distributor.trace import NO_TRACE, Trace
from perc.runtime.host import Host

TRACE = "trace"
KEY_LOG = "key-log"


def debugging(records: Collection[str], host: Host) -> tuple[Trace, KeyLog | None]:
    """Return the trace and the key log of a Key Distributor; both do nothing unless `records` names them."""

    def write(record: str, line: str) -> None:
        host.post({"debug": record, "line": line})

    trace = Trace(lambda event: write(TRACE, event.to_json()), host.monotonic) if TRACE in records else NO_TRACE
    key_log = (lambda line: write(KEY_LOG, line)) if KEY_LOG in records else None
    return trace, key_log
