"""Between hops with double profiles and browsers' hops, with perc's own double transform as the endpoint."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from pylibsrtp import Policy, Session

from perc.crypto.pyca import PycaProvider
from perc.srtp.double import DoubleReceiver, DoubleSender, synthetic_packet
from perc.srtp.ekt_field import FullEKTField, ShortEKTField
from perc.srtp.inner import protect_inner, unprotect_inner
from perc.srtp.key_derivation import SessionKeys, derive_rtp_keys
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.outer import OuterReceiver, OuterSender
from perc.srtp.packet import RtpPacket
from perc.srtp.profiles import SRTPProtectionProfile
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.counts import PacketDrop
from perc_server.media_distributor.forwarder import Forwarder
from perc_server.media_distributor.hop import HopKeys
from perc_server.media_distributor.packet_path import Leg
from perc_server.media_distributor.rtp import mid_extension
from tests.driving import run

PROVIDER = PycaProvider()
GCM = SRTPProtectionProfile.AEAD_AES_128_GCM
FIELD = FullEKTField(bytes(range(48)), 7, 1).write()
PACKET = RtpPacket(111, 4000, 960, 1001, b"voice", marker=True)
INNER = run(derive_rtp_keys(PROVIDER, bytes(range(16)), bytes(range(12))))


class Stage:
    """One sender, one receiver, each on a hop of either kind."""

    def __init__(self, kind: str, *, from_double: bool, to_double: bool) -> None:
        self.sent: list[bytes] = []
        self.forwarder = Forwarder(lambda _, datagram: self.sent.append(datagram), lambda _: None)
        self.sender = HopKeys(GCM, os.urandom(28), os.urandom(28), from_double)
        self.receiver = HopKeys(GCM, os.urandom(28), os.urandom(28), to_double)
        self.forwarder.add_hop("sender", self.sender)
        self.forwarder.add_hop("receiver", self.receiver)
        self.forwarder.add_source("sender", Source(1001, kind, "0", 111))
        self.forwarder.connect(1001, "receiver", Leg(63, mid_extension(4, "2")))

    def forward(self, datagram: bytes) -> bytes:
        self.forwarder.receive_rtp("sender", datagram, 0.0)
        assert not self.forwarder.dropped
        return self.sent.pop()


def session_keys(master: bytes) -> SessionKeys:
    return run(derive_rtp_keys(PROVIDER, master[:16], master[16:]))


def from_native(stage: Stage) -> bytes:
    sender = DoubleSender(PROVIDER, OuterSender(PROVIDER, session_keys(stage.sender.client_write)))
    return run(sender.protect(PACKET, INNER, 0)) + FIELD


def from_browser(stage: Stage, packet: RtpPacket) -> bytes:
    gcm = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    return Session(Policy(stage.sender.client_write, Policy.SSRC_ANY_OUTBOUND, srtp_profile=gcm)).protect(
        packet.write()
    )


def browser_payload() -> bytes:
    inner = run(protect_inner(PROVIDER, INNER, replace(PACKET, marker=False), 0))
    return inner + OriginalHeaderBlock(111, 4000, False).write() + FIELD


def at_native(stage: Stage, datagram: bytes) -> tuple[RtpPacket, RtpPacket]:
    receiver = DoubleReceiver(OuterReceiver(PROVIDER, session_keys(stage.receiver.server_write)))
    return run(receiver.unprotect_outer(datagram))


def at_browser(stage: Stage, datagram: bytes) -> RtpPacket:
    gcm = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    session = Session(Policy(stage.receiver.server_write, Policy.SSRC_ANY_INBOUND, srtp_profile=gcm))
    return RtpPacket.read(session.unprotect(datagram))


def opened(synthetic: RtpPacket) -> bytes:
    return run(unprotect_inner(PROVIDER, INNER, synthetic, 0))


def test_native_to_native() -> None:
    stage = Stage("audio", from_double=True, to_double=True)
    datagram = stage.forward(from_native(stage))
    assert datagram.endswith(FIELD)
    received, synthetic = at_native(stage, datagram.removesuffix(FIELD))
    assert (received.payload_type, received.sequence_number != 4000) == (63, True)
    assert (synthetic.payload_type, synthetic.sequence_number) == (111, 4000), "the OHB has what was changed"
    assert opened(synthetic) == b"voice"


def test_native_to_browser() -> None:
    stage = Stage("audio", from_double=True, to_double=False)
    received = at_browser(stage, stage.forward(from_native(stage)))
    assert received.payload.endswith(FIELD), "the last octets of the payload"
    assert opened(synthetic_packet(replace(received, payload=received.payload.removesuffix(FIELD)))) == b"voice"


def test_browser_to_native() -> None:
    stage = Stage("audio", from_double=False, to_double=True)
    datagram = stage.forward(from_browser(stage, replace(PACKET, sequence_number=9, payload=browser_payload())))
    assert datagram.endswith(FIELD)
    _, synthetic = at_native(stage, datagram.removesuffix(FIELD))
    assert opened(synthetic) == b"voice"


def test_a_part_of_a_browsers_frame_to_native() -> None:
    stage = Stage("video", from_double=False, to_double=True)
    datagram = stage.forward(from_browser(stage, replace(PACKET, payload=b"the middle of a frame")))
    short = ShortEKTField().write()
    assert datagram.endswith(short)
    outer = OuterReceiver(PROVIDER, session_keys(stage.receiver.server_write))
    assert run(outer.unprotect(datagram.removesuffix(short))).payload == b"the middle of a frame"


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\xff\x02"])
def test_what_ends_in_no_ekt_field_goes_to_no_native_endpoint(payload: bytes) -> None:
    stage = Stage("audio", from_double=False, to_double=True)
    stage.forwarder.receive_rtp("sender", from_browser(stage, replace(PACKET, payload=b"x" + payload)), 0.0)
    assert stage.sent == []
    assert stage.forwarder.dropped == {PacketDrop.NO_EKT_FIELD: 1}


def test_a_native_packet_without_its_field_is_dropped() -> None:
    stage = Stage("audio", from_double=True, to_double=True)
    stage.forwarder.receive_rtp("sender", from_native(stage)[:-1] + b"\x01", 0.0)
    assert stage.sent == []
    assert stage.forwarder.dropped == {PacketDrop.MALFORMED: 1}
