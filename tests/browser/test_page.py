"""The conference page in each of its states, before a server that does what the test says.

With PERC_SCREENSHOTS, a directory, every state leaves a picture there.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import PageErrors, empty_storage
from tests.browser.media_pages.call_processing import CLAIM, POLL, CallProcessing, Script
from tests.browser.site import TESTS

pytestmark = pytest.mark.chromium

LIMIT = 10_000
KEY_DISTRIBUTOR = TESTS / "browser" / "media_pages" / "key_distributor_without_tunnel.js"
FRAME = (TESTS / "browser" / "media_pages" / "idp_frame.js").read_text()
SCREENSHOTS = os.environ.get("PERC_SCREENSHOTS")
REMEMBER_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct: (...parameters) => {
        const connection = Reflect.construct(...parameters);
        connections.push(connection);
        return connection;
    },
});
"""

ASK_BEFORE_DEVICES_OPEN = """
window.asked = [];
window.opened = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints) => {
    await new Promise((resolve) => asked.push(resolve));
    const stream = await open(constraints);
    opened.push(...stream.getTracks());
    return stream;
};
"""


class Visit:
    """A user at the page."""

    def __init__(self, page: Page, server: CallProcessing) -> None:
        self.page, self.server, self.script = page, server, server.script

    async def open(self, fragment: str = "", *, signed_in: bool = True) -> None:
        await self.page.goto(f"{self.server.origin}/perc/room{fragment}")
        await expect(self.page.locator("body")).to_have_attribute("data-state", "lobby", timeout=LIMIT)
        await self.page.get_by_label("idp-b").check()
        if signed_in:
            await expect(self.page.get_by_text("You are bob@idp-b.localhost.")).to_be_visible()

    async def shows_oneself(self) -> None:
        await expect(self.page.get_by_label("Camera", exact=True)).to_be_checked()

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def reads(self, *texts: str) -> None:
        for text in texts:
            await expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible(timeout=LIMIT)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT / 1000):
            while not condition():
                await asyncio.sleep(POLL)

    async def is_in(self, state: str) -> None:
        await expect(self.page.locator("body")).to_have_attribute("data-state", state, timeout=LIMIT)
        await self.picture(state)

    async def picture(self, name: str) -> None:
        if SCREENSHOTS:
            await self.page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


@pytest.fixture(scope="module")
def server(assets: None) -> Iterator[CallProcessing]:
    with CallProcessing() as server:
        yield server


@pytest.fixture
async def visit(context: BrowserContext, server: CallProcessing, page_errors: PageErrors) -> Visit:
    server.script = Script()
    await context.grant_permissions(["camera", "microphone"])

    async def provide(route: Route) -> None:
        signed_out = "idp-a" in route.request.url
        if "/script" in route.request.url:
            await route.fulfill(content_type="text/javascript", body=FRAME)
        else:
            source = "/script" if signed_out else "/script?identity=bob@idp-b.localhost"
            await route.fulfill(content_type="text/html", body=f'<!doctype html><script src="{source}"></script>')

    await context.route("http://idp-*.localhost:*/**", provide)
    await context.route("**/key-distributor/worker.js*", lambda route: route.fulfill(path=KEY_DISTRIBUTOR))
    page = await context.new_page()
    await page.add_init_script(REMEMBER_CONNECTIONS)
    await empty_storage(page, server.origin)
    return Visit(page_errors.watch(page), server)


OWNER = "#owner=alice@idp-a.localhost"
TRACKS = "connections.flatMap((pc) => pc.getSenders()).filter(({ track }) => track !== null).length"


async def test_the_landing_page_creates_a_room(visit: Visit) -> None:
    page = visit.page
    await page.goto(visit.server.origin)
    await visit.reads("you say who comes in", "could read the keys")
    await visit.picture("landing")
    name = page.get_by_label("Name of the room")
    await name.fill("no spaces, please")
    await visit.press("Create")
    await visit.reads("Use 1 to 64 letters")
    await visit.picture("landing-invalid")
    await name.fill("tea-room")
    await visit.press("Create")
    await page.wait_for_url("**/perc/tea-room#host")
    await visit.reads("Open your room")


async def test_the_landing_page_follows_only_links_of_its_own(visit: Visit) -> None:
    page = visit.page
    await page.goto(visit.server.origin)
    for link in ("https://elsewhere.example/perc/room", "javascript:alert(1)", "/perc/a/b", ""):
        await page.get_by_label("Link", exact=True).fill(link)
        await visit.press("Join")
        await visit.reads("This is no link to a room here.")
    await page.get_by_label("Link", exact=True).fill(f"{visit.server.origin}/perc/room{OWNER}")
    await visit.press("Join")
    await page.wait_for_url(f"**/perc/room{OWNER}")
    await visit.reads("names alice@idp-a.localhost as its host. That is not verified yet")


async def test_a_user_who_is_not_signed_in_is_asked_to(visit: Visit) -> None:
    await visit.open(OWNER, signed_in=False)
    await visit.page.get_by_label("idp-a").check()
    await visit.reads("You are not signed in at idp-a", "Sign in at idp-a.localhost:7001")
    await expect(visit.page.locator("[data-part=enter]")).to_be_disabled()
    await visit.picture("lobby-signed-out")


async def test_a_room_whose_host_is_away_waits_and_then_joins(visit: Visit) -> None:
    await visit.open(OWNER)
    await visit.press("Wait for the host")
    await visit.reads("alice@idp-a.localhost is not here yet.")
    await visit.is_in("waiting")
    visit.script.state = "live"
    await visit.is_in("connecting")
    [offer] = visit.script.offers
    assert (offer["role"], offer["type"], offer["version"]) == ("participant", "offer", 1)
    assert "a=identity:" in offer["sdp"]


async def test_waiting_can_be_given_up(visit: Visit) -> None:
    await visit.open(OWNER)
    await visit.press("Wait for the host")
    await visit.press("Stop waiting")
    await visit.is_in("lobby")


REFUSALS = {
    (403, "refused"): "You were not admitted",
    (400, "invalid-offer"): "Your browser’s offer was not accepted",
    (409, "source-taken"): "Other participants already use your streams’ numbers",
    (413, "too-large"): "The conference is too large",
    (429, "too-many"): "Too many try this at once from your network",
    (503, "full"): "The conference is full",
    (504, "timeout"): "The host did not answer in time",
    (500, "unheard-of"): "Your offer was not answered",
}


async def test_a_refused_offer_says_why(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open(OWNER)
    for (status, kind), title in REFUSALS.items():
        visit.script.problem = (status, kind, "in other words")
        await visit.press("Join")
        await visit.is_in("failed")
        await visit.reads(title)
        await visit.press("Back to the lobby")
        await visit.is_in("lobby")


async def test_sources_that_are_taken_are_offered_anew_but_not_for_ever(visit: Visit) -> None:
    visit.script.state, visit.script.problem = "live", (409, "source-taken", "SSRC 1 is taken")
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.is_in("failed")
    sources = [set(re.findall(r"a=ssrc:(\d+)", offer["sdp"])) for offer in visit.script.offers]
    assert [len(each) for each in sources] == [3, 3, 3]  # microphone, camera, and its retransmissions
    assert len(set.union(*sources)) == 9


async def test_an_event_stream_that_is_refused_is_asked_for_again(visit: Visit) -> None:
    notice = visit.page.get_by_text("The server does not answer")
    visit.script.has_events = False
    await visit.open(OWNER)
    await visit.reads("The server does not answer. Whether the room is open may have changed.")
    await visit.picture("lobby-events-lost")
    visit.script.has_events = True
    await expect(notice).to_be_hidden(timeout=LIMIT)
    await visit.press("Wait for the host")
    # Once it stood, too: the browser by itself comes back once, and then never again.
    visit.script.has_events = False
    await visit.reads("The server does not answer. Whether the room is open may have changed.")
    visit.script.state, visit.script.has_events = "live", True
    await visit.is_in("connecting")


async def test_a_host_who_has_just_gone_away_is_waited_for(visit: Visit) -> None:
    visit.script.state, visit.script.problem = "live", (404, "not-live", "in other words")
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.is_in("waiting")
    visit.script.problem = None
    await visit.is_in("connecting")


async def test_another_host_than_the_links_is_refused(visit: Visit) -> None:
    visit.script.state, visit.script.host = "live", "mallory@idp-a.localhost"
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.is_in("failed")
    await visit.reads("This is not alice@idp-a.localhost", "nothing was sent")
    assert await visit.page.evaluate("connections.every((pc) => pc.connectionState === 'closed')")


async def test_an_answer_that_nobody_signed_is_refused(visit: Visit) -> None:
    visit.script.state, visit.script.host = "live", None
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.reads("This is not alice@idp-a.localhost")


async def test_a_link_without_owner_asks_before_anything_is_sent(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open()
    await visit.reads("This link does not say who hosts the room.")
    await visit.shows_oneself()
    await visit.press("Join")
    await visit.is_in("confirming-host")
    await visit.reads("Is this your host?", "alice@idp-a.localhost")
    assert await visit.page.evaluate(TRACKS) == 0
    await visit.press("Yes, join")
    await visit.is_in("connecting")
    await visit.page.wait_for_function(f"() => {TRACKS} === 2")


async def test_a_host_who_is_not_known_is_left(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open()
    await visit.press("Join")
    await visit.is_in("confirming-host")
    async with visit.page.expect_event("requestfinished", lambda request: "/perc/leave" in request.url):
        await visit.page.keyboard.press("Escape")
    await visit.is_in("left")
    assert [message["endpoint"] for message in visit.script.left] == [visit.script.endpoint]


async def test_a_host_who_is_not_known_is_left_after_they_came_back_too(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open()
    await visit.press("Join")
    await visit.is_in("confirming-host")
    visit.script.generation = "another"
    await visit.reads("The host is back; joining again …")
    await visit.is_in("confirming-host")
    await visit.press("No, leave")
    await visit.is_in("left")
    assert len(visit.script.offers) == 2
    assert await visit.page.evaluate(TRACKS) == 0


async def test_a_host_who_is_not_known_is_left_after_they_were_waited_for_too(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open()
    await visit.press("Join")
    await visit.is_in("confirming-host")
    visit.script.generation, visit.script.problem = "another", (404, "not-live", "in other words")
    await visit.is_in("waiting")
    visit.script.problem = None
    await visit.is_in("confirming-host")
    await visit.press("No, leave")
    await visit.is_in("left")
    assert await visit.page.evaluate(TRACKS) == 0


async def test_who_has_left_before_the_answer_leaves_when_it_comes(visit: Visit) -> None:
    visit.script.state, visit.script.is_slow = "live", True
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.until(lambda: len(visit.script.offers) == 1)
    await visit.press("Cancel")
    await visit.is_in("left")
    assert visit.script.left == []
    visit.script.is_slow = False
    await visit.until(lambda: [message["endpoint"] for message in visit.script.left] == [visit.script.endpoint])


async def test_a_conference_that_ends_says_so(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.is_in("connecting")
    visit.script.state = "ended"
    await visit.is_in("ended")
    await visit.reads("The conference is over")


async def test_a_room_that_is_open_already_cannot_be_opened(visit: Visit) -> None:
    visit.script.problem = (409, "conflict", "This room already has a conference.")
    await visit.open("#host")
    await visit.press("Open the room")
    await visit.is_in("failed")
    await visit.reads("This room is already open")


ROOM = "perc:hosting:room"
END = {"version": 1, "claim": CLAIM}


async def test_a_room_that_could_not_be_opened_is_ended_and_can_be_opened_again(visit: Visit) -> None:
    await visit.open("#host")
    for _ in range(2):
        await visit.press("Open the room")
        await visit.is_in("failed")
        await visit.reads("The Key Distributor could not connect")
        await visit.press("Back to the lobby")
        await visit.until(lambda: len(visit.script.ended) == len(visit.script.started))
    assert visit.script.ended == [END, END]
    assert [start["claim"] for start in visit.script.started] == [None, None]


async def test_a_room_that_was_given_up_before_the_server_opened_it_is_ended(visit: Visit) -> None:
    visit.script.is_slow = True
    await visit.open("#host")
    await visit.press("Open the room")
    await visit.until(lambda: len(visit.script.started) == 1)
    await visit.press("Cancel")
    await visit.is_in("left")
    await visit.press("Back to the lobby")
    await visit.press("Open the room")
    visit.script.is_slow = False
    await visit.is_in("failed")
    await visit.until(lambda: visit.script.ended == [END, END])
    assert [start["claim"] for start in visit.script.started] == [None, None]


async def test_a_reload_that_is_called_off_ends_the_conference_and_is_not_repeated(visit: Visit) -> None:
    page = visit.page
    await page.add_init_script(ASK_BEFORE_DEVICES_OPEN)
    await visit.open("#host")
    remembered = {
        "identity": "bob@idp-b.localhost",
        "provider": "idp-b.localhost:7002",
        "admit": ["bob@idp-b.localhost", "@idp-a.localhost"],
        "others": "refuse",
        "devices": {"audio": True, "video": True},
    }
    await page.evaluate("([name, value]) => { sessionStorage[name] = value; }", [ROOM, json.dumps(remembered)])
    await page.evaluate("([name, value]) => { localStorage[name] = value; }", [ROOM, CLAIM])
    await page.reload()
    await visit.reads("Opening your room again …")
    await page.wait_for_function("() => asked.length === 1")
    await visit.press("Cancel")
    await visit.is_in("left")
    await visit.until(lambda: visit.script.ended == [END])
    await page.evaluate("asked[0]()")
    await page.wait_for_function("() => opened.length === 1 && opened[0].readyState === 'ended'")
    assert await page.evaluate("asked.length") == 1
    assert visit.script.started == []
    await page.wait_for_function(f"() => !('{ROOM}' in localStorage)")
    # Who may come in is as it was, and the lobby shows it so.
    await visit.press("Back to the lobby")
    await expect(page.get_by_label("Guests who need not wait")).to_have_value("@idp-a.localhost")
    await expect(page.get_by_label("Turn away")).to_be_checked()
    await visit.reads("@idp-a.localhost comes in. Everyone else is turned away.")
    await page.reload()
    await visit.is_in("lobby")


async def test_a_room_is_hosted_by_one_page_of_a_browser(visit: Visit) -> None:
    page, other = visit.page, await visit.page.context.new_page()
    await other.goto(visit.server.origin)
    await other.evaluate(f"void navigator.locks.request('{ROOM}', () => new Promise(() => {{}}))")
    await visit.open("#host")
    await page.evaluate("([name, value]) => { localStorage[name] = value; }", [ROOM, CLAIM])
    await visit.press("Open the room")
    await visit.is_in("failed")
    await visit.reads("You host this room in another tab")
    assert (visit.script.started, visit.script.ended) == ([], [])


async def test_a_browser_without_encoded_transforms_does_not_join(visit: Visit) -> None:
    await visit.page.add_init_script("delete window.RTCRtpScriptTransform")
    await visit.page.goto(f"{visit.server.origin}/perc/room")
    await visit.reads("This browser cannot encrypt end to end")
    await visit.picture("unsupported")


async def test_without_camera_and_microphone_one_can_join(visit: Visit) -> None:
    await visit.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    visit.script.state = "live"
    await visit.open(OWNER)
    await visit.reads("This page may not use your camera. You can join without it.", "Your camera is off.")
    await visit.picture("lobby-no-devices")
    await visit.press("Join")
    await visit.is_in("connecting")
    [offer] = visit.script.offers
    assert offer["sdp"].count("a=sendonly") == 2


async def test_a_device_that_is_granted_after_leaving_stays_closed(visit: Visit) -> None:
    page = visit.page
    await page.add_init_script(ASK_BEFORE_DEVICES_OPEN)
    visit.script.state = "live"
    await visit.open(OWNER)
    await page.wait_for_function("() => asked.length === 1")
    await visit.press("Join")
    await visit.is_in("connecting")
    await visit.press("Cancel")
    await visit.is_in("left")
    await page.evaluate("asked[0]()")
    await page.wait_for_function("() => opened.length === 1 && opened[0].readyState === 'ended'")
    assert await page.evaluate("asked.length") == 1, "nobody is asked for the camera any more"


async def test_a_camera_that_is_granted_after_it_was_turned_off_stays_closed(visit: Visit) -> None:
    page = visit.page
    await page.add_init_script(ASK_BEFORE_DEVICES_OPEN)
    await visit.open(OWNER)
    await page.evaluate("asked[0]()")
    await page.wait_for_function("() => asked.length === 2")
    camera = page.get_by_label("Camera", exact=True)
    await camera.check()
    await camera.uncheck()
    await page.evaluate("asked.slice(1).forEach((grant) => grant())")
    await page.wait_for_function(
        "() => opened.length === 3 && opened.slice(1).every((track) => track.readyState === 'ended')"
    )
    await visit.reads("Your camera is off.")


async def test_the_camera_can_be_turned_off_before_joining(visit: Visit) -> None:
    await visit.open(OWNER)
    await visit.shows_oneself()
    await visit.page.get_by_label("Camera", exact=True).uncheck()
    await visit.reads("Your camera is off.")


async def test_steps_are_logged_in_their_order(visit: Visit) -> None:
    visit.script.state = "live"
    await visit.open(OWNER)
    await visit.press("Join")
    await visit.is_in("connecting")
    # The Media Distributor's own steps come by the event stream, and later than what they led to.
    for step in ("offer", "sign-answer", "sign-answer-ack", "answer", "dtls"):
        visit.script.events.append(("step", {"step": step, "role": "participant"}))
    await visit.press("Event log")
    await visit.reads("4.1.9 (1)")
    await visit.picture("event-log")
    steps = await visit.page.locator("[data-part=log-entries] [data-part=step]").all_text_contents()
    assert [step for step in steps if step.startswith("4.1.6")] == [f"4.1.6 ({n})" for n in range(1, 12)]
    assert [step for step in steps if step.startswith("4.1.8")] == [f"4.1.8 ({n})" for n in range(1, 5)]
    assert [step for step in steps if step.startswith("4.1.7")] == [f"4.1.7 ({n})" for n in (1, 2, 9, 10)]


async def test_everything_can_be_done_with_the_keyboard(visit: Visit) -> None:
    page = visit.page
    visit.script.state = "live"
    await page.goto(f"{visit.server.origin}/perc/room{OWNER}")
    await expect(page.locator("body")).to_have_attribute("data-state", "lobby")
    await page.get_by_label("idp-a").focus()
    await page.keyboard.press("ArrowDown")
    await visit.reads("You are bob@idp-b.localhost.")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Join")).to_be_focused()
    await page.keyboard.press("Enter")
    await visit.is_in("connecting")


WARNING = "this page keeps the secrets of its tunnel and of every participant’s handshake"
DEBUGGING = "[role=group][aria-label=Debugging]"


async def debug(visit: Visit, words: str) -> None:
    """Set the flag as a developer does: in the tab, before the room is opened."""
    await visit.page.goto(visit.server.origin)
    await visit.page.evaluate("(words) => sessionStorage.setItem('perc:debug', words)", words)


async def saved(visit: Visit, button: str) -> tuple[str, str]:
    """Return name and content of the file that a button saves."""
    async with visit.page.expect_download() as download:
        await visit.press(button)
    file = await download.value
    return file.suggested_filename, await asyncio.to_thread(Path(await file.path()).read_text)


async def test_a_key_log_is_warned_about_and_can_be_saved(visit: Visit) -> None:
    said: list[str] = []
    visit.page.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
    await debug(visit, "trace key-log")
    await visit.open("#host")
    await visit.reads(WARNING)
    assert [WARNING in text for text in said] == [True]
    await visit.press("Event log")
    await visit.picture("debugging")
    assert await saved(visit, "Save trace") == ("perc-trace.jsonl", "a line of the trace\n")
    assert await saved(visit, "Save key log") == ("perc-keys.log", "a line of the key-log\n")
    await visit.press("Open the room")
    await visit.is_in("failed")
    await visit.reads(WARNING)
    await visit.picture("debugging-failed")


async def test_a_trace_alone_is_not_warned_about(visit: Visit) -> None:
    await debug(visit, "trace")
    await visit.open("#host")
    await visit.press("Event log")
    await expect(visit.page.locator(DEBUGGING).get_by_role("button")).to_have_text(["Save trace"])
    await expect(visit.page.get_by_text(WARNING)).to_have_count(0)


@pytest.mark.parametrize("fragment", ["#host", "#host&perc:debug=key-log", "?perc:debug=key-log#host"])
async def test_no_link_turns_debugging_on(visit: Visit, fragment: str) -> None:
    workers: list[str] = []
    visit.page.on("worker", lambda worker: workers.append(worker.url))
    await visit.page.goto(f"{visit.server.origin}/perc/room{fragment}")
    await expect(visit.page.locator("body")).to_have_attribute("data-state", "lobby", timeout=LIMIT)
    await visit.press("Event log")
    await expect(visit.page.locator("[data-part=log]")).to_be_visible()
    await expect(visit.page.get_by_text(WARNING)).to_have_count(0)
    await expect(visit.page.locator(DEBUGGING)).to_have_count(0)
    assert not [url for url in workers if "debug" in url]


async def test_a_page_without_a_key_distributor_has_nothing_to_debug(visit: Visit) -> None:
    await debug(visit, "trace key-log")
    await visit.open(OWNER)
    await expect(visit.page.get_by_text(WARNING)).to_have_count(0)
    await expect(visit.page.locator(DEBUGGING)).to_have_count(0)


async def test_an_unknown_word_of_the_flag_is_named_in_the_console(visit: Visit) -> None:
    said: list[str] = []
    visit.page.on("console", lambda message: said.append(message.text))
    await debug(visit, "keylog trace")
    await visit.open("#host")
    assert "perc:debug: unknown: keylog; known are trace key-log" in said


async def test_the_newest_lines_of_a_record_are_kept_and_the_number_dropped_is_said(visit: Visit) -> None:
    await visit.page.goto(visit.server.origin)
    text = await visit.page.evaluate(
        """async (assets) => {
          const { Lines } = await import(`${assets}/app/debugging.js`);
          const lines = new Lines(3);
          const note = (dropped) => `${dropped} dropped`;
          const texts = [lines.text(note)];
          for (const line of "abcde") lines.add(line);
          return [...texts, lines.text(note)];
        }""",
        visit.server.assets,
    )
    assert text == ["", "2 dropped\nc\nd\ne\n"]
