"""A whole site in one thread: the Key Distributor, a Media Distributor on OpenSSL's TLS, endpoints on OpenSSL's DTLS.

Octets are carried until nobody has anything more to say; time stands still unless a test moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

from OpenSSL import SSL

from perc.crypto.pyca import PycaProvider
from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.ekt.key_channel import (
    Announce,
    EktKeyAck,
    KeyChannelMessage,
    MediaKind,
    Roster,
    Source,
    SourceOrigin,
    read_message,
    write_message,
)
from perc.errors import IdentityRejected
from perc.identity.verdict import Verdict
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.distributor import KeyDistributor
from perc.key_distributor.events import AssertionRequested, Event, ValidationRequested
from perc.key_distributor.rekey import RekeyPolicy
from perc.key_distributor.trace import Trace, TraceEvent
from perc.tunnel import messages as tunnel
from perc.tunnel.end import Event as TunnelEvent
from perc.tunnel.media_distributor_end import MediaDistributorEnd
from perc.tunnel.messages import (
    EndpointDisconnect,
    Message,
    SignAnswer,
    SignAnswerAck,
    TunneledDtls,
)
from perc.x509.fingerprint import Fingerprint
from perc.x509.path import TrustAnchors
from tests.driving import run
from tests.dtls.openssl import Identity, OpenSslPeer, make_context, make_identity
from tests.key_distributor.peers import CONFERENCE, answer_sdp, identity_value, offer_sdp, verdict
from tests.key_distributor.sctp_client import SctpClient
from tests.x509.authority import NOW, Authority

PROVIDER = PycaProvider()
ROOT = Authority.root("Test Root")
SERVER = ROOT.issue_server("md.example")
PROFILES = (0x000A, 0x0009, 0x0008, 0x0007)
OWN_IDENTITY = identity_value("the owner's", "idp-b.localhost:8002")
EVERYONE = AdmissionPolicy.of((), "admit")

E = TypeVar("E")


def server_context() -> SSL.Context:
    """TLS 1.3, a client certificate required and any accepted, as a Media Distributor does it."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_privatekey(SERVER.private_key)
    context.use_certificate(SERVER.certificate)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    return context


class Endpoint:
    """A browser's DTLS and data channel; `lose` says which datagrams towards it are lost."""

    def __init__(self, identity: Identity | None = None, **context: Any) -> None:
        self.identity = identity or make_identity()
        self.id = uuid4()
        self.dtls = OpenSslPeer(make_context(self.identity, **context))
        self.sctp = SctpClient(self.dtls.send)
        self.disconnected = False
        self.acknowledges = True
        """Every EKTKey, as soon as it has come."""
        self.token = uuid4().hex
        self._handed = 0

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint.of(self.identity.der)

    @property
    def messages(self) -> list[KeyChannelMessage]:
        return [read_message(message) for message in self.sctp.received]

    @property
    def keys(self) -> list[EktKey]:
        return [message for message in self.messages if isinstance(message, EktKey)]

    @property
    def roster(self) -> Roster:
        return [message for message in self.messages if isinstance(message, Roster)][-1]

    def say(self, message: KeyChannelMessage) -> None:
        self.sctp.send(write_message(message))

    def announce(self, *ssrcs: int) -> None:
        self.say(Announce(tuple(source(ssrc) for ssrc in ssrcs)))

    def acknowledge(self) -> None:
        self.say(EktKeyAck(self.keys[-1].spi))

    def receive_datagram(self, datagram: bytes) -> None:
        self.dtls.receive_datagram(datagram)
        known = len(self.keys)
        for packet in self.dtls.received[self._handed :]:
            self._handed += 1
            self.sctp.receive(packet)
        if self.acknowledges and len(self.keys) > known:
            self.acknowledge()


def source(ssrc: int) -> Source:
    return Source(ssrc, MediaKind.VIDEO, SourceOrigin.PERSON)


@dataclass
class Recording:
    """The Key Distributor's trace and key log, and what was sent: octets of its tunnels, datagrams of associations.

    `tunnel` names the side that sent the octets, "kd" or "md", and `datagrams` has True for those of the endpoint.
    """

    trace: list[TraceEvent] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    tunnel: list[tuple[str, bytes]] = field(default_factory=list)
    datagrams: list[tuple[bool, TunneledDtls]] = field(default_factory=list)
    identities: bool = False

    def options(self, clock: Callable[[], float]) -> dict[str, Any]:
        trace = Trace(self.trace.append, clock, identities=self.identities)
        return {"trace": trace, "key_log": self.keys.append}


class Site:
    """`events` are the Key Distributor's, `told` is what it said to the Media Distributor, in order.

    Everyone whose identity is verified is admitted, unless `guests` say otherwise.

    A test may lose datagrams on their way to endpoints, and hold back what endpoints send. `recording` keeps what the
    Key Distributor writes for debugging.
    """

    def __init__(
        self,
        policy: RekeyPolicy = RekeyPolicy.AT_HALF_LIFE,
        profiles: Iterable[int] = PROFILES,
        guests: AdmissionPolicy = EVERYONE,
        ekt_cipher: EKTCipher = EKTCipher.AESKW128,
        recording: Recording | None = None,
    ) -> None:
        self.now = 1000.0
        self.recording = recording
        debugging = {} if recording is None else recording.options(lambda: self.now)
        self.kd = run(KeyDistributor.create(PROVIDER, NOW, policy, ekt_cipher, **debugging))
        run(self.kd.set_admission_policy(guests, self.now))
        self.events: list[Event] = []
        self.told: list[TunnelEvent] = []
        self.endpoints: dict[UUID, Endpoint] = {}
        self.signed: list[SignAnswerAck] = []
        self.lose: Callable[[TunneledDtls], bool] = lambda _: False
        self.held: set[UUID] = set()
        self.sent: list[TunneledDtls] = []
        self.tls_error: SSL.Error | None = None
        self._connect(tuple(profiles))

    def _connect(self, profiles: tuple[int, ...], first: Message | None = None) -> None:
        self.md = MediaDistributorEnd(profiles)
        self._to_kd = self.md.data_to_send() if first is None else tunnel.write_message(first)
        self.tls = SSL.Connection(server_context(), None)
        self.tls.set_accept_state()
        self.tls_error = None
        run(self.kd.open("md.example", TrustAnchors([ROOT.der]), CONFERENCE, NOW))
        self.settle()

    def cut(self) -> list[Event]:
        """The connection is gone, without a word."""
        return self.take(self.kd.connection_lost(self.now))

    def reconnect(self, profiles: Iterable[int] = PROFILES) -> list[Event]:
        before = len(self.events)
        self._connect(tuple(profiles))
        return self.events[before:]

    def reconnect_with(self, first: Message) -> None:
        """A Media Distributor whose first message is not what it should be."""
        self._connect((), first=first)

    # The Media Distributor

    def send(self, *messages: Message) -> list[Event]:
        """As an honest Media Distributor; what came of it."""
        for message in messages:
            self.md.send(message)
        return self.settle()

    def send_raw(self, data: bytes) -> list[Event]:
        """Octets of the tunnel that no honest Media Distributor would send."""
        self.settle()
        self.tls.sendall(data)
        return self.settle()

    def send_forged(self, *messages: Message) -> list[Event]:
        return self.send_raw(b"".join(map(tunnel.write_message, messages)))

    def settle(self) -> list[Event]:
        """Carry everything to everyone; the new events."""
        before = len(self.events)
        while self._carry():
            pass
        return self.events[before:]

    def _carry(self) -> bool:
        to_md = self.kd.data_to_send()
        if to_md:
            self._record_octets("kd", to_md)
            self.tls.bio_write(to_md)
        plaintext = self._step_tls()
        if plaintext:
            for event in self.md.receive_data(plaintext):
                self._hear(event)
        moved = self._collect_datagrams()
        if self.tls.get_state_string().startswith(b"SSL negotiation finished") and self.tls_error is None:
            outgoing, self._to_kd = self._to_kd + self.md.data_to_send(), b""
            if outgoing:
                self.tls.sendall(outgoing)
        to_kd = self._bio_read()
        if to_kd:
            self._record_octets("md", to_kd)
            self.take(self.kd.receive_data(to_kd, self.now))
        return bool(to_md or plaintext or moved or to_kd)

    def _record_octets(self, sender: str, octets: bytes) -> None:
        if self.recording is not None:
            self.recording.tunnel.append((sender, octets))

    def _record_datagram(self, message: TunneledDtls, *, is_endpoints: bool) -> None:
        if self.recording is not None:
            self.recording.datagrams.append((is_endpoints, message))

    def take(self, events: Coroutine[Any, Any, list[Event]]) -> list[Event]:
        happened = run(events)
        self.events += happened
        return happened

    def _step_tls(self) -> bytes:
        plaintext = b""
        try:
            self.tls.do_handshake()
            while True:
                plaintext += self.tls.recv(1 << 16)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            pass
        except SSL.Error as error:
            self.tls_error = error
        return plaintext

    def _bio_read(self) -> bytes:
        octets = b""
        try:
            while True:
                octets += self.tls.bio_read(1 << 16)
        except SSL.WantReadError:
            return octets

    def _hear(self, event: TunnelEvent) -> None:
        self.told.append(event)
        match event:
            case TunneledDtls(association_id, datagram) if association_id in self.endpoints:
                self._record_datagram(event, is_endpoints=False)
                if not self.lose(event):
                    self.endpoints[association_id].receive_datagram(datagram)
            case EndpointDisconnect(association_id) if association_id in self.endpoints:
                self.endpoints[association_id].disconnected = True
            case SignAnswerAck():
                self.signed.append(event)

    def _collect_datagrams(self) -> bool:
        moved = False
        for endpoint in self.endpoints.values():
            if endpoint.id in self.held:
                continue
            for datagram in endpoint.dtls.datagrams_to_send():
                self.sent.append(TunneledDtls(endpoint.id, datagram))
                self._record_datagram(self.sent[-1], is_endpoints=True)
                self.md.send(self.sent[-1])
                moved = True
        return moved

    # What honest people do

    def admit(self, endpoint: Endpoint, name: str = "alice@idp-a.localhost") -> list[Event]:
        """4.1.3: the endpoint's offer is validated and its answer signed."""
        offer = offer_sdp(endpoint.fingerprint, token=endpoint.token)
        return self.sign(SignAnswer(offer, answer_sdp(self.kd.fingerprint)), verdict(endpoint.fingerprint, name=name))

    def sign(self, message: SignAnswer, said: Verdict | IdentityRejected) -> list[Event]:
        events = self.send(message)
        for event in list(events):
            if isinstance(event, ValidationRequested):
                events += self.take(self.kd.validated(event.request_id, said, self.now))
        for event in list(events):
            if isinstance(event, AssertionRequested):
                events += self.take(self.kd.asserted(event.request_id, OWN_IDENTITY, self.now))
        return [*events, *self.settle()]

    def shake_hands(self, endpoint: Endpoint) -> list[Event]:
        """4.1.5 (1) and (2): DTLS through the tunnel."""
        self.endpoints[endpoint.id] = endpoint
        endpoint.dtls.start_as_client()
        return self.settle()

    def open_channel(self, endpoint: Endpoint) -> list[Event]:
        endpoint.sctp.start()
        return self.settle()

    def join(self, name: str = "alice@idp-a.localhost", endpoint: Endpoint | None = None) -> Endpoint:
        endpoint = endpoint or Endpoint()
        self.admit(endpoint, name)
        self.shake_hands(endpoint)
        if endpoint.dtls.completed:
            self.open_channel(endpoint)
        return endpoint

    def wait(self, seconds: float) -> list[Event]:
        """Let time pass, and everything happen that is due until then."""
        before, end = len(self.events), self.now + seconds
        while (due := self.kd.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            self.take(self.kd.handle_timeout(self.now))
            self.settle()
        self.now = end
        return self.events[before:]

    # What was told

    def happened(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def heard(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]
