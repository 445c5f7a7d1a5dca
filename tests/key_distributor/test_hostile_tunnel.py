"""Whatever a Media Distributor sends, the Key Distributor answers, drops or ends the tunnel: it never raises."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from perc.tunnel.messages import EndpointDisconnect, Message, SignAnswer, SupportedProfiles, TunneledDtls, write_message
from tests.key_distributor.peers import BOB, answer_sdp, offer_sdp
from tests.key_distributor.site import Endpoint, Site

STRANGER = uuid4()
OFFER = offer_sdp(BOB)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("dtls"), st.binary(max_size=120)),
        st.tuples(st.just("record"), st.integers(20, 23), st.integers(0, 2), st.binary(max_size=80)),
        st.tuples(st.just("sctp"), st.binary(min_size=1, max_size=60)),
        st.tuples(st.just("message"), st.integers(0, 255), st.binary(max_size=40)),
        st.tuples(st.just("offer"), st.integers(0, len(OFFER)), st.binary(max_size=20)),
        st.tuples(st.just("answer"), st.integers(0, 120), st.binary(max_size=20)),
        st.tuples(st.just("disconnect"), st.booleans()),
        st.tuples(st.just("wait"), st.floats(0, 40)),
        st.tuples(st.just("raw"), st.binary(max_size=40)),
    ),
    max_size=8,
)


def spoil(octets: bytes, position: int, insertion: bytes) -> bytes:
    return octets[:position] + insertion + octets[position:]


def octets_of(step: tuple, site: Site, member: Endpoint) -> bytes:
    message: Message = SupportedProfiles(())
    match step:
        case ("dtls", datagram):
            message = TunneledDtls(STRANGER, datagram)
        case ("record", content_type, epoch, payload):
            header = bytes([content_type]) + b"\xfe\xfd" + bytes([0, epoch]) + bytes(5) + b"\x09"
            message = TunneledDtls(member.id, header + len(payload).to_bytes(2, "big") + payload)
        case ("offer", position, insertion):
            message = SignAnswer(spoil(OFFER, position, insertion), answer_sdp(site.kd.fingerprint))
        case ("answer", position, insertion):
            message = SignAnswer(OFFER, spoil(answer_sdp(site.kd.fingerprint), position, insertion))
        case ("disconnect", known):
            message = EndpointDisconnect(member.id if known else STRANGER)
        case ("raw", octets):
            return octets
    return write_message(message)


def perform(step: tuple, site: Site, member: Endpoint) -> None:
    match step:
        case ("wait", seconds):
            site.wait(seconds)
        case ("sctp", packet):
            member.dtls.send(packet)
        case ("message", kind, body):
            member.sctp.send(bytes([kind]) + len(body).to_bytes(3, "big") + body)
        case _:
            site.send_raw(octets_of(step, site, member))


@given(steps)
@settings(max_examples=60)
def test_nothing_that_comes_through_the_tunnel_raises(script: list[tuple]):
    site = Site()
    member = site.join()
    for step in script:
        with suppress(SSL.Error):  # OpenSSL sends nothing more on what the Key Distributor has closed
            perform(step, site, member)
        site.settle()
    site.wait(400)
    site.take(site.kd.close())
    assert site.kd.roster == ()
