"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Problem(Exception):
    """A refusal with a status, a stable `type` that programs can match, and a sentence for people."""

    def __init__(self, status: HTTPStatus, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail

    def response(self) -> Response:
        """The problem document."""
        document = {
            "type": f"/problems/{self.kind}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        return JSONResponse(document, self.status, media_type="application/problem+json")


def problem_response(_request: Request, error: Exception) -> Response:
    """Starlette's exception handler for `Problem`."""
    if not isinstance(error, Problem):
        raise error
    return error.response()


def refuse(kind: str, detail: str) -> Problem:
    """The common case: the request itself is wrong."""
    return Problem(HTTPStatus.BAD_REQUEST, kind, detail)
