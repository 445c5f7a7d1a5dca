"""Call processing's end of the control connection."""

from __future__ import annotations

import asyncio
import json
import ssl
from itertools import count
from pathlib import Path
from typing import Any

from perc_server.certificates import DemoCertificates


class Refused(Exception):
    """The Media Distributor answered with an error."""

    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(f"{error['code']}: {error['detail']}")
        self.code = error["code"]
        self.detail = error["detail"]


class CallProcessing:
    """Sends requests, keeps events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls, port: int, certificates: DemoCertificates, certificate: Path | None = None
    ) -> CallProcessing:
        """A connection, with another certificate than the announced one if that is the test."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(certificates.control_server_certificate)
        context.load_cert_chain(certificate or certificates.control_client)
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=1 << 20))

    async def request(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._ids)
        self._pending[number] = asyncio.get_running_loop().create_future()
        self.send({"id": number, "method": method, "params": params})
        return await self._pending[number]

    def send(self, message: object) -> None:
        self.writer.write(json.dumps(message).encode() + b"\n")

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Events of one kind so far."""
        return [event for event in self.events if event["event"] == kind]

    def steps(self, endpoint: str | None = None) -> list[str]:
        return [event["step"] for event in self.of("step") if event.get("endpoint") == endpoint]

    async def close(self) -> None:
        self.writer.transport.abort()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _read(self) -> None:
        while line := await self._reader.readline():
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
            elif future := self._pending.pop(message["id"], None):
                if "error" in message:
                    future.set_exception(Refused(message["error"]))
                else:
                    future.set_result(message["result"])
            else:
                self.events.append({"event": "unsolicited", **message})
