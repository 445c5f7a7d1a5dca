"""One conference: its endpoints on one UDP port, its Key Distributor behind one tunnel.

    endpoint ── STUN ──────────► IceLite             an address is an endpoint's after a check
             ── DTLS ◄─────────► TunneledDtls ◄────► Key Distributor
             ── SRTP, SRTCP ───► PacketPath          with the hop keys of MediaKeys

What one endpoint sends wrong costs only itself: datagrams are dropped and counted, never answered with an error.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from perc.errors import IllegalParameter
from perc.tunnel.messages import (
    EndpointDisconnect,
    MediaKeys,
    Message,
    SignAnswerAck,
    SignAnswerReject,
    TunneledDtls,
)
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.answer import Answer
from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.counts import DatagramDrop, EndpointEnd, MediaDistributorCounts, TunnelEnd
from perc_server.media_distributor.demultiplex import Datagram, classify
from perc_server.media_distributor.endpoint import Endpoint
from perc_server.media_distributor.endpoints import Endpoints
from perc_server.media_distributor.events import (
    EndpointLeft,
    Notify,
    SourcesChanged,
    Step,
    StepName,
    TunnelChanged,
)
from perc_server.media_distributor.forwarder import Forwarder
from perc_server.media_distributor.hop import HopKeys
from perc_server.media_distributor.ice import Address
from perc_server.media_distributor.key_distributor_link import KeyDistributorLink
from perc_server.media_distributor.media_port import MediaPort
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.reports import Reports
from perc_server.media_distributor.seams import Tamper, Tap
from perc_server.media_distributor.signatures import Signatures
from perc_server.media_distributor.switchboard import Switchboard
from perc_server.media_distributor.tunnel import Tunnel
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.observability.logs import Log

TICK = 0.1
"""Seconds between looks at what is due: well below the shortest interval, half a second between key frames."""

_log = Log(__name__)


class Conference:
    """A `TunnelUser`, between `open` and `close`."""

    def __init__(
        self,
        name: str,
        fingerprint: Fingerprint,
        config: MediaDistributorConfig,
        notify: Notify,
        tap: Tap | None = None,
        tamper: Tamper | None = None,
        counts: MediaDistributorCounts | None = None,
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        """Of the Key Distributor's certificate."""
        self._config = config
        self._notify = notify
        self._tap = tap
        self._tamper = tamper
        self.counts = counts or MediaDistributorCounts()
        self.log = _log.of("conference")
        self._loop = asyncio.get_running_loop()
        self.link = KeyDistributorLink(config.timeouts, self._loop.time(), self.counts)
        self.signatures = Signatures(config.timeouts.signature)
        self.port = MediaPort(config.media_host, config.media_ports, self.receive, tamper, self.counts)
        self.endpoints = Endpoints(self.counts)
        self.path = Forwarder(self.send, self._heard, tap, tamper, self.counts)
        self.switchboard = Switchboard(self.path, tamper)
        self._reports = Reports(self.path, self.switchboard, config.maximum_bitrate, self.counts)
        self._source_counts: Counter[str] = Counter()
        self.dropped = self.counts.datagrams_dropped

    def admit(self, endpoint: Endpoint, answer: Answer) -> None:
        """An answer to the endpoint has been signed: from now on it holds."""
        if self.endpoints.get(endpoint.endpoint_id) is None:
            self.counts.endpoints_admitted += 1
            endpoint.log.info(LogCode.ENDPOINT_ADMITTED, "%s", identifying(Kind.ENDPOINT, endpoint.endpoint_id))
        self.endpoints.add(endpoint)
        self.switchboard.apply(endpoint, answer)
        self._reports.request_key_frames(self._loop.time())
        self._report_sources()

    def leave(self, endpoint: Endpoint, reason: EndpointEnd = EndpointEnd.LEFT) -> None:
        """The endpoint left: its hop's keys and its sources are gone, and the Key Distributor is told."""
        self.link.farewell(endpoint)
        self._remove(endpoint, reason)

    def close(self) -> None:
        """The conference is over."""
        for endpoint in self.endpoints:
            self.leave(endpoint, EndpointEnd.CONFERENCE_ENDED)
        tunnel, self.link.tunnel = self.link.tunnel, None
        if tunnel is not None:
            tunnel.close(TunnelEnd.CONFERENCE_ENDED)
        self.signatures.abandon(Refusal(Code.NO_SUCH_CONFERENCE, "the conference ended"))
        self.port.close()

    def step(self, step: StepName, endpoint: Endpoint | None = None) -> None:
        """Report a step of the call flow, once per endpoint."""
        if endpoint is None:
            self._notify(Step(self.name, step))
        elif step not in endpoint.steps:
            endpoint.steps.add(step)
            self._notify(Step(self.name, step, endpoint.endpoint_id, endpoint.role))

    # The tunnel.

    def tunnel_opened(self, tunnel: Tunnel) -> None:
        """See `TunnelUser`. The same Key Distributor again: the newer tunnel wins."""
        older = self.link.up(tunnel)
        if older is not None:
            older.close(TunnelEnd.REPLACED)
            self._abandon_signatures()
        self.step(StepName.TLS)
        self.step(StepName.PROFILES)
        self._notify(TunnelChanged(self.name, "up"))
        for endpoint in self.link.flush(self.endpoints):
            self.step(StepName.TUNNELED_DTLS, endpoint)

    def tunnel_closed(self, tunnel: Tunnel, *, in_order: bool) -> None:
        """See `TunnelUser`. Media goes on without a tunnel, DTLS waits, unless the Key Distributor ended it all."""
        if tunnel is self.link.tunnel:
            self.link.down(self._loop.time(), in_order=in_order)
            self._abandon_signatures()
            self._notify(TunnelChanged(self.name, "down"))

    def tunnel_received(self, message: Message) -> None:
        """See `TunnelUser`."""
        if self._tap is not None:
            self._tap.tunnel_received(message)
        if self._tamper is not None:
            tampered = self._tamper.tunnel_received(self.name, message)
            if tampered is None:
                return
            message = tampered
        match message:
            case SignAnswerAck():
                self.signatures.acknowledged(message)
            case SignAnswerReject():
                self.signatures.rejected(message)
            case MediaKeys() | TunneledDtls() | EndpointDisconnect():
                endpoint = self.endpoints.by_association(message.association_id)
                if endpoint is None:
                    self.counts.associations_unknown += 1
                else:
                    self._received_for(endpoint, message)

    def _received_for(self, endpoint: Endpoint, message: MediaKeys | TunneledDtls | EndpointDisconnect) -> None:
        match message:
            case TunneledDtls(dtls_message=datagram):
                self.send(endpoint.endpoint_id, datagram)
            case MediaKeys():
                self._take_keys(endpoint, message)
            case EndpointDisconnect():
                self._remove(endpoint, EndpointEnd.KEY_DISTRIBUTOR)
                self._notify(EndpointLeft(self.name, endpoint.endpoint_id))

    def _take_keys(self, endpoint: Endpoint, message: MediaKeys) -> None:
        if endpoint.has_hop:
            # Never a second time: the hop would start its packet indices anew, under a key that has used them.
            self.counts.keys_refused += 1
            endpoint.log.warning(LogCode.ENDPOINT_KEYS_REFUSED, "media_keys for an association that has its keys")
            return
        try:
            keys = HopKeys.from_media_keys(message)
        except IllegalParameter as error:
            self.counts.keys_refused += 1
            detail = identifying(Kind.DETAIL, error)
            endpoint.log.warning(LogCode.ENDPOINT_KEYS_REFUSED, "media_keys that are not one hop's: %s", detail)
            self.drop(endpoint, EndpointEnd.BAD_KEYS)
            return
        endpoint.has_hop = True
        self.path.add_hop(endpoint.endpoint_id, keys)
        self.switchboard.keyed(endpoint)
        self._reports.request_key_frames(self._loop.time())

    def _abandon_signatures(self) -> None:
        self.signatures.abandon(Refusal(Code.NO_KEY_DISTRIBUTOR, "the Key Distributor's tunnel was lost"))

    # Datagrams.

    def receive(self, datagram: bytes, address: Address) -> None:
        """A datagram came from an address."""
        self.counts.datagrams_received += 1
        kind = classify(datagram)
        now = self._loop.time()
        if kind is Datagram.STUN:
            self._receive_check(datagram, address, now)
            return
        endpoint = self.endpoints.by_address(address)
        if kind is Datagram.UNKNOWN:
            self.dropped[DatagramDrop.NO_PROTOCOL] += 1
        elif endpoint is None:
            self.dropped[DatagramDrop.UNKNOWN_ADDRESS] += 1
        elif not endpoint.may_send(kind, now):
            self.dropped[DatagramDrop.OVER_RATE_DTLS if kind is Datagram.DTLS else DatagramDrop.OVER_RATE] += 1
        elif kind is Datagram.DTLS:
            self._receive_dtls(endpoint, datagram)
        elif kind is Datagram.RTCP:
            self._reports.receive(endpoint, datagram, now)
        else:
            self.path.receive_rtp(endpoint.endpoint_id, datagram, now)

    def _receive_check(self, datagram: bytes, address: Address, now: float) -> None:
        response, endpoint = self.endpoints.check(datagram, address)
        if response is not None:
            self.port.send(response, address)
        if endpoint is not None:
            endpoint.deadline = now + self._config.timeouts.consent

    def _receive_dtls(self, endpoint: Endpoint, datagram: bytes) -> None:
        self.step(StepName.DTLS, endpoint)
        if self._tap is not None:
            self._tap.dtls_received(endpoint.association_id)
        if self.link.send_dtls(endpoint, datagram):
            self.step(StepName.TUNNELED_DTLS, endpoint)

    def _heard(self, ssrc: int) -> None:
        owner = self.switchboard.owner(ssrc)
        if owner is not None:
            self.step(StepName.MEDIA, owner)
            self.switchboard.heard(ssrc)
            self._reports.request_key_frames(self._loop.time())

    def send(self, endpoint_id: str, datagram: bytes) -> None:
        """Send a datagram to an endpoint, if its address is known."""
        endpoint = self.endpoints.get(endpoint_id)
        if endpoint is not None and endpoint.ice.selected is not None:
            self.port.send(datagram, endpoint.ice.selected)
        else:
            self.dropped[DatagramDrop.NO_PATH] += 1

    # Time.

    def tick(self, now: float) -> bool:
        """Do what is due; return whether the Key Distributor is gone, and with it the conference."""
        for endpoint in self.endpoints:
            if now >= endpoint.deadline:
                is_connected = endpoint.ice.selected is not None
                self.drop(endpoint, EndpointEnd.CONSENT_EXPIRED if is_connected else EndpointEnd.NEVER_CONNECTED)
            else:
                self._reports.report(endpoint, now)
        self._reports.request_key_frames(now)
        return self.link.is_gone(now)

    def drop(self, endpoint: Endpoint, reason: EndpointEnd = EndpointEnd.CONSENT_EXPIRED) -> None:
        """Remove an endpoint that is gone or cannot stay, and report it to call processing and the Key Distributor."""
        self.leave(endpoint, reason)
        self._notify(EndpointLeft(self.name, endpoint.endpoint_id))

    def _remove(self, endpoint: Endpoint, reason: EndpointEnd) -> None:
        self.counts.endpoints_ended[reason] += 1
        endpoint.log.info(LogCode.ENDPOINT_LEFT, "%s", reason)
        self.endpoints.remove(endpoint)
        self.path.remove_hop(endpoint.endpoint_id)
        self.switchboard.left(endpoint)
        self._reports.left(endpoint)
        self._report_sources()

    def _report_sources(self) -> None:
        counts = self.switchboard.counts
        if counts != self._source_counts:
            self._source_counts = counts
            self._notify(SourcesChanged(self.name, counts["audio"], counts["video"]))
