"""A room's events as a stream of Server-Sent Events (HTML, Section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from perc_server.call_processing.counts import CallProcessingCounts, StreamEnd
from perc_server.call_processing.rooms import Subscriber
from perc_server.observability.codes import LogCode
from perc_server.observability.logs import Log

KEEP_ALIVE = 15.0  # seconds between comments on a quiet event stream, so that proxies and pages see that it lives


class EventStream(StreamingResponse):
    """What a subscriber hears, until it is cut off or gone; `closed` is called then."""

    def __init__(self, subscriber: Subscriber, closed: Callable[[], None], counts: CallProcessingCounts) -> None:
        super().__init__(_events(subscriber), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._subscriber = subscriber
        self._closed = closed
        self._counts = counts
        self._log = Log(__name__).of("stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        # Not at the end of the generator: that of a page which is gone before its first event never begins.
        self._counts.streams += 1
        self._log.debug(LogCode.STREAM_OPENED, "opened")
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._closed()
            self._counts.streams -= 1
            reason = StreamEnd.CUT_OFF if self._subscriber.is_cut_off else StreamEnd.PAGE
            self._counts.streams_ended[reason] += 1
            self._log.debug(LogCode.STREAM_CLOSED, "%s", reason)


async def _events(subscriber: Subscriber) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE):
                event = await subscriber.queue.get()
        except TimeoutError:
            yield b": still here\n\n"
            continue
        if event is None:
            return
        yield f"event: {event.name}\ndata: {json.dumps(event.data)}\n\n".encode()
