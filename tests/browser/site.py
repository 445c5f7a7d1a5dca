"""A web server for browser tests: an empty page and the build's assets, under production's own policy."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from perc_server.call_processing.assets import CONTENT_TYPES, IMMUTABLE, SECURITY_HEADERS

REPOSITORY = Path(__file__).resolve().parents[2]
DIST = REPOSITORY / "browser" / "dist"
TESTS = REPOSITORY / "tests"
STUBS = {"identity/index.js": TESTS / "browser" / "idp_proxy_stub.js"}
EMPTY_PAGE = '<!doctype html><html lang="en"><title>perc test</title><link rel="icon" href="data:,"></html>'


def built_assets() -> Path:
    """The directory of the newest build."""
    return DIST / json.loads((DIST / "manifest.json").read_text())["assets"]


class Site:
    """Serves in a thread of its own, so that a test may block; a context manager.

    `/` and `/perc/{room}` are an empty page, `/assets/…` is the build as production serves it, `/stubbed/…` the same
    with a scripted identity provider, `/tests/…` are the files of `tests/`, `/trust-anchors.pem` is `trust_anchors`,
    `/perc/tunnel?md=HOST:PORT` leads to the TCP port `tunnels[HOST]` or is refused.
    """

    def __init__(self, headers: Mapping[str, str] = SECURITY_HEADERS) -> None:
        self.headers = dict(headers)
        self.assets_directory = built_assets()
        self.assets = f"/assets/{self.assets_directory.name}"
        self.stubbed_assets = f"/stubbed/{self.assets_directory.name}"
        self.trust_anchors = ""
        self.tunnels: dict[str, int] = {}
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=self._routes()), port=0, log_config=None, lifespan="off", ws="websockets-sansio"
            )
        )
        self._thread = threading.Thread(target=self._server.run, name="test site", daemon=True)

    @property
    def origin(self) -> str:
        """`http://localhost:PORT`, a secure context."""
        return f"http://localhost:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.005)
            assert self._thread.is_alive(), "the test site did not start"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def _routes(self) -> list[Route | WebSocketRoute]:
        return [
            Route("/", self._page),
            WebSocketRoute("/perc/tunnel", self._tunnel),
            Route("/perc/{room}", self._page),
            Route("/trust-anchors.pem", self._trust_anchors),
            Route("/assets/{version}/{path:path}", self._asset),
            Route("/stubbed/{version}/{path:path}", self._stubbed_asset),
            Route("/tests/{path:path}", self._test_file),
        ]

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(EMPTY_PAGE, headers=self.headers)

    async def _trust_anchors(self, _request: Request) -> Response:
        return PlainTextResponse(self.trust_anchors, headers=self.headers)

    async def _asset(self, request: Request) -> Response:
        file = self.assets_directory / request.path_params["path"]
        return self._file(file, {"Cache-Control": IMMUTABLE})

    async def _stubbed_asset(self, request: Request) -> Response:
        stub = STUBS.get(request.path_params["path"])
        return self._file(stub, {"Cache-Control": "no-store"}) if stub else await self._asset(request)

    async def _test_file(self, request: Request) -> Response:
        return self._file(TESTS / request.path_params["path"], {"Cache-Control": "no-store"})

    def _file(self, file: Path, headers: Mapping[str, str]) -> Response:
        media_type = CONTENT_TYPES.get(file.suffix, "application/octet-stream")
        headers = self.headers | headers
        compressed = file.with_name(file.name + ".br")
        if compressed.is_file():
            return FileResponse(compressed, headers=headers | {"Content-Encoding": "br"}, media_type=media_type)
        if not file.is_file():
            raise HTTPException(404)
        return FileResponse(file, headers=headers, media_type=media_type)

    async def _tunnel(self, websocket: WebSocket) -> None:
        host, _, _ = websocket.query_params["md"].rpartition(":")
        if host not in self.tunnels:
            await websocket.close()
            return
        await websocket.accept()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.tunnels[host])

        copies = [
            asyncio.create_task(_upwards(websocket, writer)),
            asyncio.create_task(_downwards(websocket, reader)),
        ]
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)
        writer.close()


async def _upwards(websocket: WebSocket, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            writer.write(await websocket.receive_bytes())


async def _downwards(websocket: WebSocket, reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(WebSocketDisconnect, ConnectionError):
        while data := await reader.read(1 << 16):
            await websocket.send_bytes(data)
        await websocket.close()
