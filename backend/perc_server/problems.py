"""Refusals to programs, as problem details (RFC 9457); shared by both HTTP servers. People get a page instead."""

from __future__ import annotations

import math
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Problem(Exception):
    """A refusal with a status, a stable `kind` that programs can match, and a sentence for people.

    `retry_after` is in seconds, where it is a matter of time.
    """

    def __init__(self, status: HTTPStatus, kind: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after

    def response(self) -> Response:
        """The problem document."""
        document = {
            "type": f"/problems/{self.kind}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(self.retry_after))
        return JSONResponse(document, self.status, headers, media_type="application/problem+json")


def problem_response(_request: Request, error: Exception) -> Response:
    """Starlette's exception handler for `Problem`."""
    if not isinstance(error, Problem):
        raise error
    return error.response()
