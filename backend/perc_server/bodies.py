"""Bodies of requests, read within bounds; shared by both HTTP servers."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request

from perc_server.problems import Problem, ProblemKind

TOO_LARGE = HTTPStatus(413)  # named differently by Python 3.11 and 3.13


async def read_bounded(request: Request, limit: int) -> bytes:
    """The request's body; a `Problem` as soon as it exceeds `limit` octets."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(TOO_LARGE, ProblemKind.TOO_LARGE, f"The body is longer than {limit} octets.")
    return bytes(body)
