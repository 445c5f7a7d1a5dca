"""The signalling interface over HTTP: what is no request of our own page is refused, and costs nobody else anything.

The whole application, with a real control connection. At its other end is the Media Distributor's control port, behind
which every conference has a Key Distributor at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketDenialResponse

from perc_server.call_processing import app as module
from perc_server.call_processing.config import CallProcessingConfig, ControlConfig
from perc_server.call_processing.control import ControlClient
from perc_server.call_processing.schemas import MAXIMUM_BODY, MAXIMUM_SDP
from perc_server.certificates import DemoCertificates, demo_certificates
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.control import ControlPort
from perc_server.media_distributor.events import Notify, TunnelChanged
from perc_server.media_distributor.requests import MakeOffer, Request, StartConference

LINKS = Path(__file__).parents[2] / "browser" / "app" / "links.js"
ORIGIN = "http://perc.example:8000"
OURS = {"Origin": ORIGIN, "Content-Type": "application/json"}
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
NOBODY = "A" * 22

START, OFFER, LEAVE, END = "/start-conf", "/perc/offer?salon", "/perc/leave?salon", "/perc/end?attic"
GOOD: dict[str, dict[str, Any]] = {
    START: {"version": 1, "room": "kitchen", "fingerprint": FINGERPRINT},
    OFFER: {"version": 1, "type": "offer", "sdp": "v=0", "role": "participant"},
    LEAVE: {"version": 1, "endpoint": NOBODY},
    END: {"version": 1, "claim": NOBODY},
}


class MediaDistributor:
    """Does what it is asked; `asked` is what came over the control connection."""

    def __init__(self, certificates: DemoCertificates) -> None:
        self.asked: list[Request] = []
        self.notify: Notify = lambda event: None
        config = MediaDistributorConfig(
            "md.example",
            certificates.media_distributor,
            certificates.control_server,
            certificates.control_client_certificate,
        )
        self.control = ControlPort(config, self.handle, lambda: None)

    async def handle(self, request: Request, notify: Notify) -> dict[str, Any]:
        self.asked.append(request)
        self.notify = notify
        match request:
            case StartConference():
                notify(TunnelChanged(request.params.conference, "up"))
                return {"host": "md.example", "port": 8443}
            case MakeOffer():
                return {"sdp": "v=0"}
            case _:
                return {}


class Site:
    """Call processing with a conference in the salon, where one endpoint is already."""

    def __init__(self, app: Starlette, media_distributor: MediaDistributor) -> None:
        self.app = app
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN)
        self.media_distributor = media_distributor
        self.asked = media_distributor.asked
        self.endpoint = ""

    async def open(self) -> None:
        salon = GOOD[START] | {"room": "salon"}
        assert (await self.post(START, salon)).status_code == 200
        self.endpoint = (await self.post(OFFER)).json()["endpoint"]

    async def tunnel(self, state: str) -> None:
        """The salon's tunnel goes up or down; an answer that comes after the news says that it has arrived."""
        self.media_distributor.notify(TunnelChanged("salon", state))
        await self.post(START, GOOD[START] | {"room": f"when-{state}"})

    async def post(
        self, path: str, document: Any = None, content: bytes | AsyncIterator[bytes] = b"", **headers: str | None
    ) -> httpx2.Response:
        """As the page does, but for what is named; a header that is None is left out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (OURS | named).items() if value is not None}
        content = content or json.dumps(GOOD[path] if document is None else document).encode()
        return await self.client.post(path, content=content, headers=sent)

    async def still_serves(self) -> None:
        """The conference is live, its endpoint in it, and there is room for another one."""
        renegotiated = await self.post(OFFER, GOOD[OFFER] | {"endpoint": self.endpoint})
        assert (renegotiated.status_code, renegotiated.json()["endpoint"]) == (200, self.endpoint)
        assert (await self.post(OFFER)).status_code == 200
        assert (await self.post(START)).status_code == 200
        assert (await self.post(LEAVE)).status_code == 204
        assert (await self.post(END)).status_code == 204


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    return demo_certificates(tmp_path_factory.mktemp("certificates"), "md.example")


def application(certificates: DemoCertificates, control_port: int, assets: Path) -> Starlette:
    (assets / "v1").mkdir()
    (assets / "v1" / "index.html").write_text("the page")
    (assets / "manifest.json").write_text('{"assets": "v1"}')
    control = ControlConfig(
        "127.0.0.1", control_port, certificates.control_client, certificates.control_server_certificate
    )
    return module.create_app(CallProcessingConfig("127.0.0.1", 0, ORIGIN, control, "127.0.0.1", (), assets))


@pytest.fixture
async def site(certificates: DemoCertificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    clients: list[ControlClient] = []

    def noted(*parameters: Any) -> ControlClient:
        clients.append(ControlClient(*parameters))
        return clients[0]

    monkeypatch.setattr(module, "ControlClient", noted)
    media_distributor = MediaDistributor(certificates)
    app = application(certificates, await media_distributor.control.open(), tmp_path)
    site = Site(app, media_distributor)
    async with app.router.lifespan_context(app), site.client:
        await clients[0].wait_connected()
        await site.open()
        yield site
    await media_distributor.control.close()


def problem(response: httpx2.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return response.status_code, response.json()["type"].rpartition("/")[2]


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "perc.example", "perc.example:8001", "127.0.0.1:8000", ""]
)
async def test_another_host_is_refused(site: Site, path: str, host: str) -> None:
    asked = len(site.asked)
    assert problem(await site.post(path, Host=host)) == (421, "wrong-host")
    assert len(site.asked) == asked
    await site.still_serves()


def test_the_page_knows_which_names_are_no_rooms(certificates: DemoCertificates, tmp_path: Path) -> None:
    routes = application(certificates, 1, tmp_path).routes
    paths = [route.path for route in routes if isinstance(route, Route) and route.path.startswith("/perc/")]
    [listed] = re.findall(r"NO_ROOMS = (\[.*\])", LINKS.read_text())
    assert sorted(json.loads(listed)) == sorted(path.removeprefix("/perc/") for path in paths if "{" not in path)


async def test_a_host_is_ours_in_any_case(site: Site) -> None:
    assert (await site.post(OFFER, Host="PERC.example:8000")).status_code == 200


def test_a_web_socket_for_another_host_is_refused(certificates: DemoCertificates, tmp_path: Path) -> None:
    client = TestClient(application(certificates, 0, tmp_path), base_url="http://evil.example:8000")
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/perc/tunnel?md=md.example:8443"):
        pass
    assert problem(refused.value) == (421, "wrong-host")


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://perc.example", "https://perc.example:8000", "null", None]
)
async def test_a_page_of_another_origin_is_refused(site: Site, path: str, origin: str | None) -> None:
    asked = len(site.asked)
    assert problem(await site.post(path, Origin=origin)) == (403, "foreign-origin")
    assert len(site.asked) == asked
    await site.still_serves()


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
async def test_what_a_form_could_send_is_refused(site: Site, path: str, content_type: str | None) -> None:
    asked = len(site.asked)
    assert problem(await site.post(path, Content_Type=content_type)) == (415, "not-json")
    assert len(site.asked) == asked
    await site.still_serves()


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("length_is_known", [True, False])
async def test_a_body_that_is_too_long_is_refused(site: Site, path: str, length_is_known: bool) -> None:
    body = json.dumps(GOOD[path]).encode().ljust(MAXIMUM_BODY + 1)
    asked = len(site.asked)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1 << 14):
            yield body[start : start + (1 << 14)]

    response = await site.post(path, content=body if length_is_known else chunks())
    assert problem(response) == (413, "too-large")
    assert len(site.asked) == asked
    await site.still_serves()


async def test_the_longest_body_is_read(site: Site) -> None:
    body = json.dumps(GOOD[OFFER]).encode().ljust(MAXIMUM_BODY)
    assert (await site.post(OFFER, content=body)).status_code == 200


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "body",
    [b"{", b"null", b"[]", b"\xff\xfe", b'{"version": 1', b"[" * 100_000, b'{"version": 1, "endpoint": "\\ud800"}'],
    ids=lambda body: body[:40].decode("ascii", "backslashreplace"),
)
async def test_a_body_that_is_no_json_object_is_refused(site: Site, path: str, body: bytes) -> None:
    asked = len(site.asked)
    assert problem(await site.post(path, content=body)) == (400, "invalid")
    assert len(site.asked) == asked
    await site.still_serves()


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("change", [{"more": 1}, {"version": 2}, {"version": "1"}, {"version": None}], ids=str)
async def test_another_version_or_an_unknown_field_is_refused(site: Site, path: str, change: dict[str, Any]) -> None:
    asked = len(site.asked)
    assert problem(await site.post(path, GOOD[path] | change)) == (400, "invalid")
    assert len(site.asked) == asked
    await site.still_serves()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (START, {"fingerprint": FINGERPRINT.lower()}),
        (START, {"fingerprint": FINGERPRINT[:-3]}),
        (START, {"fingerprint": FINGERPRINT + "\n"}),
        (START, {"fingerprint": "sha-1 " + ":".join(["AB"] * 20)}),
        (START, {"room": ""}),
        (START, {"room": "a" * 65}),
        (START, {"room": "salon bleu"}),
        (START, {"room": "sälon"}),
        (START, {"room": "salon\n"}),
        (OFFER, {"type": "answer"}),
        (OFFER, {"role": "host"}),
        (OFFER, {"sdp": "v" * (MAXIMUM_SDP + 1)}),
        (OFFER, {"sdp": None}),
        (OFFER, {"endpoint": "short"}),
        (LEAVE, {"endpoint": "short"}),
        (END, {"claim": "short"}),
    ],
)
async def test_a_value_that_is_none_is_refused(site: Site, path: str, change: dict[str, Any]) -> None:
    asked = len(site.asked)
    assert problem(await site.post(path, GOOD[path] | change)) == (400, "invalid")
    assert len(site.asked) == asked
    await site.still_serves()


@pytest.mark.parametrize("room", ["", "a" * 65, "salon%20bleu", "s%C3%A4lon", "salon&more", "room=salon"])
async def test_a_query_that_names_no_room_is_refused(site: Site, room: str) -> None:
    for path in (OFFER, LEAVE, END):
        response = await site.post(f"{path.partition('?')[0]}?{room}", GOOD[path])
        assert problem(response) == (400, "invalid-room")
    assert problem(await site.client.get(f"/perc/events?{room}")) == (400, "invalid-room")
    await site.still_serves()


async def test_nobody_renegotiates_as_an_endpoint_that_there_is_not(site: Site) -> None:
    asked = len(site.asked)
    response = await site.post(OFFER, GOOD[OFFER] | {"endpoint": NOBODY})
    assert problem(response) == (404, "no-such-endpoint")
    assert len(site.asked) == asked
    await site.still_serves()


async def test_an_endpoint_that_has_left_does_not_renegotiate(site: Site) -> None:
    left = (await site.post(OFFER)).json()["endpoint"]
    assert (await site.post(LEAVE, GOOD[LEAVE] | {"endpoint": left})).status_code == 204
    assert problem(await site.post(OFFER, GOOD[OFFER] | {"endpoint": left})) == (404, "no-such-endpoint")
    await site.still_serves()


async def test_an_offer_to_a_room_without_a_conference_is_refused(site: Site) -> None:
    asked = len(site.asked)
    assert problem(await site.post("/perc/offer?attic", GOOD[OFFER])) == (404, "not-live")
    assert len(site.asked) == asked
    await site.still_serves()


async def test_an_offer_to_a_room_whose_host_is_away_is_refused(site: Site) -> None:
    await site.tunnel("down")
    asked = len(site.asked)
    assert problem(await site.post(OFFER)) == (404, "not-live")
    assert len(site.asked) == asked
    await site.tunnel("up")
    await site.still_serves()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", START), *((method, path) for path in GOOD for method in ("PUT", "DELETE", "OPTIONS"))]
)
async def test_another_method_is_refused(site: Site, method: str, path: str) -> None:
    asked = len(site.asked)
    response = await site.client.request(method, path, headers=OURS, content=json.dumps(GOOD[path]).encode())
    assert problem(response) == (405, "method-not-allowed")
    # "The origin server MUST generate an Allow header field in a 405 response" (RFC 9110, Section 15.5.6)
    assert response.headers["allow"] == "POST"
    # A preflight ends here: no other origin is allowed anything.
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert len(site.asked) == asked
    await site.still_serves()


async def test_a_link_does_not_make_an_offer(site: Site) -> None:
    """A room may be called `offer`, and a GET is for its page."""
    asked = len(site.asked)
    for path in (OFFER, LEAVE, END):
        assert (await site.client.get(path)).text == "the page"
    assert len(site.asked) == asked


async def test_a_path_that_there_is_not(site: Site) -> None:
    assert problem(await site.client.get("/nowhere")) == (404, "not-found")
    assert problem(await site.client.get("/perc/salon.html")) == (404, "not-found")


async def test_an_offer_in_any_script_fits_the_control_connection(site: Site) -> None:
    """Escaped it would be three times as long, and longer than the lines that the Media Distributor reads."""
    body = json.dumps(GOOD[OFFER] | {"sdp": "é" * 60_000}, ensure_ascii=False).encode()
    assert (await site.post(OFFER, content=body)).status_code == 200
