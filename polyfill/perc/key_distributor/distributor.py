"""The Key Distributor: its certificate, its conference, and the tunnel of the moment.

Calls are awaited to their end before the next is made. Each takes what has come in, returns what has happened, and
leaves octets for the tunnel in `data_to_send()`. `now` is monotonic, in seconds.
"""

from __future__ import annotations

from datetime import datetime
from itertools import count
from uuid import UUID

from perc.crypto.key_log import KeyLog
from perc.crypto.provider import CryptoProvider, SigningKey
from perc.ekt.ekt_key import EKTCipher
from perc.ekt.key_channel import Member
from perc.errors import ApiMisuse, IdentityRejected, NotPresent
from perc.identity.verdict import Verdict
from perc.key_distributor.admission_policy import AdmissionPolicy, Guestbook
from perc.key_distributor.admissions import Admissions
from perc.key_distributor.associations import Associations
from perc.key_distributor.conference import Conference
from perc.key_distributor.door import Door
from perc.key_distributor.events import ConnectionClosed, Event
from perc.key_distributor.rekey import RekeyPolicy
from perc.key_distributor.session import Parties, TunnelSession
from perc.key_distributor.signing import Terms
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.tls.config import TlsClientConfig
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint
from perc.x509.path import TrustAnchors
from perc.x509.self_signed import self_signed

COMMON_NAME = "PERC Key Distributor"


class KeyDistributor:
    """Gives hop-by-hop keys to its Media Distributor, and end-to-end keys to endpoints whose identity it has checked.

    `certificate` is new for each Key Distributor and serves both the tunnel (client) and the endpoints (server).
    """

    def __init__(
        self,
        provider: CryptoProvider,
        certificate: Certificate,
        signing_key: SigningKey,
        members: Conference,
        trace: Trace = NO_TRACE,
        key_log: KeyLog | None = None,
    ) -> None:
        self.certificate = certificate
        self.fingerprint = Fingerprint.of(certificate.der)
        self._provider = provider
        self._trace = trace
        self._key_log = key_log
        self._signing_key = signing_key
        self._guestbook = Guestbook(AdmissionPolicy())
        self._members = members
        self._admissions = Admissions(trace)
        door = Door(self._members, self._guestbook, trace)
        self._associations = Associations(provider, self._admissions, door, trace)
        self._request_ids = count(1)
        self._session: TunnelSession | None = None
        self._conference: str | None = None
        self._md_host = ""
        self._clock: _UnixClock

    @classmethod
    async def create(
        cls,
        provider: CryptoProvider,
        now: datetime,
        policy: RekeyPolicy = RekeyPolicy.ON_MEMBERSHIP,
        ekt_cipher: EKTCipher = EKTCipher.AESKW128,
        *,
        trace: Trace = NO_TRACE,
        key_log: KeyLog | None = None,
    ) -> KeyDistributor:
        """A Key Distributor with a key and a certificate of its own. `ekt_cipher` decides how strong the end-to-end
        layer of its conference is: AES-128 or AES-256.

        For debugging, `trace` gets what happens, without secrets. `key_log` gets the secrets of the tunnel and of every
        association: with it and a recording of the network, anyone can read the whole conference.
        """
        trace.emit(TraceName.TRACE_STARTED, utc=now.isoformat(timespec="milliseconds"))
        signing_key = await provider.generate_signing_key()
        certificate = await self_signed(provider, signing_key, COMMON_NAME, now)
        members = Conference(provider, policy, ekt_cipher, trace)
        return cls(provider, certificate, signing_key, members, trace, key_log)

    @property
    def roster(self) -> tuple[Member, ...]:
        """Who is in the conference."""
        return self._members.members

    @property
    def has_tunnel(self) -> bool:
        """Whether a tunnel was begun and has not ended."""
        return self._session is not None and not self._session.has_ended

    async def open(self, md_host: str, trust_anchors: TrustAnchors, conference: str, now_utc: datetime) -> None:
        """Begin a tunnel to the Media Distributor `md_host`, for the one conference of this Key Distributor.

        After a tunnel that was lost, the endpoints' associations go on in the new one. `conference` is origin and path
        of the conference's page. `ApiMisuse` for a second conference, for another Media Distributor than the one that
        has the associations' hop-by-hop keys, and while there is a tunnel.
        """
        if self.has_tunnel:
            raise ApiMisuse("there is a tunnel already")
        if self._conference not in {None, conference}:
            raise ApiMisuse("a Key Distributor has one conference")
        if self._associations.are_waiting and md_host != self._md_host:
            raise ApiMisuse("the endpoints are with another Media Distributor")
        self._conference, self._md_host = conference, md_host
        self._clock = _UnixClock(now_utc)
        key = self._signing_key
        config = TlsClientConfig(md_host, trust_anchors, self.certificate, key, now_utc, self._key_log)
        terms = Terms(conference, self.fingerprint, self._guestbook, self._request_ids)
        parties = Parties(self._admissions, self._associations, self._members.ekt_cipher, self._trace)
        session = TunnelSession(self._provider, config, terms, parties)
        await session.start()
        self._session = session

    async def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take octets of the connection to the Media Distributor in; never raises for what they are."""
        session = self._expect_session()
        self._clock.observe(now)
        return await self._flush(await session.receive_data(data, now))

    def data_to_send(self) -> bytes:
        """Octets for the connection to the Media Distributor."""
        return b"" if self._session is None else self._session.data_to_send()

    async def validated(self, request_id: int, verdict: Verdict | IdentityRejected, now: float) -> list[Event]:
        """The answer to a `ValidationRequested`. One that comes too late does nothing."""
        session = self._expect_session()
        events = session.signing.validated(request_id, verdict, now, self._clock.unix_time(now))
        return await self._flush(events)

    async def asserted(self, request_id: int, identity: str | IdentityRejected, now: float) -> list[Event]:
        """The answer to an `AssertionRequested`: an a=identity value. One that comes too late does nothing."""
        session = self._expect_session()
        return await self._flush(session.signing.asserted(request_id, identity, now))

    async def set_admission_policy(self, policy: AdmissionPolicy, now: float) -> list[Event]:
        """Say who may come from now on, also of those who wait. Until then everyone is asked about."""
        self._guestbook.policy = policy
        self._trace.emit(TraceName.POLICY_CHANGED, guests=len(policy.guests), others=policy.others.value)
        return await self._reconsider(now)

    async def admit(self, association_id: UUID, now: float) -> list[Event]:
        """Let in whom a `JoinRequested` was about, and its identity again later on; `NotPresent` if it is gone."""
        self._associations.door.admit(association_id)
        return await self._reconsider(now)

    async def deny(self, association_id: UUID, now: float) -> list[Event]:
        """Send away whom a `JoinRequested` was about; `NotPresent` if it is gone. It may ask again."""
        return await self._flush(await self._associations.deny(association_id, now))

    async def remove(self, member_id: str, now: float) -> list[Event]:
        """Send a member's identity away, from wherever it has joined; `NotPresent` if it is gone.

        It may ask again, and is then asked about, whatever the policy says. `member_id` is the roster's, in hex.
        """
        identity = next((member.identity for member in self.roster if member.id.hex() == member_id), None)
        if identity is None:
            raise NotPresent("nobody of this name is in the conference any more")
        self._guestbook.remove(identity)
        return await self._flush(await self._associations.remove(identity, now))

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called; None while there is nothing to wait for."""
        times = [self._admissions.next_timeout(), self._associations.next_timeout()]
        if self._session is not None:
            times.append(self._session.signing.next_timeout())
        return min((time for time in times if time is not None), default=None)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Do everything that has become due by `now`."""
        self._admissions.handle_timeout(now)
        events = [] if self._session is None else self._session.signing.handle_timeout(now)
        return await self._flush(events + await self._associations.handle_timeout(now))

    async def close(self) -> list[Event]:
        """End all associations and the tunnel, and forget the keys."""
        return [] if self._session is None else await self._session.close()

    async def connection_lost(self, now: float) -> list[Event]:
        """The connection ended without a word. The endpoints' associations wait for `open`, for `RESUME_LIMIT` s."""
        session = self._expect_session()
        return [] if session.has_ended else [*await session.lose(now), ConnectionClosed()]

    async def _reconsider(self, now: float) -> list[Event]:
        return await self._flush(await self._associations.reconsider(now))

    async def _flush(self, events: list[Event]) -> list[Event]:
        if self._session is not None:
            await self._session.flush()
        return events

    def _expect_session(self) -> TunnelSession:
        if self._session is None:
            raise ApiMisuse("there was no tunnel yet")
        return self._session


class _UnixClock:
    """The time of day, told once and carried on by the monotonic clock."""

    def __init__(self, now_utc: datetime) -> None:
        self._start = now_utc.timestamp()
        self._started_at: float | None = None

    def observe(self, now: float) -> None:
        """The first monotonic time after the start is taken for the start: it is one round trip later."""
        if self._started_at is None:
            self._started_at = now

    def unix_time(self, now: float) -> int:
        """Seconds since 1970."""
        return int(self._start + now - (now if self._started_at is None else self._started_at))
