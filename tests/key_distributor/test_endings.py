"""Whoever has gone is gone: nothing that comes later, or with the same datagram, brings an association back."""

from __future__ import annotations

import pytest

from perc.ekt.key_channel import Announce, EktKeyAck, write_message
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.events import EndpointLeft, JoinRequested
from perc.key_distributor.rekey import RekeyPolicy
from perc.sctp.chunks import ChunkType, Init, ParameterType
from perc.sctp.packet import Chunk, SctpPacket
from perc.tunnel.messages import EndpointDisconnect, TunneledDtls
from tests.key_distributor.sctp_client import PORTS, WINDOW
from tests.key_distributor.site import Endpoint, Site, source

HOST, BOB, MALLORY = "host@idp-a.localhost", "bob@idp-a.localhost", "mallory@idp-a.localhost"
FORBIDDEN = {
    "a member": Announce(tuple(map(source, range(33)))),
    "a guest": EktKeyAck(1),
}


def restart_cookie(site: Site, endpoint: Endpoint) -> tuple[int, bytes]:
    """The responder's tag and cookie for an SCTP association that is to take the place of the one there is."""
    packets: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint.sctp, "receive", packets.append)
        init = Init(9, WINDOW, 1, 1, 1, ()).write(ChunkType.INIT)
        endpoint.dtls.send(SctpPacket(PORTS, 0, (init,)).write())
        site.settle()
    [answer] = [
        Init.read(each.value) for each in SctpPacket.read(packets[-1]).chunks if each.type == ChunkType.INIT_ACK
    ]
    [cookie] = [each.value for each in answer.parameters if each.type == ParameterType.STATE_COOKIE]
    return answer.initiate_tag, cookie


def break_rule_and_restart(site: Site, endpoint: Endpoint, message: Announce | EktKeyAck) -> None:
    """One datagram: a message that ends the association, and behind it one that would open its key channel again."""
    tag, cookie = restart_cookie(site, endpoint)
    endpoint.dtls.datagrams_to_send()
    (broken,) = endpoint.sctp.packets(write_message(message))
    for packet in (broken, SctpPacket(PORTS, tag, (Chunk(ChunkType.COOKIE_ECHO, 0, cookie),)).write()):
        endpoint.dtls.send(packet)
    site.send(TunneledDtls(endpoint.id, b"".join(endpoint.dtls.datagrams_to_send())))


@pytest.mark.parametrize("who", FORBIDDEN)
def test_nothing_behind_the_word_that_ended_an_association_is_heard(who: str):
    policy = AdmissionPolicy.of([HOST], "ask" if who == "a guest" else "admit")
    site = Site(RekeyPolicy.ON_MEMBERSHIP, guests=policy)
    site.join(HOST)
    mallory = site.join(MALLORY)
    asked = len(site.happened(JoinRequested))
    break_rule_and_restart(site, mallory, FORBIDDEN[who])
    assert [left.association_id for left in site.happened(EndpointLeft)] == [mallory.id]
    assert [member.identity for member in site.kd.roster] == [HOST]
    assert len(site.happened(JoinRequested)) == asked
    # Nor is anything left that would fall due again and again.
    site.wait(700)
    due = site.kd.next_timeout()
    assert due is None or due > site.now


def test_nobody_who_is_removed_gets_the_next_key_on_another_device():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    host = site.join(HOST)
    devices = []
    for _ in range(2):
        site.wait(2)
        devices.append(site.join(BOB))
    site.wait(2)
    before = [key.spi for key in host.keys]
    member = next(member for member in site.kd.roster if member.identity == BOB)
    site.take(site.kd.remove(member.id.hex(), site.now))
    site.settle()
    site.wait(1)
    assert host.keys[-1].spi not in before
    for device in devices:
        assert {key.spi for key in device.keys} <= set(before)


def test_a_decision_about_somebody_is_for_nobody_else_under_their_name():
    """A Media Distributor that gives the association_id of one who waits to another, while the host decides."""
    site = Site(guests=AdmissionPolicy.of([HOST], "ask"))
    site.join(HOST)
    bob = site.join(BOB)
    mallory = Endpoint()
    mallory.id = bob.id
    site.admit(mallory, MALLORY)
    site.send(EndpointDisconnect(bob.id))
    del site.endpoints[bob.id]
    site.shake_hands(mallory)
    assert not mallory.dtls.completed
    assert mallory.disconnected
    assert [request.identity for request in site.happened(JoinRequested)] == [BOB]


def test_who_has_no_key_acknowledges_none():
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    host = site.join(HOST)
    bob = site.join(BOB)  # within a second of the first rekey: the key comes with the next
    assert bob.keys == []
    bob.say(EktKeyAck(host.keys[-1].spi))
    site.settle()
    assert next(member.spi for member in site.kd.roster if member.identity == BOB) == 0
