"""A native endpoint and a browser in one conference.

RFC 8723 and RFC 8870 as they stand on one hop, the browser's payload on the other, and a Media Distributor between them
that has the outer keys only.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from perc.ekt.browser_payload import Frame, protect_payload, unprotect_payload
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MediaKind
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.receiver import EktReceiver
from perc.ekt.sender import EktSender
from perc.srtp.double import DoubleReceiver, DoubleSender
from perc.srtp.ekt_field import split_ekt_field
from perc.srtp.key_derivation import SessionKeys, derive_rtp_keys
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.outer import OuterReceiver, OuterSender
from perc.srtp.packet import HeaderExtension, RtpPacket
from perc.srtp.packet_index import IndexCounter, ReplayWindow
from perc.srtp.payload_format import OPUS
from tests.driving import run
from tests.ekt.transform_vectors import PROVIDER

SSRC = 0xCAFEBABE
EKT_KEY = EktKey(bytes(range(16)), bytes(range(12)), 7, 300)
MID = HeaderExtension(0xBEDE, b"\x10\x31\0\0")


def hop(number: int) -> SessionKeys:
    return run(derive_rtp_keys(PROVIDER, bytes([number]) * 16, bytes(12)))


def parameter_sets() -> EktParameterSets:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(EKT_KEY, 0.0))
    return sets


@pytest.mark.parametrize("first", [100, 65500])
def test_from_a_native_endpoint_to_a_browser(first: int) -> None:
    keys = EktSender(PROVIDER, parameter_sets(), SSRC, MediaKind.AUDIO)
    sender = DoubleSender(PROVIDER, OuterSender(PROVIDER, hop(1)))
    inbound, outbound = OuterReceiver(PROVIDER, hop(1)), OuterSender(PROVIDER, hop(2))
    browser_srtp = OuterReceiver(PROVIDER, hop(2))
    receiver = EktReceiver(PROVIDER, parameter_sets(), SSRC, ReplayWindow())
    for index in range(first, first + 100):
        roc, sequence_number = divmod(index, 65536)
        media, now = b"media %d" % index, (index - first) * 0.02
        packet = RtpPacket(111, sequence_number, index * 960, SSRC, media, extension=MID)
        packet_keys = run(keys.next_packet(roc, now))
        on_the_wire = run(sender.protect(packet, packet_keys.keys, roc)) + packet_keys.field.write()

        srtp, field = split_ekt_field(on_the_wire)
        received = run(inbound.unprotect(srtp))
        relayed = replace(received, payload_type=96, sequence_number=index - first + 1, extension=None)
        body, block = OriginalHeaderBlock.split(received.payload)
        payload = body + block.covering(received, relayed).write() + field.write()
        to_browser = run(outbound.protect(replace(relayed, payload=payload)))

        seen = run(browser_srtp.unprotect(to_browser))
        frame = Frame(seen.payload_type, seen.timestamp, SSRC, seen.payload, sequence_number=seen.sequence_number)
        assert run(unprotect_payload(receiver, OPUS, frame, now)) == media


def test_from_a_browser_to_a_native_endpoint() -> None:
    keys = EktSender(PROVIDER, parameter_sets(), SSRC, MediaKind.AUDIO)
    indices = IndexCounter(PROVIDER.random_bytes)
    browser_srtp, inbound = OuterSender(PROVIDER, hop(1)), OuterReceiver(PROVIDER, hop(1))
    outbound, native = OuterSender(PROVIDER, hop(2)), DoubleReceiver(OuterReceiver(PROVIDER, hop(2)))
    receiver = EktReceiver(PROVIDER, parameter_sets(), SSRC, ReplayWindow())
    for number in range(100):
        media, now = b"media %d" % number, number * 0.02
        frame = Frame(111, number * 960, SSRC, media)
        payload = run(protect_payload(PROVIDER, keys, OPUS, frame, indices.take(), now))
        # The browser numbers and marks its packets by itself, after the transform.
        sent = RtpPacket(111, number, number * 960, SSRC, payload, marker=number == 0, extension=MID)
        received = run(inbound.unprotect(run(browser_srtp.protect(sent))))

        body, field = split_ekt_field(received.payload)
        relayed = replace(received, payload_type=96, sequence_number=5000 + number, payload=body)
        on_the_wire = run(outbound.protect(relayed)) + field.write()

        srtp, field = split_ekt_field(on_the_wire)
        outer, synthetic = run(native.unprotect_outer(srtp))
        assert (outer.payload_type, synthetic.payload_type) == (96, 111)
        assert run(receiver.unprotect(synthetic, field, now)) == media
