"""Offer and answer, with the Key Distributor in between (call flow, 4.1.3 and 4.1.7)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from perc_server.media_distributor.answer import Transport, write_answer
from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.config import Timeouts
from perc_server.media_distributor.endpoint import Endpoint
from perc_server.media_distributor.events import StepName
from perc_server.media_distributor.ice import Credentials, IceLite
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.sdp import Offer, read_offer

MAXIMUM_ENDPOINTS = 100
"""Endpoints of a conference, those who wait for an answer included."""


@dataclass(frozen=True, slots=True)
class OfferRequest:
    """An offer as call processing hands it on."""

    endpoint_id: str
    role: str
    sdp: str


class Negotiation:
    """Answers offers of one conference; each endpoint one at a time, all endpoints at once."""

    def __init__(self, conference: Conference, timeouts: Timeouts) -> None:
        self._conference = conference
        self._timeouts = timeouts
        self._pending: set[str] = set()

    async def answer(self, request: OfferRequest) -> str:
        """The signed answer; a `Refusal` leaves everything as it was."""
        if request.endpoint_id in self._pending:
            raise Refusal(Code.INVALID_OFFER, "an offer of this endpoint is being answered")
        is_new = self._conference.endpoints.get(request.endpoint_id) is None
        if is_new and len(self._conference.endpoints) + len(self._pending) >= MAXIMUM_ENDPOINTS:
            raise Refusal(Code.FULL, f"a conference has at most {MAXIMUM_ENDPOINTS} endpoints")
        self._pending.add(request.endpoint_id)
        try:
            return await self._answer(request)
        finally:
            self._pending.discard(request.endpoint_id)

    async def _answer(self, request: OfferRequest) -> str:
        conference, tunnel = self._conference, self._conference.link.tunnel
        if tunnel is None:
            raise Refusal(Code.NO_KEY_DISTRIBUTOR, "the conference's Key Distributor is not there")
        offer = read_offer(request.sdp)
        known = conference.endpoints.get(request.endpoint_id)
        endpoint = known or self._new_endpoint(request, offer)
        if endpoint.fingerprints != offer.fingerprints:
            raise Refusal(Code.INVALID_OFFER, "a new certificate; it needs a new endpoint")
        # New credentials of the endpoint are an ICE restart (RFC 8445, Section 9); otherwise they stay.
        restarts = endpoint.ice.remote != offer.ice
        local = Credentials.generate() if restarts else endpoint.ice.local
        answer = write_answer(offer, Transport(conference.port.address, local, conference.fingerprint))
        conference.switchboard.check(request.endpoint_id, answer)
        conference.step(StepName.OFFER, endpoint)
        conference.step(StepName.SIGN_ANSWER, endpoint)
        signed = await conference.signatures.sign(tunnel, request.sdp, answer)
        conference.step(StepName.SIGN_ANSWER_ACK, endpoint)
        if known is not None and conference.endpoints.get(request.endpoint_id) is not known:
            raise Refusal(Code.REFUSED, "the endpoint left while its offer was answered")
        # Another endpoint may have been given the same SSRC meanwhile.
        conference.switchboard.check(request.endpoint_id, answer)
        if restarts:
            endpoint.ice.restart(local, offer.ice)
        if known is None:
            endpoint.deadline = asyncio.get_running_loop().time() + self._timeouts.connect
        conference.admit(endpoint, answer)
        conference.step(StepName.ANSWER, endpoint)
        return signed

    def _new_endpoint(self, request: OfferRequest, offer: Offer) -> Endpoint:
        ice = IceLite(Credentials.generate(), offer.ice, self._conference.counts.checks_refused)
        log = self._conference.log.of("endpoint")
        return Endpoint(request.endpoint_id, request.role, ice, offer.fingerprints, log, deadline=float("inf"))
