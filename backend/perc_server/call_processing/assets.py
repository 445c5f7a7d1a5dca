"""The page and its assets: self-hosted, pre-compressed, immutable, under a strict Content-Security-Policy."""

from __future__ import annotations

import gzip
import json
import mimetypes
from http import HTTPStatus
from pathlib import Path

import certifi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from perc_server.call_processing.config import CallProcessingConfig
from perc_server.call_processing.signalling import is_room_name

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        # WebAssembly is Pyodide; nothing is ever evaluated from a string.
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        # IdP proxies run in frames: https anywhere, plain http for localhost only.
        "frame-src 'self' https: http://localhost:* http://*.localhost:*",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # The fragment of a join link never leaves the page; its path need not either.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

SANDBOX = "identity/sandbox/"
# The sandbox for the scripts of identity providers has an opaque origin, to which nothing is 'self': it brings its own
# policy along, and takes only from this one that nobody else may frame it.
SANDBOX_HEADERS = SECURITY_HEADERS | {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

IMMUTABLE = "public, max-age=31536000, immutable"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # in order of preference
# Not left to the machine's table: a module with another type does not run.
CONTENT_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".svg": "image/svg+xml",
}


class Assets:
    """What the build made, and what the deployment adds to it."""

    def __init__(self, config: CallProcessingConfig) -> None:
        manifest = json.loads((config.assets / "manifest.json").read_text())
        self._version = manifest["assets"]
        self._directory = (config.assets / self._version).resolve()
        self._prefix = f"/assets/{self._version}"
        self._page = (self._directory / "index.html").read_text().replace("{{assets}}", self._prefix)
        self._trust_anchors = gzip.compress(_trust_anchors(config.trust_anchors).encode(), mtime=0)
        self._configuration = {
            "version": 1,
            "identityProviders": list(config.identity_providers),
            "trustAnchors": "/trust-anchors.pem",
            "assets": self._prefix,
        }

    async def page(self, request: Request) -> Response:
        """The one page: the landing page, and the conference page of every room."""
        room = request.path_params.get("room")
        if room is not None and not is_room_name(room):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return HTMLResponse(self._page, headers=SECURITY_HEADERS | {"Cache-Control": "no-cache"})

    async def configuration(self, _request: Request) -> Response:
        """`/config.json`: what the page needs to know of this deployment."""
        return JSONResponse(self._configuration, headers=SECURITY_HEADERS | {"Cache-Control": "no-cache"})

    async def trust_anchors(self, _request: Request) -> Response:
        """Mozilla's trust anchors and the deployment's own, PEM (a page cannot read the browser's root store)."""
        headers = SECURITY_HEADERS | {"Cache-Control": "no-cache", "Content-Encoding": "gzip"}
        return Response(self._trust_anchors, media_type="application/x-pem-file", headers=headers)

    async def asset(self, request: Request) -> Response:
        """A file of the current build, compressed as the browser likes it; the name changes with the content."""
        path = (self._directory / request.path_params["path"]).resolve()
        if request.path_params["version"] != self._version or not path.is_relative_to(self._directory):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        encoding, file = _best_encoding(path, request.headers.get("accept-encoding", ""))
        if not file.is_file():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = SANDBOX_HEADERS if path.is_relative_to(self._directory / SANDBOX) else SECURITY_HEADERS
        headers = headers | {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
        if encoding:
            headers["Content-Encoding"] = encoding
        content_type = CONTENT_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        return FileResponse(file, headers=headers, media_type=content_type or "application/octet-stream")


def _best_encoding(path: Path, accepted: str) -> tuple[str | None, Path]:
    """The content coding and the file that has it; the plain file where neither side has another."""
    tokens = {token.partition(";")[0].strip() for token in accepted.split(",")}
    for encoding, suffix in ENCODINGS:
        file = path.with_name(path.name + suffix)
        if encoding in tokens and file.is_file():
            return encoding, file
    return None, path


def _trust_anchors(own: Path | None) -> str:
    anchors = Path(certifi.where()).read_text(encoding="utf-8")
    return anchors + own.read_text(encoding="utf-8") if own else anchors
