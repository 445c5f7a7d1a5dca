"""The signalling interface: start-conf, offer, leave, end and the event stream."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from perc_server.addresses import network
from perc_server.bodies import TOO_LARGE, read_bounded
from perc_server.call_processing.control import ControlClient, ControlError
from perc_server.call_processing.counts import CallProcessingCounts, ConferenceEnd
from perc_server.call_processing.event_stream import EventStream
from perc_server.call_processing.limits import Limits
from perc_server.call_processing.rooms import Room, Rooms, RoomState, new_endpoint_id
from perc_server.call_processing.schemas import (
    MAXIMUM_BODY,
    Answer,
    ConferenceStarted,
    End,
    Leave,
    Message,
    Offer,
    StartConference,
)
from perc_server.problems import Problem, ProblemKind

CONTROL_STATUS: dict[str, HTTPStatus] = {
    ProblemKind.CONFLICT: HTTPStatus.CONFLICT,
    ProblemKind.INVALID: HTTPStatus.BAD_REQUEST,
    ProblemKind.INVALID_OFFER: HTTPStatus.BAD_REQUEST,
    ProblemKind.SOURCE_TAKEN: HTTPStatus.CONFLICT,
    ProblemKind.TOO_LARGE: TOO_LARGE,
    ProblemKind.REFUSED: HTTPStatus.FORBIDDEN,
    ProblemKind.NO_SUCH_CONFERENCE: HTTPStatus.NOT_FOUND,
    ProblemKind.NO_KEY_DISTRIBUTOR: HTTPStatus.NOT_FOUND,
    ProblemKind.FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    ProblemKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ProblemKind.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
}
"""Of what the Media Distributor refuses, by its codes, which are the kinds of the problems, too."""

M = TypeVar("M", bound=Message)


class Signalling:
    """The handlers; each is one exchange of the call flow."""

    def __init__(
        self, rooms: Rooms, control: ControlClient, origin: str, counts: CallProcessingCounts | None = None
    ) -> None:
        self._rooms = rooms
        self._control = control
        self._origin = origin
        # Of what is well-formed and from our own page: another site must not use up its visitors' share.
        self._counts = counts or CallProcessingCounts()
        self._limits = Limits(counts=self._counts)

    async def start_conference(self, request: Request) -> Response:
        """4.1.1 (7) to (10); again by an owner whose Key Distributor is gone with its page."""
        message = await self._read(request, StartConference)
        self._limits.start(network(request))
        async with self._rooms.turn(message.room) as room:
            if not room.can_be_started(message.claim):
                raise Problem(HTTPStatus.CONFLICT, ProblemKind.CONFLICT, "This room already has a conference.")
            if room.state is not RoomState.WAITING:
                await self._make_way(room)
            self._rooms.start(room)
            room.publish("step", {"step": "start-conf"})
            try:
                result = await self._request("start-conference", conference=room.name, fingerprint=message.fingerprint)
            except Problem:
                self._rooms.end(room, ConferenceEnd.START_FAILED)
                raise
            if room.state is RoomState.WAITING:
                raise Problem(
                    HTTPStatus.SERVICE_UNAVAILABLE, ProblemKind.UNAVAILABLE, "The conference ended as it began."
                )
            host, port = room.tunnel = (result["host"], result["port"])
            started = ConferenceStarted(version=1, host=host, port=port, generation=room.generation, claim=room.claim)
        return JSONResponse(started.model_dump())

    async def end(self, request: Request) -> Response:
        """The owner ends the conference for everybody; that there is none is no error."""
        name = room_name(request)
        message = await self._read(request, End)
        async with self._rooms.turn(name) as room:
            if room.state is not RoomState.WAITING:
                if not room.is_claimed_by(message.claim):
                    raise Problem(HTTPStatus.FORBIDDEN, ProblemKind.NOT_OWNER, "This conference is somebody else's.")
                await self._make_way(room)
                self._rooms.end(room, ConferenceEnd.OWNER)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def offer(self, request: Request) -> Response:
        """4.1.3 and 4.1.7 as seen by the page: an offer in, the signed answer out."""
        room = self._rooms.live(room_name(request))
        message = await self._read(request, Offer)
        if message.endpoint is not None and message.endpoint not in room.endpoints:
            raise Problem(HTTPStatus.NOT_FOUND, ProblemKind.NO_SUCH_ENDPOINT, "This endpoint has left the conference.")
        endpoint = message.endpoint or new_endpoint_id()
        with self._limits.offer(network(request)):
            result = await self._request(
                "offer", conference=room.name, endpoint=endpoint, sdp=message.sdp, role=message.role
            )
        room.endpoints.add(endpoint)
        self._counts.offers_answered += 1
        return JSONResponse(Answer(version=1, sdp=result["sdp"], endpoint=endpoint).model_dump())

    async def leave(self, request: Request) -> Response:
        """An endpoint leaves; saying so twice is no error."""
        name = room_name(request)
        message = await self._read(request, Leave)
        room = self._rooms.get(name)
        if room is not None and message.endpoint in room.endpoints:
            room.endpoints.discard(message.endpoint)
            await self._request("leave", conference=name, endpoint=message.endpoint)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def events(self, request: Request) -> Response:
        """The room's events, as long as the page listens."""
        name = room_name(request)
        # A link or an image of another site makes this request, too.
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise _foreign()
        with contextlib.ExitStack() as stack:
            stack.callback(self._limits.stream(network(request)))
            room, subscriber = self._rooms.subscribe(name)
            stack.callback(self._rooms.unsubscribe, room, subscriber)
            return EventStream(subscriber, stack.pop_all().close, self._counts)

    async def _make_way(self, room: Room) -> None:
        """The Media Distributor ends the room's conference."""
        try:
            await self._control.request("end", conference=room.name)
        except ControlError as error:
            # With the control connection all conferences are gone, and their rooms know.
            if error.code != "no-such-conference" and room.state is not RoomState.WAITING:
                raise _problem(error) from error

    async def _request(self, method: str, **params: object) -> dict[str, Any]:
        try:
            return await self._control.request(method, **params)
        except ControlError as error:
            raise _problem(error) from error

    async def _read(self, request: Request, model: type[M]) -> M:
        """The body as a message: from our own page, JSON, bounded and valid, or a `Problem`."""
        # Another origin's page can send JSON only after a preflight, which is never answered; this is the second lock.
        if request.headers.get("origin") != self._origin:
            raise _foreign()
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, ProblemKind.NOT_JSON, "The body must be application/json.")
        body = await read_bounded(request, MAXIMUM_BODY)
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.INVALID, f"{where or 'body'}: {first['msg']}") from None


def room_name(request: Request) -> str:
    """The room of `?{room}`: the whole query is the name."""
    name = request.url.query
    if not is_room_name(name):
        raise Problem(
            HTTPStatus.BAD_REQUEST, ProblemKind.INVALID_ROOM, "A room is named by 1 to 64 letters, digits, - or _."
        )
    return name


def is_room_name(name: str) -> bool:
    """Whether a room can have this name."""
    return 1 <= len(name) <= 64 and name.isascii() and name.replace("-", "").replace("_", "").isalnum()


def _foreign() -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, ProblemKind.FOREIGN_ORIGIN, "This interface serves its own page only.")


def _problem(error: ControlError) -> Problem:
    status = CONTROL_STATUS.get(error.code)
    if status is None:
        return Problem(HTTPStatus.BAD_GATEWAY, ProblemKind.BAD_GATEWAY, error.detail)
    return Problem(status, ProblemKind(error.code), error.detail)
