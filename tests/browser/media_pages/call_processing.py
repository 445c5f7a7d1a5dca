"""Call processing as a page sees it, and nothing behind it: what it answers is for the test to say."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from tests.browser.site import REPOSITORY, Site

GENERATION = "generation"
CLAIM = "c" * 22
FINGERPRINT = ":".join(["AB"] * 32)
POLL = 0.02


_ENDPOINTS = count()


@dataclass
class Script:
    """What the server does in one test."""

    state: str = "waiting"
    generation: str = GENERATION
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    problem: tuple[int, str, str] | None = None
    has_events: bool = True
    is_slow: bool = False
    """Requests are taken, and wait for their answer meanwhile."""
    host: str | None = "alice@idp-a.localhost"
    endpoint: str = field(default_factory=lambda: f"{next(_ENDPOINTS):022}")
    offers: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)


class CallProcessing(Site):
    """The page at `/` and `/perc/{room}`, and the HTTP interface."""

    def __init__(self) -> None:
        self.script = Script()
        self._answered: dict[str, Script] = {}
        super().__init__()
        self._index = (REPOSITORY / "browser" / "index.html").read_text().replace("{{assets}}", self.assets)

    def _routes(self) -> list[Route | WebSocketRoute]:
        own: list[Route | WebSocketRoute] = [
            Route("/config.json", self._configuration),
            Route("/start-conf", self._start, methods=["POST"]),
            Route("/perc/offer", self._offer, methods=["POST"]),
            Route("/perc/leave", self._leave, methods=["POST"]),
            Route("/perc/end", self._end, methods=["POST"]),
            Route("/perc/events", self._events),
        ]
        return own + super()._routes()

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(self._index, headers=self.headers)

    async def _configuration(self, _request: Request) -> Response:
        providers = ["idp-a.localhost:7001", "idp-b.localhost:7002"]
        configuration = {"version": 1, "trustAnchors": "/trust-anchors.pem", "assets": self.assets}
        return JSONResponse(configuration | {"identityProviders": providers})

    async def _start(self, request: Request) -> Response:
        self.script.started.append(await request.json())
        await self._hesitate()
        place = {"host": "md.localhost", "port": 1, "generation": self.script.generation, "claim": CLAIM}
        return self._problem() or JSONResponse({"version": 1} | place)

    async def _offer(self, request: Request) -> Response:
        offer = await request.json()
        self.script.offers.append(offer)
        await self._hesitate()
        if (problem := self._problem()) is not None:
            return problem
        self._answered[self.script.endpoint] = self.script
        page = f"{request.base_url}perc/room"
        answer = answer_to(offer["sdp"], page, self.script.host)
        return JSONResponse({"version": 1, "type": "answer", "sdp": answer, "endpoint": self.script.endpoint})

    async def _hesitate(self) -> None:
        while self.script.is_slow:
            await asyncio.sleep(POLL)

    def _problem(self) -> Response | None:
        if self.script.problem is None:
            return None
        status, kind, detail = self.script.problem
        document = {"type": f"/problems/{kind}", "status": status, "detail": detail}
        return JSONResponse(document, status, media_type="application/problem+json")

    async def _leave(self, request: Request) -> Response:
        # A page that was closed at the end of a test says so when the next one may have begun.
        message = await request.json()
        self._answered.get(message["endpoint"], self.script).left.append(message)
        return Response(status_code=204)

    async def _end(self, request: Request) -> Response:
        self.script.ended.append(await request.json())
        return Response(status_code=204)

    async def _events(self, _request: Request) -> Response:
        if not self.script.has_events:
            return Response(status_code=503)
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[bytes]:
        script, told, sent = self.script, None, 0
        while script.has_events and not self._server.should_exit:
            state = {"state": script.state, "generation": script.generation}
            if state != told:
                told = state
                yield event("state", state)
            for name, data in script.events[sent:]:
                yield event(name, data)
            sent = len(script.events)
            await asyncio.sleep(POLL)


def event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def answer_to(offer: str, page: str, host: str | None) -> str:
    """An answer that a Key Distributor of `host` signed, that nobody stands behind; None signs nothing."""
    session, *sections = re.split(r"\r\n(?=m=)", offer.strip())
    identity = next(line for line in offer.splitlines() if line.startswith("a=identity:")).removeprefix("a=identity:")
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += [line for line in session.splitlines() if line.startswith("a=group")]
    if host is not None:
        lines.append("a=identity:" + assertion(host, page, identity))
    for section in sections:
        lines += answered(section)
    return "\r\n".join([*lines, ""])


def answered(section: str) -> list[str]:
    kept = [line for line in section.splitlines() if re.match(r"m=|c=|a=(mid|rtcp-mux|rtpmap|fmtp|sctp-port)", line)]
    kept += ["a=setup:passive", "a=ice-lite", "a=ice-ufrag:ufrag", f"a=ice-pwd:{'p' * 24}"]
    kept.append(f"a=fingerprint:sha-256 {FINGERPRINT}")
    if not section.startswith("m=application"):
        kept.append("a=sendonly" if "a=recvonly" in section else "a=recvonly")
    return kept


def assertion(host: str, page: str, offer_identity: str) -> str:
    digest = hashlib.sha256(offer_identity.encode()).digest()
    contents = {
        "fingerprint": [{"algorithm": "sha-256", "digest": FINGERPRINT}],
        "conference": page,
        "type": "answer",
        "offer": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }
    domain = f"{host.partition('@')[2]}:7001"
    signed = json.dumps({"identity": host, "contents": json.dumps(contents)})
    value = {"idp": {"domain": domain, "protocol": "default"}, "assertion": signed}
    return base64.b64encode(json.dumps(value).encode()).decode()
