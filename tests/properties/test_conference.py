"""Joining, admitting, leaving, announcing, waiting, losing the tunnel, in any order: what always holds."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from OpenSSL import SSL

from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import Roster
from perc.errors import NotPresent
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.events import EndpointKeyed, EndpointLeft, JoinRequested
from perc.key_distributor.rekey import JOIN_INTERVAL, RekeyPolicy
from perc.tunnel.messages import EndpointDisconnect
from tests.key_distributor.site import Endpoint, Site

GUESTS = tuple(f"guest-{number}@idp-a.localhost" for number in range(3))
STRANGERS = ("ann@idp-a.localhost", "ben@idp-a.localhost")
POLICY = AdmissionPolicy.of(GUESTS, "ask")
SSRCS = st.integers(1, 2)
MAX_ENDPOINTS = 8
"""In one story, so that it does not take long."""


@dataclass(eq=False)
class Person:
    endpoint: Endpoint
    name: str
    spis_before: frozenset[int]
    """Of all keys that were made before it came."""
    left_with: frozenset[int] | None = None
    """The keys that there were when it left."""


class ConferenceMachine(RuleBasedStateMachine):
    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.site = Site(RekeyPolicy.ON_MEMBERSHIP, guests=POLICY)
        self.everyone: list[Person] = []
        self.admitted: set[str] = set()
        """By a person, at some time."""
        self.is_cut = False

    # Coming and going

    @initialize(target=people)
    def some_are_there(self) -> MultipleResults[Person]:
        guests = [self.comes(name) for name in GUESTS]
        self.site.wait(JOIN_INTERVAL)
        return multiple(*guests)

    @precondition(lambda self: len(self.everyone) < MAX_ENDPOINTS and not self.is_cut)
    @rule(target=people, name=st.sampled_from((*GUESTS, *STRANGERS)))
    def someone_comes(self, name: str) -> Person:
        return self.comes(name)

    def comes(self, name: str) -> Person:
        person = Person(Endpoint(), name, frozenset(self.spis()))
        self.everyone.append(person)
        self.site.join(name, person.endpoint)
        return person

    @rule(admits=st.booleans())
    def someone_decides(self, admits: bool) -> None:
        waiting = self.site.happened(JoinRequested)
        if not waiting or self.is_cut:
            return
        request = waiting[-1]
        decide = self.site.kd.admit if admits else self.site.kd.deny
        try:
            self.site.take(decide(request.association_id, self.site.now))
        except NotPresent:
            return
        if admits:
            self.admitted.add(request.identity)
        self.site.settle()

    @precondition(lambda self: self.site.kd.roster and not self.is_cut)
    @rule(which=st.integers(0, MAX_ENDPOINTS))
    def someone_is_removed(self, which: int) -> None:
        member = self.site.kd.roster[which % len(self.site.kd.roster)]
        self.site.take(self.site.kd.remove(member.id.hex(), self.site.now))
        self.site.settle()

    @rule(person=consumes(people), how=st.sampled_from(("disconnect", "abort", "close_notify")))
    def leaves(self, person: Person, how: str) -> None:
        if self.is_cut:
            return
        try:
            match how:
                case "disconnect":
                    self.site.send(EndpointDisconnect(person.endpoint.id))
                case "abort":
                    person.endpoint.sctp.abort()
                case _:
                    person.endpoint.dtls.shutdown()
        except SSL.Error:
            return  # it had no association any more
        self.site.settle()

    # What members say

    @rule(person=people, ssrcs=st.sets(SSRCS, max_size=2))
    def announces(self, person: Person, ssrcs: set[int]) -> None:
        if person.endpoint.sctp.is_open and not person.endpoint.disconnected and not self.is_cut:
            person.endpoint.announce(*ssrcs)
            self.site.settle()

    @rule(person=people)
    def stops_or_goes_on_acknowledging(self, person: Person) -> None:
        person.endpoint.acknowledges = not person.endpoint.acknowledges

    # Time and the tunnel

    @rule(seconds=st.sampled_from((0.05, 0.3, 1.0, 31.0, 160.0)))
    def time_passes(self, seconds: float) -> None:
        self.site.wait(seconds)

    @precondition(lambda self: not self.is_cut)
    @rule()
    def the_tunnel_is_lost(self) -> None:
        self.site.cut()
        self.is_cut = True

    @precondition(lambda self: self.is_cut)
    @rule()
    def another_tunnel_comes(self) -> None:
        self.site.reconnect()
        self.is_cut = False

    # What always holds

    def spis(self) -> set[int]:
        """Of all keys that anyone was ever given."""
        return {key.spi for person in self.everyone for key in person.endpoint.keys}

    def keys(self) -> list[EktKey]:
        return [key for person in self.everyone for key in person.endpoint.keys]

    @invariant()
    def nobody_gets_a_key_who_was_not_admitted(self) -> None:
        known = {*GUESTS, *self.admitted}
        assert {event.identity for event in self.site.happened(EndpointKeyed)} <= known
        assert all(person.name in known for person in self.everyone if person.endpoint.keys)

    @invariant()
    def an_ssrc_has_one_owner(self) -> None:
        ssrcs = [source.ssrc for member in self.site.kd.roster for source in member.sources]
        assert len(ssrcs) == len(set(ssrcs))

    @invariant()
    def an_spi_stands_for_one_key(self) -> None:
        by_spi: dict[int, tuple[bytes, bytes]] = {}
        for key in self.keys():
            assert by_spi.setdefault(key.spi, (key.key, key.salt)) == (key.key, key.salt)
        assert len(set(by_spi.values())) == len(by_spi)

    @invariant()
    def a_newcomer_gets_no_key_that_there_was_before_it(self) -> None:
        for person in self.everyone:
            assert not {key.spi for key in person.endpoint.keys} & person.spis_before

    @invariant()
    def a_leaver_gets_nothing_more_and_its_keys_are_not_given_again(self) -> None:
        left = {event.association_id for event in self.site.happened(EndpointLeft)}
        for person in self.everyone:
            spis = frozenset(key.spi for key in person.endpoint.keys)
            if person.endpoint.id in left and person.left_with is None:
                person.left_with = frozenset(self.spis())
            assert person.left_with is None or spis <= person.left_with

    @invariant()
    def a_roster_names_its_reader(self) -> None:
        for person in self.everyone:
            for message in person.endpoint.messages[-3:]:
                if isinstance(message, Roster):
                    (own,) = (member for member in message.members if member.id == message.you)
                    assert own.identity == person.name

    @invariant()
    def only_as_many_are_there_as_came(self) -> None:
        assert len(self.site.kd.roster) <= len(self.everyone)

    def teardown(self) -> None:
        """When everything has settled: all members have one key, which nobody has who left."""
        site = self.site
        if self.is_cut:
            site.reconnect()
        site.wait(JOIN_INTERVAL + 0.5)
        members = [person for person in self.everyone if self._is_member(person)]
        if members:
            current = {person.endpoint.keys[-1].spi for person in members}
            assert len(current) == 1
            for person in self.everyone:
                if person not in members:
                    assert not {key.spi for key in person.endpoint.keys} & current
            for person in members:
                assert [member.identity for member in person.endpoint.roster.members] == [
                    member.identity for member in site.kd.roster
                ]
        site.take(site.kd.close())
        assert site.kd.roster == ()
        assert site.kd.next_timeout() is None

    def _is_member(self, person: Person) -> bool:
        you = [message.you for message in person.endpoint.messages if isinstance(message, Roster)]
        return bool(you) and you[-1] in {member.id for member in self.site.kd.roster}


ConferenceMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=15)
TestConference = ConferenceMachine.TestCase
