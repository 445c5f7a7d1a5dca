"""The pages that people see, from the templates beside this module. Every value in them is escaped."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

TEMPLATES = Path(__file__).parent / "templates"

HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
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


class Pages:
    """Renders templates inside the common layout."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._templates = {path.stem: Template(path.read_text("utf-8")) for path in TEMPLATES.glob("*.html")}

    def render(self, template: str, title: str, status: int = 200, **values: str) -> HTMLResponse:
        """The page; `values` fill the template as text."""
        escaped = {key: html.escape(value) for key, value in values.items()}
        content = self._templates[template].substitute(escaped)
        layout = {"title": html.escape(title), "provider": html.escape(self._name), "content": content}
        return HTMLResponse(self._templates["layout"].substitute(layout), status, HEADERS)
