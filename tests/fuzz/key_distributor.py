"""The whole Key Distributor: a hostile Media Distributor on its TLS, and a hostile endpoint behind that."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from OpenSSL import SSL

from perc.errors import IdentityRejected, NotPresent
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.events import AssertionRequested, EndpointKeyed, JoinRequested, ValidationRequested
from perc.tunnel.messages import EndpointDisconnect, Message, SignAnswer, TunneledDtls, write_message
from tests.fuzz.target import Script, Target, pack
from tests.key_distributor.peers import answer_sdp, offer_sdp, verdict
from tests.key_distributor.site import OWN_IDENTITY, Endpoint, Site

GUEST, STRANGER = "guest@idp-a.localhost", "stranger@idp-a.localhost"
_GUESTS = AdmissionPolicy.of((GUEST,), "ask")
_STRANGER_ID = UUID(int=1)


class _Hostile:
    """One member who is on the guest list, strangers who may ask, and whatever the script says."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.site = Site(guests=_GUESTS)
        self._admitted = {GUEST}
        self._member = self.site.join(GUEST)
        self._endpoints = [self._member]

    def step(self) -> None:
        # OpenSSL sends nothing more on what the Key Distributor has closed, and says so to whoever tries.
        with suppress(SSL.Error):
            self._act()
        with suppress(SSL.Error):
            self.site.settle()
        self._check()

    def _act(self) -> None:
        script, site = self._script, self.site
        match script.number() % 11:
            case 0:
                self._forge(script.part())
            case 1:
                site.take(site.kd.receive_data(script.part(), site.now))
            case 2:
                datagram, known = script.part(), script.number() % 2
                self._forge(write_message(TunneledDtls(self._endpoint().id if known else _STRANGER_ID, datagram)))
            case 3:
                self._offer()
            case 4:
                self._shake_hands()
            case 5:
                self._endpoint().dtls.send(script.part()[:1000] or b"\0")
            case 6:
                self._say(script.number(), script.part())
            case 7:
                site.wait(script.number() / 4)
            case 8:
                self._forge(write_message(EndpointDisconnect(self._endpoint().id)))
            case 9:
                self._decide(admits=bool(script.number() % 2))
            case _:
                self._cut_or_resume()

    def _cut_or_resume(self) -> None:
        if self.site.kd.has_tunnel:
            self.site.cut()
        else:
            self.site.reconnect()

    def _endpoint(self) -> Endpoint:
        return self._endpoints[self._script.number() % len(self._endpoints)]

    def _forge(self, octets: bytes) -> None:
        if octets:
            with suppress(SSL.Error):
                self.site.send_raw(octets)

    def _offer(self) -> None:
        script, site, endpoint = self._script, self.site, self._endpoint()
        if script.number() % 2:
            endpoint = Endpoint()
            self._endpoints.append(endpoint)
        offer = offer_sdp(endpoint.fingerprint, token=str(script.number()))
        message: Message = SignAnswer(offer, answer_sdp(site.kd.fingerprint))
        if script.number() % 2:
            message = SignAnswer(script.damaged(offer) or b"\0", script.damaged(message.answer) or b"\0")
        before = len(site.events)
        self._forge(write_message(message))
        says = script.number() % 3
        for event in site.events[before:]:
            if isinstance(event, ValidationRequested) and says:
                said = verdict(endpoint.fingerprint, name=STRANGER) if says == 1 else IdentityRejected("no")
                site.take(site.kd.validated(event.request_id, said, site.now))
        for event in site.events[before:]:
            if isinstance(event, AssertionRequested):
                site.take(site.kd.asserted(event.request_id, OWN_IDENTITY, site.now))

    def _shake_hands(self) -> None:
        endpoint = self._endpoints[-1]
        if endpoint.id not in self.site.endpoints:
            self.site.shake_hands(endpoint)
        elif endpoint.dtls.completed and endpoint is not self._member:
            self.site.open_channel(endpoint)

    def _say(self, kind: int, body: bytes) -> None:
        self._endpoint().sctp.send(bytes([kind]) + len(body).to_bytes(3, "big") + body)

    def _decide(self, *, admits: bool) -> None:
        site = self.site
        for request in site.happened(JoinRequested)[-1:]:
            decide = site.kd.admit if admits else site.kd.deny
            with suppress(NotPresent):
                site.take(decide(request.association_id, site.now))
                self._admitted |= {request.identity} if admits else set()

    def _check(self) -> None:
        keyed = {event.identity for event in self.site.happened(EndpointKeyed)}
        assert keyed <= self._admitted, "nobody who was not admitted gets a key"
        assert {member.identity for member in self.site.kd.roster} <= keyed | {GUEST}

    def finish(self) -> None:
        with suppress(SSL.Error):
            self.site.wait(700)
        self.site.take(self.site.kd.close())
        assert self.site.kd.roster == ()


def key_distributor(data: bytes) -> None:
    script = Script(data)
    hostile = _Hostile(script)
    for _ in range(24):
        if script.is_over:
            break
        hostile.step()
    hostile.finish()


def seeds() -> Iterable[bytes]:
    offer = b"\x03\x00\x01\x07\x00\x01"
    yield offer + b"\x04\x04\x09\x01" + b"\x06\xf1" + pack(b"\x00\x06\x00\x00\x00\x09\x00\x00") + b"\x01"
    yield offer + b"\x04\x04\x09\x00" + b"\x07\xff"
    yield b"\x03\x00\x00\x08\x01" + b"\x00\x40\x05\x08a=setup:" + b"\x00\x20\x00\x02\r\n" + b"\x02"
    yield b"\x00" + pack(write_message(EndpointDisconnect(_STRANGER_ID))) + b"\x00" + pack(b"\x00") + b"\x0a" + offer
    yield b"\x02" + pack(b"\x16\xfe\xfd" + bytes(10)) + b"\x01\x00" + b"\x05\x00" + pack(bytes(16)) + b"\x08\x00"
    yield offer + b"\x04\x04\x0a\x07\x10\x0a" + b"\x09\x01" + b"\x0a\x07\xff\x0a"
    yield b"\x01" + pack(b"\x17\x03\x03\x00\x20" + bytes(32)) + b"\x0a" + offer + b"\x04"


TARGETS = (Target("key-distributor", key_distributor, seeds),)
