"""The IdP proxy: the standard script with the public keys in it, and the frame that runs it under this origin."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.pages import TEMPLATES

STATIC = Path(__file__).parent / "static"
CONFIGURATION = '"{{configuration}}"'

SCRIPT_HEADERS = {
    # A proxy kept longer than a key is used would refuse good assertions.
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
FRAME_HEADERS = {
    # Any site may embed it (no frame-ancestors): whom it serves is decided per asking origin, by the session.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Proxy:
    """The handlers under /.well-known/idp-proxy/default, and this site's own scripts and styles."""

    def __init__(self, config: IdentityProviderConfig, keys: SigningKeys) -> None:
        self._config = config
        self._keys = keys
        self._script = (STATIC / "proxy.js").read_text("utf-8")
        self._frame = (TEMPLATES / "frame.html").read_text("utf-8")

    async def script(self, _request: Request) -> Response:
        """The script of RFC 8827, Section 8; without CORS headers, since it is loaded as a classic script."""
        keys = await run_in_threadpool(self._keys.published)
        configuration = {
            "origin": self._config.origin,
            "domain": self._config.domain,
            "keys": [key.jwk for key in keys],
        }
        script = self._script.replace(CONFIGURATION, json.dumps(configuration))
        return Response(script, media_type="text/javascript", headers=SCRIPT_HEADERS)

    async def frame(self, _request: Request) -> Response:
        """The frame page."""
        return HTMLResponse(self._frame, headers=FRAME_HEADERS)

    async def static(self, request: Request) -> Response:
        """A script or style; the route's pattern leaves only names that exist."""
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
        return FileResponse(STATIC / request.url.path.rpartition("/")[2], headers=headers)
