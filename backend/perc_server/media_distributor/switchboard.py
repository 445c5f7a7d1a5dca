"""Who hears whom: every source goes to every other endpoint that has a slot for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from perc_server.media_distributor.answer import Answer, Source
from perc_server.media_distributor.endpoint import Endpoint
from perc_server.media_distributor.feedback import KeyFrameRequests
from perc_server.media_distributor.packet_path import Leg, PacketPath
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.seams import Tamper

OWN_SSRC = 1
"""The Media Distributor's own SSRC, in RTCP; it sends no RTP."""


class Switchboard:
    """Sources, and the legs on which they are forwarded. A source takes slots once its first packet came."""

    def __init__(self, path: PacketPath, tamper: Tamper | None = None) -> None:
        self._path = path
        self._tamper = tamper
        self._sources: dict[int, tuple[Endpoint, Source]] = {}
        self._heard: set[int] = set()
        self._receivers: dict[str, Endpoint] = {}
        self._legs: dict[int, dict[str, Leg]] = {}
        self.key_frames = KeyFrameRequests()

    @property
    def counts(self) -> Counter[str]:
        """Sources by kind."""
        return Counter(source.kind for _, source in self._sources.values())

    def owner(self, ssrc: int) -> Endpoint | None:
        """Whose source it is."""
        entry = self._sources.get(ssrc)
        return entry[0] if entry else None

    def receivers(self, ssrc: int) -> tuple[str, ...]:
        """The endpoints that a source is forwarded to."""
        return tuple(self._legs.get(ssrc, ()))

    def videos(self, receiver: str) -> frozenset[int]:
        """The video streams that a receiver gets."""
        return frozenset(
            ssrc for ssrc, legs in self._legs.items() if receiver in legs and self._sources[ssrc][1].kind == "video"
        )

    def check(self, endpoint_id: str, answer: Answer) -> None:
        """Raise a `Refusal` if an answer's sources cannot be this endpoint's."""
        for source in answer.sources:
            owner = self.owner(source.ssrc)
            # "An announced SSRC is unique in the conference; a second claim is refused".
            is_taken = source.ssrc == OWN_SSRC or (owner is not None and owner.endpoint_id != endpoint_id)
            if is_taken and not (self._tamper is not None and self._tamper.accepts_taken_source(source.ssrc)):
                raise Refusal(Code.SOURCE_TAKEN, f"SSRC {source.ssrc} is taken; offer again with another one")

    def apply(self, endpoint: Endpoint, answer: Answer) -> None:
        """An answer has been signed: its sources and slots hold from now on."""
        kept = {(source.ssrc, source.kind) for source in answer.sources}
        for source in endpoint.sources:
            if (source.ssrc, source.kind) not in kept:
                self._end(source.ssrc)
        for source in set(answer.sources) - set(endpoint.sources):
            self._silence(source.ssrc)
            self._path.add_source(endpoint.endpoint_id, source)
            self._sources[source.ssrc] = (endpoint, source)
        endpoint.sources = answer.sources
        endpoint.slots.replace(answer.slots)
        if endpoint.endpoint_id in self._receivers:
            self.keyed(endpoint)

    def keyed(self, endpoint: Endpoint) -> None:
        """The endpoint's hop has keys: it receives what is there to receive."""
        self._receivers[endpoint.endpoint_id] = endpoint
        for ssrc in self._heard:
            self._connect(ssrc, endpoint)

    def heard(self, ssrc: int) -> None:
        """A source's first packet is about to be forwarded."""
        self._heard.add(ssrc)
        for receiver in self._receivers.values():
            self._connect(ssrc, receiver)

    def left(self, endpoint: Endpoint) -> None:
        """The endpoint is gone, and its sources with it; its slots need no one any more."""
        for source in endpoint.sources:
            self._end(source.ssrc)
        self._receivers.pop(endpoint.endpoint_id, None)
        for legs in self._legs.values():
            legs.pop(endpoint.endpoint_id, None)

    def sources_of(self, endpoint: Endpoint) -> Iterator[Source]:
        """The endpoint's sources that have been heard."""
        return (source for source in endpoint.sources if source.ssrc in self._heard)

    def _connect(self, ssrc: int, receiver: Endpoint) -> None:
        owner, source = self._sources[ssrc]
        if owner is receiver:
            return
        legs = self._legs.setdefault(ssrc, {})
        slot = receiver.slots.take(source, owner.endpoint_id)
        leg = None if slot is None else Leg(slot.payload_type, slot.extension)
        if leg == legs.get(receiver.endpoint_id):
            return
        if leg is None:
            del legs[receiver.endpoint_id]
            self._path.disconnect(ssrc, receiver.endpoint_id)
            return
        legs[receiver.endpoint_id] = leg
        self._path.connect(ssrc, receiver.endpoint_id, leg)
        if source.kind == "video":
            self.key_frames.request(ssrc)

    def _silence(self, ssrc: int) -> None:
        self._heard.discard(ssrc)
        self._legs.pop(ssrc, None)

    def _end(self, ssrc: int) -> None:
        self._silence(ssrc)
        self._sources.pop(ssrc, None)
        self._path.remove_source(ssrc)
        self.key_frames.forget(ssrc)
        for receiver in self._receivers.values():
            receiver.slots.release(ssrc)
            self._fill(receiver)

    def _fill(self, receiver: Endpoint) -> None:
        """A slot was freed: a source that had none may take it."""
        for ssrc in self._heard:
            self._connect(ssrc, receiver)
