"""What a request must be before a handler looks at it: of a bounded size, from this site's own pages."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from perc_server.bodies import TOO_LARGE, read_bounded
from perc_server.problems import Problem, ProblemKind

MAX_FORM = 16 * 1024
"""Octets of a form: two passwords with every character escaped, or a passkey's response."""

MAX_ORIGIN = 300
"""Characters: a DNS name has at most 253."""

WEB_ORIGIN = re.compile(r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)

CSRF_COOKIE = "__Host-csrf"


async def read_json(request: Request, limit: int) -> dict[str, Any]:
    """The body as a JSON object."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, ProblemKind.NOT_JSON, "The body must be application/json.")
    try:
        document = json.loads(await read_bounded(request, limit))
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.NOT_JSON, "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.NOT_AN_OBJECT, "The body is not a JSON object.")
    return document


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that this site rendered; anything else is refused (cross-site request forgery)."""
    check_own_origin(request)
    body = await read_bounded(request, MAX_FORM)
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.NOT_A_FORM, "The body is not a form.") from None
    if not hmac.compare_digest(browser_secret(request).encode(), fields.get("csrf", "").encode()):
        raise _not_this_browsers()
    return fields


def browser_secret(request: Request) -> str:
    """What this browser alone knows, whether or not anybody is signed in."""
    secret = request.cookies.get(CSRF_COOKIE, "")
    if not secret:
        raise _not_this_browsers()
    return secret


def _not_this_browsers() -> Problem:
    detail = "The form is not from this browser's own page. Go back and reload it."
    return Problem(HTTPStatus.FORBIDDEN, ProblemKind.CSRF, detail)


def check_own_origin(request: Request) -> None:
    """Only this site's own pages and frames: both headers are the browser's, out of a script's reach."""
    own = request.app.state.config.origin
    if request.headers.get("origin") != own or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Problem(HTTPStatus.FORBIDDEN, ProblemKind.CROSS_SITE, "Only pages of this site may do that.")


def check_same_origin_fetch(request: Request) -> None:
    """As `check_own_origin`, and the browser must have said so by `Sec-Fetch-Site`."""
    if request.headers.get("sec-fetch-site") != "same-origin":
        raise Problem(HTTPStatus.FORBIDDEN, ProblemKind.CROSS_SITE, "Only pages of this site may do that.")
    check_own_origin(request)


def member(document: dict[str, Any], name: str, limit: int) -> str:
    """A required string of a JSON object, of at most `limit` octets in UTF-8."""
    value = document.get(name)
    # JSON can spell lone surrogates, which are no text.
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.MALFORMED, f"`{name}` must be a string.")
    if len(value.encode()) > limit:
        raise Problem(TOO_LARGE, ProblemKind.TOO_LARGE, f"`{name}` is longer than {limit} octets.")
    return value


def csrf_token(request: Request) -> str:
    """This browser's token: the one in its cookie, or a new one (the answer then sets the cookie)."""
    return request.cookies.get(CSRF_COOKIE) or secrets.token_urlsafe(32)


def is_web_origin(origin: str) -> bool:
    """Whether this is the serialisation of an http(s) origin, as `event.origin` has it, and nothing more."""
    return len(origin) <= MAX_ORIGIN and WEB_ORIGIN.fullmatch(origin) is not None
