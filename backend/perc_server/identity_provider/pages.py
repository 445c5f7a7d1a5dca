"""The pages that people see, from the templates beside this module. Every value in them is escaped."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from string import Template

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from perc_server.identity_provider import cookies
from perc_server.identity_provider.guards import CSRF_COOKIE, csrf_token
from perc_server.problems import Problem, ProblemKind
from perc_server.request_log import RequestCounts

TEMPLATES = Path(__file__).parent / "templates"

CSRF_LIFETIME = 24 * 3600

HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            # Passkey challenges.
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            # A sign-in or consent page in another page's frame could be dressed up to be clicked (clickjacking).
            "frame-ancestors 'none'",
        ]
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer", under which a browser sends `Origin: null` with this site's own forms.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Markup(str):
    """Text that is markup already, made by `Pages.fragment`."""

    __slots__ = ()


class Pages:
    """Renders templates inside the common layout."""

    def __init__(self, name: str, counts: RequestCounts) -> None:
        self._name = name
        self._counts = counts
        self._templates = {path.stem: Template(path.read_text("utf-8")) for path in TEMPLATES.glob("*.html")}

    def fragment(self, template: str, **values: str) -> Markup:
        """A part of a page; `values` fill the template as text, unless they are parts themselves."""
        escaped = {key: value if isinstance(value, Markup) else html.escape(value) for key, value in values.items()}
        return Markup(self._templates[template].substitute(escaped))

    def render(self, template: str, title: str, status: int = 200, **values: str) -> HTMLResponse:
        """A page."""
        content = self.fragment(template, **values)
        page = self.fragment("layout", title=title, provider=self._name, content=content)
        return HTMLResponse(page, status, HEADERS)

    def form(self, request: Request, template: str, title: str, status: int = 200, **values: str) -> HTMLResponse:
        """A page with forms in it: they carry this browser's token."""
        token = csrf_token(request)
        response = self.render(template, title, status, csrf=token, **values)
        cookies.set_first_party(response, CSRF_COOKIE, token, CSRF_LIFETIME)
        return response

    def problem(self, request: Request, error: Exception) -> Response:
        """Starlette's exception handler: a page for people, a problem document for programs."""
        if isinstance(error, HTTPException):
            status = HTTPStatus(error.status_code)
            error = Problem(status, ProblemKind.NOT_HERE, f"{status.phrase}: there is no such page here.")
        if not isinstance(error, Problem):
            raise error
        self._counts.refuse(request, error)
        if "text/html" not in request.headers.get("accept", ""):
            return error.response()
        return self.render("problem", error.status.phrase, error.status, detail=str(error))


def date(unix_time: float) -> str:
    """A day as everyone can read it."""
    return f"{datetime.fromtimestamp(unix_time, UTC):%-d %B %Y}"
