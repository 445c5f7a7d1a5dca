"""A Key Distributor and its one queue.

WebCrypto suspends, so while the distributor works on one input the next may arrive: from the page, the tunnel or a
timer. Each is put into one queue and one consumer takes them in order, so that the machines are never re-entered.

    page ──receive──▶ ┌───────┐            ┌────────────────┐ ──events──▶ page
    tunnel ─────────▶ │ queue │ ──run────▶ │ KeyDistributor │
    timer ──────────▶ └───────┘            └────────────────┘ ──octets──▶ tunnel

An operation of the page is answered once: `{id, result}` or `{id, error}`; what happens by itself is `{event, …}`.
`browser/key-distributor/messages.js` declares them all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from perc.errors import ApiMisuse, IdentityRejected, NotPresent, PercError
from perc.identity.assertion import IdentityAssertion, write_identity
from perc.identity.verdict import Verdict
from perc.key_distributor import events
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.distributor import KeyDistributor
from perc.runtime.errors import ConnectTimedOut, OperationAborted, TunnelUnavailable, describe
from perc.runtime.event_messages import write_event
from perc.runtime.host import Host, Tunnel, TunnelCallbacks
from perc.x509.path import TrustAnchors

CONNECT_TIMEOUT = 10.0
"""Seconds until SupportedProfiles: the handshake takes three round trips, and someone waits for it."""

MAX_OCTETS_WAITING = 1 << 22
"""Octets of the tunnel that wait for their turn: some seconds of work. A Media Distributor that sends more floods this
Key Distributor, or lets somebody do so."""

Message = Mapping[str, Any]
"""Plain values, as structured clone carries them."""


class KeyDistributorService:
    """Runs one `KeyDistributor` for one page."""

    def __init__(self, create: Callable[[datetime], Awaitable[KeyDistributor]], host: Host) -> None:
        self._create = create
        self._host = host
        self._queue: deque[Callable[[], Awaitable[None]]] = deque()
        self._distributor: KeyDistributor
        self._tunnel: Tunnel | None = None
        self._tunnels_ended = 0
        self._octets_waiting = 0
        self._is_open = False
        self._connecting: int | None = None
        self._cancel_deadline: Callable[[], None] | None = None
        self._cancel_timer: Callable[[], None] | None = None
        self._closed = False
        self._operations: dict[str, Callable[[int, Message], Awaitable[None]]] = {
            "connect": self._connect,
            "validated": self._validated,
            "asserted": self._asserted,
            "setAdmissionPolicy": self._set_admission_policy,
            "admit": self._admit,
            "deny": self._deny,
            "remove": self._remove,
            "close": self._close,
        }

    def receive(self, message: Message) -> None:
        """Takes a message of the page: `{id, operation, …}`."""
        self._put(partial(self._perform, message))

    async def run(self) -> None:
        """Makes the distributor and works until the page closes it."""
        try:
            self._distributor = await self._create(self._host.utc_now())
            self._host.post({"event": "created", "certificate": self._describe_certificate()})
            while not self._closed:
                await self._next()
        except Exception as error:
            # The state is unknown now: nothing goes on, and nothing more is sent.
            if self._tunnel is not None:
                self._tunnel.close()
            self._host.post({"event": "failed", "error": describe(error)})

    async def _next(self) -> None:
        while not self._queue:
            await self._host.sleep()
        await self._queue.popleft()()
        self._send()
        self._set_timer()

    def _put(self, job: Callable[[], Awaitable[None]]) -> None:
        self._queue.append(job)
        self._host.wake()

    def _put_for_tunnel(self, tunnels_ended: int, job: Callable[[], Awaitable[None]]) -> None:
        async def perform() -> None:
            # What a tunnel left in the queue is not for the next one.
            if tunnels_ended == self._tunnels_ended:
                await job()

        self._put(perform)

    async def _perform(self, message: Message) -> None:
        try:
            operation = self._operations.get(message["operation"])
            if operation is None:
                raise ApiMisuse(f"there is no operation {message['operation']!r}")
            await operation(message["id"], message)
        except PercError as error:
            self._refuse(message["id"], error)

    def _answer(self, identifier: int, result: Any = None) -> None:
        self._host.post({"id": identifier, "result": result})

    def _refuse(self, identifier: int, error: PercError) -> None:
        self._host.post({"id": identifier, "error": describe(error)})

    # Operations of the page

    async def _connect(self, identifier: int, message: Message) -> None:
        """Answered when the tunnel's TLS handshake and SupportedProfiles are done, or with what went wrong."""
        if self._tunnel is not None:
            raise ApiMisuse("there is a connection already")
        anchors = TrustAnchors.from_pem(message["trustAnchors"])
        opened = partial(self._open, message["mdHost"], anchors, message["conference"])
        put = partial(self._put_for_tunnel, self._tunnels_ended)
        callbacks = TunnelCallbacks(
            opened=lambda: put(opened),
            received=lambda data: self._take_octets(put, data),
            lost=lambda: put(self._lost),
        )
        self._tunnel = self._host.open_tunnel(message["url"], callbacks)
        self._connecting = identifier
        self._cancel_deadline = self._host.set_timer(CONNECT_TIMEOUT, lambda: put(self._time_out))

    async def _validated(self, identifier: int, message: Message) -> None:
        """The verdict of an IdP proxy on a peer's assertion; what it is worth is decided in the distributor."""
        verdict = _rejection(message) or Verdict(message["identity"], message["contents"])
        now = self._host.monotonic()
        self._dispatch(await self._distributor.validated(message["requestId"], verdict, now))
        self._answer(identifier)

    async def _asserted(self, identifier: int, message: Message) -> None:
        """The assertion that an identity provider made for this Key Distributor."""
        identity = _rejection(message) or write_identity(
            IdentityAssertion(message["domain"], message["protocol"], message["assertion"])
        )
        self._dispatch(await self._distributor.asserted(message["requestId"], identity, self._host.monotonic()))
        self._answer(identifier)

    async def _set_admission_policy(self, identifier: int, message: Message) -> None:
        policy = AdmissionPolicy.of(message["admit"], message["others"])
        self._dispatch(await self._distributor.set_admission_policy(policy, self._host.monotonic()))
        self._answer(identifier)

    async def _admit(self, identifier: int, message: Message) -> None:
        self._dispatch(await self._distributor.admit(_association_id(message), self._host.monotonic()))
        self._answer(identifier)

    async def _deny(self, identifier: int, message: Message) -> None:
        self._dispatch(await self._distributor.deny(_association_id(message), self._host.monotonic()))
        self._answer(identifier)

    async def _remove(self, identifier: int, message: Message) -> None:
        self._dispatch(await self._distributor.remove(message["memberId"], self._host.monotonic()))
        self._answer(identifier)

    async def _close(self, identifier: int, _message: Message) -> None:
        self._dispatch(await self._distributor.close())
        tunnel = self._tunnel
        self._end_tunnel(OperationAborted("the Key Distributor was closed"))
        if tunnel is not None:
            # Answered, the page ends the Worker, and with it a socket that has not sent everything yet.
            await tunnel.closed()
        self._closed = True
        self._answer(identifier)

    # The tunnel and time

    async def _open(self, md_host: str, anchors: TrustAnchors, conference: str) -> None:
        try:
            await self._distributor.open(md_host, anchors, conference, self._host.utc_now())
        except PercError as error:
            self._end_tunnel(error)
        else:
            self._is_open = True

    def _take_octets(self, put: Callable[[Callable[[], Awaitable[None]]], None], data: bytes) -> None:
        self._octets_waiting += len(data)
        put(partial(self._receive_data, data))

    async def _receive_data(self, data: bytes) -> None:
        if self._octets_waiting > MAX_OCTETS_WAITING:
            await self._give_up(TunnelUnavailable("the Media Distributor sends more than can be answered"))
            return
        self._octets_waiting -= len(data)
        self._dispatch(await self._distributor.receive_data(data, self._host.monotonic()))

    async def _lost(self) -> None:
        await self._give_up(TunnelUnavailable("the connection to the Media Distributor was refused or lost"))

    async def _time_out(self) -> None:
        self._cancel_deadline = None
        await self._give_up(ConnectTimedOut(f"the Media Distributor did not answer within {CONNECT_TIMEOUT:g} s"))

    async def _give_up(self, error: PercError) -> None:
        was_open = self._is_open
        self._end_tunnel(error)
        if was_open:
            self._dispatch(await self._distributor.connection_lost(self._host.monotonic()))

    def _timer_fired(self) -> None:
        # Before the job has its turn others may set the next timer, which has to stay cancellable.
        self._cancel_timer = None
        self._put(self._handle_timeout)

    async def _handle_timeout(self) -> None:
        self._dispatch(await self._distributor.handle_timeout(self._host.monotonic()))

    def _send(self) -> None:
        if self._tunnel is not None and self._is_open and (data := self._distributor.data_to_send()):
            self._tunnel.send(data)

    def _set_timer(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        timeout = None if self._closed else self._distributor.next_timeout()
        if timeout is not None:
            delay = max(0.0, timeout - self._host.monotonic())
            self._cancel_timer = self._host.set_timer(delay, self._timer_fired)

    def _end_tunnel(self, error: PercError) -> None:
        """Sends the last alert, closes, and answers a `connect` that was still waiting."""
        if self._tunnel is not None:
            self._send()
            self._tunnel.close()
            self._tunnel = None
            self._tunnels_ended += 1
            self._octets_waiting = 0
            self._is_open = False
        if self._connecting is not None:
            self._refuse(self._connecting, error)
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        self._connecting = None
        if self._cancel_deadline is not None:
            self._cancel_deadline()
            self._cancel_deadline = None

    # Events of the distributor

    def _dispatch(self, happened: list[events.Event]) -> None:
        for event in happened:
            self._host.post(write_event(event))
            match event:
                case events.Connected() if self._connecting is not None:
                    self._answer(self._connecting)
                    self._stop_waiting()
                case events.ConnectionFailed(error):
                    self._end_tunnel(error)
                case events.ConnectionClosed():
                    self._end_tunnel(TunnelUnavailable("the connection to the Media Distributor was closed"))

    def _describe_certificate(self) -> dict[str, Any]:
        algorithm, value = str(self._distributor.fingerprint).split(" ")
        expires = self._distributor.certificate.not_after.timestamp() * 1000
        return {"expires": expires, "fingerprints": [{"algorithm": algorithm, "value": value.lower()}]}


def _association_id(message: Message) -> UUID:
    try:
        return UUID(message["associationId"])
    except ValueError as error:
        raise NotPresent("no association has such a name") from error


def _rejection(message: Message) -> IdentityRejected | None:
    """What the page says of an identity provider that failed."""
    error = message.get("error")
    return IdentityRejected(error["message"], error.get("errorDetail")) if error else None
