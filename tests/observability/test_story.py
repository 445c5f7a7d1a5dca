"""What the logs of a whole story show: joins, refusals and failures, at level debug, at all three servers."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from perc_server.certificates import DemoCertificates, demo_certificates
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.seams import Tamper
from perc_server.media_distributor.server import running
from perc_server.observability.logs import LogOptions
from tests.call_processing.test_signalling import ORIGIN, OURS, application
from tests.identity_provider.site import Provider
from tests.media_distributor.certificates import Identity
from tests.media_distributor.endpoint_stand_in import Endpoint, audio_packet, microphone
from tests.media_distributor.key_distributor_stand_in import KeyDistributor
from tests.media_distributor.waiting import until
from tests.observability.observing import captured

ROOM = "quiet-salon"
PEOPLE = ("alice", "carol")
PASSWORD = "correct horse battery"
SDP = ("v=0", "m=audio", "a=", "candidate", "IN IP4")
ADDRESS = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b(?!\d*Z)|\[?::1|testclient|localhost|\.example")


@dataclass
class Story:
    """What the parties knew that no log line may show."""

    names: set[str] = field(default_factory=lambda: {ROOM, *PEOPLE})
    secrets: set[str] = field(default_factory=lambda: {PASSWORD, "alice-demo", "wrong-demo"})


class Failing(Tamper):
    """A fault of the Media Distributor, whose exception names a person."""

    def accepts_taken_source(self, ssrc: int) -> bool:
        raise RuntimeError(f"{ROOM} of alice at 192.0.2.1 has {ssrc}")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    return demo_certificates(tmp_path_factory.mktemp("certificates"), "md.example")


async def in_a_conference(certificates: DemoCertificates, directory: Path, story: Story) -> None:
    """Two join through call processing; then come refusals and a fault."""
    config = MediaDistributorConfig(
        tunnel_name="md.example",
        tunnel_certificate=certificates.media_distributor,
        control_certificate=certificates.control_server,
        control_peer_certificate=certificates.control_client_certificate,
    )
    async with running(config, tamper=Failing()) as distributor:
        app = application(certificates, distributor.control_port, directory)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            await until(lambda: distributor.counts.control_connected)
            await _conference(client, app, distributor.tunnel_port, story)


async def _conference(client: httpx2.AsyncClient, app: Starlette, tunnel_port: int, story: Story) -> None:
    identity = Identity.make("Key Distributor")

    async def post(path: str, **members: object) -> httpx2.Response:
        return await client.post(path, content=json.dumps({"version": 1, **members}), headers=OURS)

    async def offer(endpoint: Endpoint) -> httpx2.Response:
        return await post(f"/perc/offer?{ROOM}", type="offer", sdp=endpoint.offer(), role="participant")

    started = await post("/start-conf", room=ROOM, fingerprint=str(identity.fingerprint))
    story.secrets.add(started.json()["claim"])
    assert (await offer(Endpoint("early", []))).status_code == 404
    key_distributor = await KeyDistributor.dial(tunnel_port, identity)
    await until(lambda: key_distributor.is_up)
    stranger = await KeyDistributor.dial(tunnel_port, Identity.make("stranger"))
    await until(stranger.closed.is_set)
    alice = Endpoint("alice", [microphone(1001)])
    await _join(alice, await _answered(lambda: offer(alice)), story)
    alice.send_rtp(audio_packet(1001, 1))
    taken = await offer(Endpoint("bob", [microphone(1001)]))
    assert taken.status_code == 400, "a fault of the Media Distributor"
    for path, members in (
        (f"/perc/offer?{ROOM}", {"type": "offer", "sdp": "v=0\r\na=candidate:192.0.2.1", "role": "owner"}),
        (f"/perc/end?{ROOM}", {"claim": "A" * 22}),
        ("/start-conf", {"room": ROOM, "fingerprint": str(identity.fingerprint)}),
        ("/start-conf", {"room": f"{ROOM}\n2026 ERROR forged", "fingerprint": str(identity.fingerprint)}),
    ):
        assert (await post(path, **members)).status_code >= 400
    assert (await client.get(f"/perc/{ROOM}%0A2026%20ERROR%20forged")).status_code == 404
    assert (await client.get(f"/perc/events?{ROOM}", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    app.add_route(f"/{ROOM}-fault", _fault)
    assert (await client.get(f"/{ROOM}-fault")).status_code == 500
    await _refused_bridge(app)
    assert (await post(f"/perc/end?{ROOM}", claim=started.json()["claim"])).status_code == 204
    await until(key_distributor.closed.is_set)
    alice.transport.close()


async def _answered(send: Callable[[], Awaitable[httpx2.Response]]) -> dict[str, str]:
    answers: list[httpx2.Response] = []

    while not answers or answers[-1].status_code == 404:  # until call processing knows of the tunnel
        answers.append(await send())
    assert answers[-1].status_code == 200, answers[-1].text
    return dict(answers[-1].json())


async def _join(endpoint: Endpoint, answer: dict[str, str], story: Story) -> None:
    endpoint.take_answer(answer["sdp"])
    story.names |= {answer["endpoint"], endpoint.ufrag, str(endpoint.identity.fingerprint)}
    story.secrets.add(endpoint.password)
    await endpoint.begin()
    await until(lambda: endpoint.is_keyed)


async def _fault(_request: Request) -> None:
    raise RuntimeError(f"{ROOM} of alice at 192.0.2.1\n2026 ERROR forged")


async def _refused_bridge(app: Starlette) -> None:
    sent: list[dict[str, object]] = []
    scope = {
        "type": "websocket",
        "path": "/perc/tunnel",
        "query_string": b"md=md.example:22",
        "headers": [(b"host", b"perc.example:8000"), (b"origin", b"https://other.example")],
        "client": ("192.0.2.1", 1),
    }

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["type"] == "websocket.close"


def at_an_identity_provider(directory: Path, story: Story) -> None:
    """Sign-ins, registrations, signatures; then refusals and a fault."""
    provider = Provider(directory)
    story.secrets.add(provider.code())
    provider.with_session().sign()
    provider.sign({"contents": "alice", "origin": "https://other.example"})
    provider.client = provider.browser()
    provider.sign_in("alice", "wrong-demo")
    provider.register("carol", PASSWORD)
    provider.add_passkey(provider.authenticator())
    provider.client = provider.browser()
    provider.register("carol", PASSWORD)
    provider.client.get("/login")
    provider.send_passkey("alice")
    provider.client.get("/alice%0A2026%20ERROR%20forged?origin=alice")
    provider.client.get("/login", headers={"Host": "alice.example"})
    provider.app.add_route("/fault", _fault)
    TestClient(provider.app, base_url=provider.config.origin, raise_server_exceptions=False).get("/fault")


async def told(options: LogOptions, certificates: DemoCertificates, directory: Path) -> tuple[str, Story]:
    story = Story()
    for name in ("assets", "provider"):
        directory.joinpath(name).mkdir()
    with captured(options) as stream:
        await in_a_conference(certificates, directory / "assets", story)
        at_an_identity_provider(directory / "provider", story)
    return stream.getvalue(), story


@pytest.mark.parametrize("form", ["text", "json"])
async def test_no_line_identifies_anybody(form: str, certificates: DemoCertificates, tmp_path: Path) -> None:
    text, story = await told(LogOptions("debug", form), certificates, tmp_path)
    assert [word for word in story.names | story.secrets | set(SDP) if word in text] == []
    assert ADDRESS.findall(text) == []
    assert "forged" not in text
    codes = set(re.findall(r'"code": "([a-z-]+)"' if form == "json" else r" ([a-z]+(?:-[a-z]+)*): ", text))
    assert codes >= {
        *("control-connected", "conference-started", "tunnel-opened", "endpoint-admitted", "endpoint-left"),
        *("conference-ended", "control-request-failed", "control-request-refused", "request-refused", "request-failed"),
        *("request-answered", "tunnel-closed", "bridge-refused"),
        *("sign-in", "sign-in-refused", "registered", "registration-refused", "passkey-refused"),
    }


async def test_json_lines_are_objects_and_each_connection_has_an_id(
    certificates: DemoCertificates, tmp_path: Path
) -> None:
    text, _ = await told(LogOptions("debug", "json"), certificates, tmp_path)
    lines = [json.loads(line) for line in text.splitlines()]
    kinds = {re.sub(r"-\d+", "", line.get("connection", "")) for line in lines}
    assert kinds >= {"control", "conference", "conference/endpoint", "tunnel", "request"}
    assert all(line["time"] and line["level"] and line["logger"] and line["code"] for line in lines)


async def test_with_identities_lines_show_names_but_no_secrets_and_no_sdp(
    certificates: DemoCertificates, tmp_path: Path
) -> None:
    text, story = await told(LogOptions("debug", "text", identities=True), certificates, tmp_path)
    assert ROOM in text
    assert all(name in text for name in PEOPLE)
    assert ADDRESS.search(text)
    assert [secret for secret in story.secrets if secret in text] == []
    assert all(re.match(r"\d{4}-\d\d-\d\dT|    ", line) for line in text.splitlines())
    assert not re.search("^2026 ERROR", text, re.MULTILINE)
