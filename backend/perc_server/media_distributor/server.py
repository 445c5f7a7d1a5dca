"""The Media Distributor: a control port, a tunnel port, and a UDP port for each conference."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.conference import TICK, Conference
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.control import ControlPort
from perc_server.media_distributor.counts import ConferenceEnd, MediaDistributorCounts
from perc_server.media_distributor.events import ConferenceEnded, Notify, StepName
from perc_server.media_distributor.negotiation import Negotiation, OfferRequest
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.requests import (
    End,
    Leave,
    MakeOffer,
    OfferParams,
    Request,
    StartConference,
    StartConferenceParams,
)
from perc_server.media_distributor.seams import Tamper, Tap
from perc_server.media_distributor.tunnel import TunnelUser
from perc_server.media_distributor.tunnel_listener import TunnelListener
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.observability.listener import shown
from perc_server.observability.logs import Log
from perc_server.observability.metrics import Metrics

MAXIMUM_CONFERENCES = 256
"""Live conferences, each with a port of its own."""

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class _Live:
    conference: Conference
    negotiation: Negotiation
    notify: Notify


class MediaDistributor:
    """Between `open` and `close`; `control_port` and `tunnel_port` are known when it is open.

    `tap` and `tamper` are for tests and benchmarks: see `seams`. `counts` and `metrics` are of all conferences.
    """

    def __init__(self, config: MediaDistributorConfig, tap: Tap | None = None, tamper: Tamper | None = None) -> None:
        self._config = config
        self._tap = tap
        self._tamper = tamper
        self._live: dict[str, _Live] = {}
        self.counts = MediaDistributorCounts()
        self.metrics = self._show()
        self._control = ControlPort(config, self._handle, self._call_processing_lost, self.counts)
        self._tunnels = TunnelListener(config, self, tamper, self.counts)
        self._clock: asyncio.Task[None] | None = None
        self.control_port = 0
        self.tunnel_port = 0

    async def open(self) -> None:
        """Listen."""
        self.tunnel_port = await self._tunnels.open()
        self.control_port = await self._control.open()
        self._clock = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """End everything."""
        if self._clock is not None:
            self._clock.cancel()
        await self._control.close()
        self._call_processing_lost()
        self._tunnels.close()

    def expecting(self, fingerprint: Fingerprint) -> TunnelUser | None:
        """See `TunnelUsers`."""
        if self._tamper is not None and not self._tamper.accepts_tunnel(fingerprint):
            return None
        conferences = (live.conference for live in self._live.values())
        return next((each for each in conferences if each.fingerprint.matches(fingerprint)), None)

    def conference(self, name: str) -> Conference | None:
        """A live conference."""
        live = self._live.get(name)
        return live.conference if live else None

    async def _handle(self, request: Request, notify: Notify) -> dict[str, Any]:
        match request:
            case StartConference(params=params):
                return self._start(params, notify)
            case MakeOffer(params=params):
                return {"sdp": await self._offer(params)}
            case Leave(params=params):
                conference = self._get(params.conference).conference
                endpoint = conference.endpoints.get(params.endpoint)
                if endpoint is not None:
                    conference.leave(endpoint)
            case End(params=params):
                self._get(params.conference)
                self._end(params.conference, ConferenceEnd.REQUESTED)
        return {}

    def _start(self, params: StartConferenceParams, notify: Notify) -> dict[str, Any]:
        fingerprint = Fingerprint.parse(params.fingerprint)
        # A Key Distributor is known by its certificate alone, so the certificate can be for one conference only.
        if params.conference in self._live or self.expecting(fingerprint) is not None:
            raise Refusal(Code.CONFLICT, "there is such a conference, or one with this Key Distributor")
        if len(self._live) >= MAXIMUM_CONFERENCES:
            raise Refusal(Code.FULL, f"there are {MAXIMUM_CONFERENCES} conferences already")
        conference = Conference(
            params.conference, fingerprint, self._config, notify, self._tap, self._tamper, self.counts
        )
        negotiation = Negotiation(conference, self._config.timeouts)
        self._live[params.conference] = _Live(conference, negotiation, notify)
        self.counts.conferences_started += 1
        conference.log.info(LogCode.CONFERENCE_STARTED, "%s", identifying(Kind.ROOM, conference.name))
        conference.step(StepName.NEW_CONFERENCE)
        conference.step(StepName.CONFERENCE_ACK)
        return {"host": self._config.tunnel_name, "port": self.tunnel_port}

    async def _offer(self, params: OfferParams) -> str:
        try:
            live = self._get(params.conference)
            answer = await live.negotiation.answer(OfferRequest(params.endpoint, params.role, params.sdp))
        except Refusal as refusal:
            self.counts.offers_refused[refusal.code] += 1
            raise
        self.counts.offers_answered += 1
        return answer

    def _get(self, name: str) -> _Live:
        live = self._live.get(name)
        if live is None:
            raise Refusal(Code.NO_SUCH_CONFERENCE, "there is no such conference")
        return live

    def _end(self, name: str, reason: ConferenceEnd) -> None:
        conference = self._live.pop(name).conference
        self.counts.conferences_ended[reason] += 1
        conference.log.info(LogCode.CONFERENCE_ENDED, "%s", reason)
        conference.close()

    def _call_processing_lost(self) -> None:
        for name in list(self._live):
            self._end(name, ConferenceEnd.CONTROL_LOST)

    def _show(self) -> Metrics:
        metrics = Metrics()
        self.counts.show(metrics)
        metrics.gauge("perc_md_conferences", "Conferences.", lambda: len(self._live))
        metrics.gauge(
            "perc_md_endpoints",
            "Endpoints.",
            lambda: sum(len(live.conference.endpoints) for live in self._live.values()),
        )
        metrics.gauge(
            "perc_md_tunnels",
            "Conferences whose tunnel is up.",
            lambda: sum(live.conference.link.tunnel is not None for live in self._live.values()),
        )
        return metrics

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK)
            for name, live in list(self._live.items()):
                reason = None
                try:
                    if live.conference.tick(loop.time()):
                        reason = ConferenceEnd.KEY_DISTRIBUTOR_GONE
                except Exception:  # one conference's trouble costs the others nothing
                    live.conference.log.exception(LogCode.CONFERENCE_FAILED, "an error ended the conference")
                    reason = ConferenceEnd.ERROR
                if reason is not None:
                    self._end(name, reason)
                    live.notify(ConferenceEnded(name, reason))


@contextlib.asynccontextmanager
async def running(
    config: MediaDistributorConfig, tap: Tap | None = None, tamper: Tamper | None = None
) -> AsyncIterator[MediaDistributor]:
    """Run a Media Distributor for as long as the context lasts."""
    distributor = MediaDistributor(config, tap, tamper)
    await distributor.open()
    try:
        yield distributor
    finally:
        await distributor.close()


async def serve(config: MediaDistributorConfig) -> None:
    """Runs a Media Distributor until it is cancelled."""
    async with running(config) as distributor, shown(distributor.metrics, config.metrics):
        log.info(LogCode.STARTED, "control port %d, tunnel port %d", distributor.control_port, distributor.tunnel_port)
        await asyncio.Event().wait()
