"""Section 10: RTCError, which Chromium has. Section 11: isolated media, which no script can make; it says so."""

from __future__ import annotations

import pytest

from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium

DETAILS = ["bad-script", "execution", "load", "tls"]


@pytest.mark.parametrize(
    "detail",
    [
        *(f"idp-{name}-failure" for name in DETAILS),
        "idp-need-login",
        "idp-timeout",
        "idp-token-expired",
        "idp-token-invalid",
    ],
)
async def test_10_the_details_are_known(detail: str, act: Act) -> None:
    body = """
      const error = new RTCError({ errorDetail: "DETAIL", httpRequestStatusCode: 404 }, "message");
      return [error.name, error.errorDetail, error.httpRequestStatusCode];
    """
    assert await act(body.replace("DETAIL", detail)) == ["OperationError", detail, 404]


TRACK = "const track = new RTCPeerConnection().addTransceiver('audio').receiver.track;"


async def test_11_1_2_no_track_is_isolated(act: Act) -> None:
    body = f"""
      {TRACK}
      const {{ isolated, onisolationchange }} = track;
      track.onisolationchange = () => {{}};
      const handler = typeof track.onisolationchange;
      track.onisolationchange = 5;
      return [isolated, onisolationchange, handler, track.onisolationchange];
    """
    assert await act(body) == [False, None, "function", None]


async def test_11_1_2_isolation_change_is_an_event_handler(act: Act) -> None:
    body = f"""
      {TRACK}
      const heard = [];
      track.onisolationchange = (event) => heard.push(event.type);
      track.dispatchEvent(new Event("isolationchange"));
      track.onisolationchange = null;
      track.dispatchEvent(new Event("isolationchange"));
      return heard;
    """
    assert await act(body) == ["isolationchange"]


async def test_11_1_2_illegal_invocations(act: Act) -> None:
    body = """
      const { prototype } = MediaStreamTrack;
      const { set } = Object.getOwnPropertyDescriptor(prototype, "onisolationchange");
      return [thrown(() => prototype.isolated), thrown(() => prototype.onisolationchange),
        thrown(() => set.call(new EventTarget(), null))];
    """
    assert await act(body) == ["TypeError"] * 3
