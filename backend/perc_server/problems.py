"""Refusals to programs, as problem details (RFC 9457); shared by both HTTP servers. People get a page instead."""

from __future__ import annotations

import math
from enum import StrEnum
from http import HTTPStatus

from starlette.responses import JSONResponse, Response


class ProblemKind(StrEnum):
    """Everything that a problem's `type` may name after `/problems/`."""

    # Of a request itself.
    WRONG_HOST = "wrong-host"
    NOT_FOUND = "not-found"
    NOT_HERE = "not-here"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    NOT_JSON = "not-json"
    NOT_AN_OBJECT = "not-an-object"
    NOT_A_FORM = "not-a-form"
    INVALID = "invalid"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    OTHER = "other"
    """What Starlette refuses by any other status."""

    # Of the one who sent it.
    FOREIGN_ORIGIN = "foreign-origin"
    CROSS_SITE = "cross-site"
    CSRF = "csrf"
    TOO_MANY = "too-many"
    FULL = "full"
    BUSY = "busy"

    # Of conferences.
    INVALID_ROOM = "invalid-room"
    NOT_LIVE = "not-live"
    NOT_OWNER = "not-owner"
    CONFLICT = "conflict"
    NO_SUCH_ENDPOINT = "no-such-endpoint"
    NO_SUCH_CONFERENCE = "no-such-conference"
    NO_KEY_DISTRIBUTOR = "no-key-distributor"
    INVALID_OFFER = "invalid-offer"
    SOURCE_TAKEN = "source-taken"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    BAD_GATEWAY = "bad-gateway"
    """The Media Distributor answered with a code that is not one of the control protocol."""

    # Of identities.
    LOGIN_REQUIRED = "login-required"
    CODE_REFUSED = "code-refused"
    SIGN_IN_AGAIN = "sign-in-again"
    NO_PASSKEY = "no-passkey"
    BAD_ORIGIN = "bad-origin"
    BAD_CHALLENGE = "bad-challenge"


class Problem(Exception):
    """A refusal with a status, a stable `kind` that programs can match, and a sentence for people.

    `retry_after` is in seconds, where it is a matter of time.
    """

    def __init__(self, status: HTTPStatus, kind: ProblemKind, detail: str, *, retry_after: float | None = None) -> None:
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
