"""The control connection: pinned certificates, requests, notifications, loss."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from perc_server.call_processing import control as module
from perc_server.call_processing.config import ControlConfig
from perc_server.call_processing.control import ControlClient, ControlError, pinned_context
from perc_server.call_processing.counts import CallProcessingCounts
from perc_server.certificates import DemoCertificates, demo_certificates
from perc_server.keepalive import IDLE, LOST, keep_alive
from tests.loop_time import movable_time


@pytest.fixture
def certificates(tmp_path: Path) -> DemoCertificates:
    return demo_certificates(tmp_path / "ours", "md.localhost")


def server_context(certificates: DemoCertificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.control_server)
    context.load_verify_locations(certificates.control_client_certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class Peer:
    """The other end of the control connection, which answers as it is told to."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(ConnectionError):
            while line := await reader.readline():
                request = json.loads(line)
                self.requests.append(request)
                self.answer(request, writer)

    def answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match request["method"]:
            case "start-conference":
                reply = {"id": request["id"], "result": {"host": "md.localhost", "port": 8443}}
            case "offer":
                reply = {"id": request["id"], "error": {"code": "refused", "detail": "not today"}}
            case _:
                return
        writer.write(json.dumps(reply).encode() + b"\n")


@asynccontextmanager
async def connected(
    certificates: DemoCertificates,
    peer: Peer,
    notifications: list[dict[str, Any]],
    pinned: Path | None = None,
    counts: CallProcessingCounts | None = None,
) -> AsyncIterator[ControlClient]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=server_context(certificates))
    config = ControlConfig(
        "127.0.0.1",
        server.sockets[0].getsockname()[1],
        certificates.control_client,
        pinned or certificates.control_server_certificate,
    )
    client = ControlClient(config, notifications.append, lambda: notifications.append({"event": "lost"}), counts)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        server.close()
        for writer in peer.writers:
            writer.close()
        with suppress(asyncio.CancelledError):
            await task


async def test_requests_are_answered_by_result_or_error(certificates: DemoCertificates) -> None:
    async with connected(certificates, Peer(), []) as client:
        await client.wait_connected()
        assert await client.request("start-conference", conference="salon", fingerprint="…") == {
            "host": "md.localhost",
            "port": 8443,
        }
        with pytest.raises(ControlError, match="not today") as error:
            await client.request("offer", conference="salon")
        assert error.value.code == "refused"


async def test_notifications_arrive(certificates: DemoCertificates) -> None:
    peer, notifications = Peer(), list[dict[str, Any]]()
    async with connected(certificates, peer, notifications) as client:
        await client.wait_connected()
        await client.request("start-conference")
        peer.writers[0].write(b'{"event": "ended", "conference": "salon"}\n')
        while not notifications:
            await asyncio.sleep(0)
    assert notifications[0] == {"event": "ended", "conference": "salon"}


async def test_a_lost_connection_fails_what_is_under_way_and_is_made_again(certificates: DemoCertificates) -> None:
    peer, notifications = Peer(), list[dict[str, Any]]()
    async with connected(certificates, peer, notifications) as client:
        await client.wait_connected()
        request = asyncio.create_task(client.request("unanswered"))
        while not peer.requests:
            await asyncio.sleep(0)
        peer.writers[0].close()
        with pytest.raises(ControlError) as error:
            await request
        assert error.value.code == "unavailable"
        assert notifications == [{"event": "lost"}]
        await client.wait_connected()
        assert await client.request("start-conference")


async def test_a_media_distributor_that_hangs_is_a_timeout(
    certificates: DemoCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.01)
    async with connected(certificates, Peer(), []) as client:
        await client.wait_connected()
        with pytest.raises(ControlError) as error:
            await client.request("unanswered")
        assert error.value.code == "timeout"


async def test_a_connection_on_which_nothing_is_heard_any_more_is_made_again(
    certificates: DemoCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.05)
    peer, notifications = Peer(), list[dict[str, Any]]()
    async with connected(certificates, peer, notifications) as client:
        await client.wait_connected()
        with pytest.raises(ControlError):
            await client.request("unanswered")
        monkeypatch.undo()
        while {"event": "lost"} not in notifications:
            await asyncio.sleep(0)
        await client.wait_connected()
        assert await client.request("start-conference")
        assert len(peer.writers) == 2


async def test_a_media_distributor_that_is_only_busy_keeps_its_connection(certificates: DemoCertificates) -> None:
    peer, notifications = Peer(), list[dict[str, Any]]()
    async with connected(certificates, peer, notifications) as client:
        await client.wait_connected()
        with movable_time() as move:
            request = asyncio.create_task(client.request("unanswered"))
            while not peer.requests:
                await asyncio.sleep(0)
            await client.request("start-conference")
            move(module.REQUEST_TIMEOUT + 1)
            with pytest.raises(ControlError, match="in time"):
                await request
        assert await client.request("start-conference")
        assert len(peer.writers) == 1
        assert notifications == []


async def test_a_port_that_accepts_and_says_nothing_is_tried_again(
    certificates: DemoCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT", 0.05)
    writers = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    config = ControlConfig("127.0.0.1", port, certificates.control_client, certificates.control_server_certificate)
    task = asyncio.create_task(ControlClient(config, lambda _: None, lambda: None).run())
    try:
        while len(writers) < 3:
            await asyncio.sleep(0.01)
    finally:
        task.cancel()
        silent.close()
        for writer in writers:
            writer.close()
        with suppress(asyncio.CancelledError):
            await task


async def test_either_end_finds_out_that_the_other_is_gone(
    certificates: DemoCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[asyncio.StreamWriter] = []
    monkeypatch.setattr(module, "keep_alive", lambda writer: (keep_alive(writer), kept.append(writer)))
    async with connected(certificates, Peer(), []) as client:
        await client.wait_connected()
        connection = kept[0].get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if sys.platform == "linux":
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == IDLE
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == LOST * 1000


async def test_another_certificate_on_the_control_port_is_not_accepted(
    certificates: DemoCertificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[ControlConfig] = []
    monkeypatch.setattr(module, "pinned_context", lambda config: (attempts.append(config), pinned_context(config))[1])
    other = demo_certificates(tmp_path / "another", "md.localhost")
    async with connected(certificates, Peer(), [], pinned=other.control_server_certificate) as client:
        is_connected = asyncio.create_task(client.wait_connected())
        while len(attempts) < 3:
            await asyncio.sleep(0.01)
        assert not is_connected.done()
        is_connected.cancel()
        with pytest.raises(ControlError) as error:
            await client.request("start-conference")
        assert error.value.code == "unavailable"


async def test_rubbish_on_the_control_port_ends_the_connection_only(certificates: DemoCertificates) -> None:
    peer, notifications = Peer(), list[dict[str, Any]]()
    async with connected(certificates, peer, notifications) as client:
        await client.wait_connected()
        await client.request("start-conference")
        peer.writers[0].write(b"[]\n")
        while {"event": "lost"} not in notifications:
            await asyncio.sleep(0)
        await client.wait_connected()
        assert await client.request("start-conference")
