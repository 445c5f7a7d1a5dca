"""The page and its assets: self-hosted, pre-compressed, immutable, under a strict Content-Security-Policy."""

from __future__ import annotations

import gzip
import json
import mimetypes
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import certifi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from perc_server.call_processing.config import CallProcessingConfig
from perc_server.call_processing.signalling import is_room_name

PROVIDERS_OF_THIS_MACHINE = "http://localhost:* http://*.localhost:*"

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
        f"frame-src 'self' https: {PROVIDERS_OF_THIS_MACHINE}",
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
# The sandbox for the scripts of identity providers has an opaque origin, even if it is opened by itself. It brings its
# own policy along, since to that origin nothing is 'self', and takes from this one that nobody else may frame it.
SANDBOX_POLICY = {
    "Content-Security-Policy": "sandbox allow-scripts; frame-ancestors 'self'",
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


def security_headers(origin: str) -> dict[str, str]:
    """`SECURITY_HEADERS`; without providers on plain http, unless this site is on plain http itself, as a demo is."""
    if urlsplit(origin).scheme == "http":
        return SECURITY_HEADERS
    policy = CONTENT_SECURITY_POLICY.replace(f" {PROVIDERS_OF_THIS_MACHINE}", "")
    return SECURITY_HEADERS | {"Content-Security-Policy": policy}


class Assets:
    """What the build made, and what the deployment adds to it."""

    def __init__(self, config: CallProcessingConfig) -> None:
        manifest = json.loads((config.assets / "manifest.json").read_text())
        self._version = manifest["assets"]
        self._directory = config.assets / self._version
        files = (path for path in self._directory.rglob("*") if path.is_file())
        # What a path names is looked up here and nowhere else: there are paths that no file system takes.
        self._files = frozenset(path.relative_to(self._directory).as_posix() for path in files)
        self._headers = security_headers(config.origin)
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
        return HTMLResponse(self._page, headers=self._headers | {"Cache-Control": "no-cache"})

    async def configuration(self, _request: Request) -> Response:
        """`/config.json`: what the page needs to know of this deployment."""
        return JSONResponse(self._configuration, headers=self._headers | {"Cache-Control": "no-cache"})

    async def trust_anchors(self, _request: Request) -> Response:
        """Mozilla's trust anchors and the deployment's own, PEM (a page cannot read the browser's root store)."""
        headers = self._headers | {"Cache-Control": "no-cache", "Content-Encoding": "gzip"}
        return Response(self._trust_anchors, media_type="application/x-pem-file", headers=headers)

    async def asset(self, request: Request) -> Response:
        """A file of the current build, compressed as the browser likes it; the name changes with the content."""
        name = request.path_params["path"]
        if request.path_params["version"] != self._version or name not in self._files:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = self._headers | {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
        if name.startswith(SANDBOX):
            headers |= SANDBOX_POLICY
        encoding, file = self._best_encoding(name, request.headers.get("accept-encoding", ""))
        if encoding:
            headers["Content-Encoding"] = encoding
        content_type = CONTENT_TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
        media_type = content_type or "application/octet-stream"
        return FileResponse(self._directory / file, headers=headers, media_type=media_type)

    def _best_encoding(self, name: str, accepted: str) -> tuple[str | None, str]:
        """The content coding and the file that has it; the plain file where neither side has another."""
        tokens = {token.partition(";")[0].strip() for token in accepted.split(",")}
        for encoding, suffix in ENCODINGS:
            if encoding in tokens and name + suffix in self._files:
                return encoding, name + suffix
        return None, name


def _trust_anchors(own: Path | None) -> str:
    anchors = Path(certifi.where()).read_text(encoding="utf-8")
    return anchors + own.read_text(encoding="utf-8") if own else anchors
