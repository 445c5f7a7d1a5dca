"""The control port: who may speak to it, and what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from perc_server.certificates import DemoCertificates
from perc_server.keepalive import keep_alive
from perc_server.media_distributor import control as module
from tests.media_distributor.call_processing_stand_in import CallProcessing, Refused
from tests.media_distributor.certificates import Identity
from tests.media_distributor.conftest import Stage
from tests.media_distributor.waiting import settled, until


async def started(stage: Stage, name: str = "room") -> dict[str, object]:
    return await stage.call.request(
        "start-conference", conference=name, fingerprint=str(Identity.make(name).fingerprint)
    )


async def test_a_conference_is_told_where_its_tunnel_goes(stage: Stage) -> None:
    assert await started(stage) == {"host": "md.example", "port": stage.distributor.tunnel_port}
    assert stage.call.steps() == ["new-conference", "conference-ack"]


async def test_one_conference_of_a_name_and_one_of_a_certificate(stage: Stage) -> None:
    fingerprint = str(stage.identity.fingerprint)
    await stage.call.request("start-conference", conference="room", fingerprint=fingerprint)
    for params in ({"conference": "room", "fingerprint": str(Identity.make("other").fingerprint)},):
        with pytest.raises(Refused, match="conflict"):
            await stage.call.request("start-conference", **params)
    with pytest.raises(Refused, match="conflict"):
        await stage.call.request("start-conference", conference="other", fingerprint=fingerprint)


@pytest.mark.parametrize("method", ["offer", "leave", "end"])
async def test_no_such_conference(stage: Stage, method: str) -> None:
    params = {"conference": "nowhere"}
    if method != "end":
        params["endpoint"] = "alice"
    if method == "offer":
        params |= {"sdp": "v=0", "role": "owner"}
    with pytest.raises(Refused, match="no-such-conference"):
        await stage.call.request(method, **params)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("dance", {}),
        ("start-conference", {}),
        ("start-conference", {"conference": "room", "fingerprint": "sha-256 AB:CD"}),
        ("start-conference", {"conference": "room", "fingerprint": "sha-1 " + ":".join(["AB"] * 20)}),
        ("start-conference", {"conference": "room", "fingerprint": "sha-512 " + ":".join(["AB"] * 64)}),
        ("start-conference", {"conference": 7, "fingerprint": "sha-256 " + ":".join(["AB"] * 32)}),
        ("start-conference", {"conference": "", "fingerprint": "sha-256 " + ":".join(["AB"] * 32)}),
        ("start-conference", {"conference": "a\nb", "fingerprint": "sha-256 " + ":".join(["AB"] * 32)}),
        ("start-conference", {"conference": "x" * 129, "fingerprint": "sha-256 " + ":".join(["AB"] * 32)}),
        ("start-conference", {"conference": "room", "fingerprint": "sha-256 " + ":".join(["AB"] * 32), "more": 1}),
        ("offer", {"conference": "room", "endpoint": "alice", "sdp": "v=0", "role": "king"}),
        ("offer", {"conference": "room", "endpoint": "alice", "sdp": "", "role": "owner"}),
        ("leave", {"conference": "room"}),
    ],
)
async def test_requests_that_are_not(stage: Stage, method: str, params: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        await stage.call.request(method, **params)
    assert refused.value.code == "invalid"
    assert refused.value.detail


@pytest.mark.parametrize(
    "line", [b"\n", b"{\n", b"[]\n", b"null\n", b'{"id":"x"}\n', b"\xff\xfe\n", b"[" * 5000 + b"\n"]
)
async def test_lines_that_are_not_requests(stage: Stage, line: bytes) -> None:
    stage.call.writer.write(line)
    await until(lambda: stage.call.of("unsolicited"))
    assert stage.call.of("unsolicited")[0]["error"]["code"] == "invalid"
    await started(stage)


async def test_a_line_that_is_too_long_is_refused_and_nothing_is_lost(stage: Stage) -> None:
    await started(stage)
    stage.call.writer.write(b"x" * 700_000 + b"\n")
    await until(lambda: stage.call.of("unsolicited"))
    assert stage.call.of("unsolicited")[0]["error"]["code"] == "too-large"
    await stage.call.request("end", conference="room")


async def test_another_certificate_gets_no_connection(
    stage: Stage, certificates: DemoCertificates, tmp_path: Path
) -> None:
    await started(stage)
    file = Identity.make("stranger").write(tmp_path, "stranger")
    stranger = await CallProcessing.connect(stage.distributor.control_port, certificates, file)
    stranger.send({"id": 1, "method": "end", "params": {"conference": "room"}})
    await asyncio.wait({stranger.task}, timeout=60)
    assert stranger.task.done(), "the connection is closed"
    assert stranger.events == []
    assert stage.distributor.conference("room") is not None
    await stranger.close()


async def test_no_certificate_gets_no_connection(stage: Stage, certificates: DemoCertificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(certificates.control_server_certificate)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        nobody = CallProcessing(
            *await asyncio.open_connection("127.0.0.1", stage.distributor.control_port, ssl=context)
        )
        await asyncio.wait({nobody.task}, timeout=60)
        assert nobody.task.done()
        await nobody.close()
    await started(stage)


async def test_conferences_end_with_their_control_connection(stage: Stage) -> None:
    await stage.start()
    await stage.call.close()
    await until(lambda: stage.distributor.conference("room") is None)
    assert stage.key_distributor is not None
    await stage.key_distributor.closed.wait()


async def test_a_newer_control_connection_takes_over(stage: Stage) -> None:
    await stage.start()
    newer = await stage.connect()
    await until(stage.call.task.done)
    assert stage.distributor.conference("room") is None
    fingerprint = str(stage.identity.fingerprint)
    await newer.request("start-conference", conference="room", fingerprint=fingerprint)
    await settled()
    assert stage.distributor.conference("room") is not None
    await newer.close()


async def test_the_port_finds_out_that_call_processing_is_gone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it connects again, and though it said nothing: conferences end with their connection."""
    kept: list[asyncio.StreamWriter] = []
    monkeypatch.setattr(module, "keep_alive", lambda writer: (keep_alive(writer), kept.append(writer)))
    newer = await stage.connect()
    await until(lambda: kept)
    assert kept[0].get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    await newer.close()
