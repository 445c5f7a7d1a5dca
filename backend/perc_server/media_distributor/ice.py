"""ICE-lite: answers to connectivity checks, and what they prove (RFC 8445, Sections 2.5 and 7.3; RFC 8489).

The Media Distributor never sends checks. An endpoint's address is one from which a check with the right password came;
nothing else that a datagram says about its sender is believed.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections import Counter, OrderedDict
from dataclasses import dataclass

from aioice import stun

from perc_server.media_distributor.counts import CheckRefusal

Address = tuple[str, int]

MAXIMUM_ADDRESSES = 8
"""Addresses of one endpoint that are listened to at once: its candidates, two networks, both IP versions."""

REMEMBERED_TRANSACTIONS = 512
"""Transaction ids of one endpoint that are remembered: over 20 minutes of Chromium's checks."""

_ROLE_CONFLICT = 487
_BAD_REQUEST = 400
_UNAUTHENTICATED = 401


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name fragment and its password (RFC 8445, Section 5.3)."""

    ufrag: str
    password: str

    @classmethod
    def generate(cls) -> Credentials:
        """New ones: "at least 24 bits of randomness" in the ufrag, "at least 128 bits" in the password."""
        return cls(secrets.token_hex(8), secrets.token_hex(16))

    def __repr__(self) -> str:
        return f"Credentials({self.ufrag!r})"


def read_request(datagram: bytes) -> stun.Message | None:
    """A well-formed Binding request with FINGERPRINT, or None."""
    try:
        message = stun.parse_message(datagram)
    except (ValueError, struct.error, IndexError):
        return None
    is_request = message.message_class is stun.Class.REQUEST and message.message_method is stun.Method.BINDING
    # "all messages MUST include FINGERPRINT" (RFC 8445, Section 7.1, for connectivity checks).
    return message if is_request and "FINGERPRINT" in message.attributes else None


def local_ufrag(request: stun.Message) -> str | None:
    """The fragment that names an endpoint of ours: "the username fragment provided by the peer", before the colon."""
    name = request.attributes.get("USERNAME")
    return name.partition(":")[0] if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class CheckPassed:
    """A check authenticated; `nominated` says that the endpoint chose the address."""

    address: Address
    nominated: bool


@dataclass(frozen=True, slots=True)
class _Generation:
    """The credentials of both sides, which change together (RFC 8445, Section 9)."""

    local: Credentials
    remote: Credentials

    def authenticates(self, request: stun.Message) -> bool:
        expected = f"{self.local.ufrag}:{self.remote.ufrag}"
        name_matches = hmac.compare_digest(str(request.attributes.get("USERNAME")).encode(), expected.encode())
        return request.check_message_integrity(self.local.password.encode()) and name_matches


class IceLite:
    """The ICE agent of one endpoint: its credentials, and the addresses that proved to be its own.

    restart ──▶ checks with the old credentials keep the old addresses alive, and do nothing else
    a check with the new ones nominates ──▶ the old credentials are void, and addresses not checked since forgotten
    """

    def __init__(self, local: Credentials, remote: Credentials, refused: Counter[CheckRefusal] | None = None) -> None:
        self._refused: Counter[CheckRefusal] = Counter() if refused is None else refused
        self._current = _Generation(local, remote)
        self._previous: _Generation | None = None
        self._stale: set[Address] = set()
        self.selected: Address | None = None
        self._addresses: OrderedDict[Address, None] = OrderedDict()
        self._transactions: OrderedDict[bytes, Address] = OrderedDict()

    @property
    def local(self) -> Credentials:
        """Ours, as the last answer has them."""
        return self._current.local

    @property
    def remote(self) -> Credentials:
        """The endpoint's, as its last offer has them."""
        return self._current.remote

    @property
    def ufrags(self) -> tuple[str, ...]:
        """What names this agent in a check."""
        generations = (self._current, self._previous)
        return tuple(generation.local.ufrag for generation in generations if generation is not None)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses that are the endpoint's, the most recently checked last."""
        return tuple(self._addresses)

    def restart(self, local: Credentials, remote: Credentials) -> None:
        """New credentials; media goes on to the old address until a new one is nominated (RFC 8445, Section 9)."""
        # With no new path yet, what a restart before this one gave out has never been in use.
        self._previous = self._previous or self._current
        self._current = _Generation(local, remote)
        self._stale = set(self._addresses)

    def receive(self, request: stun.Message, address: Address) -> tuple[bytes, CheckPassed | None]:
        """The response to a request that named this endpoint, and what the request proved."""
        if "MESSAGE-INTEGRITY" not in request.attributes:
            self._refused[CheckRefusal.NO_INTEGRITY] += 1
            return refuse(request, _BAD_REQUEST), None
        generation = self._generation(request)
        if generation is None or self._replayed(request, address):
            self._refused[CheckRefusal.NOT_AUTHENTIC if generation is None else CheckRefusal.REPLAYED] += 1
            return refuse(request, _UNAUTHENTICATED), None
        if "ICE-CONTROLLED" in request.attributes:
            # A lite agent is controlled whenever its peer is a full one (RFC 8445, Section 6.1.1).
            self._refused[CheckRefusal.ROLE_CONFLICT] += 1
            return _sign(refusal(request, _ROLE_CONFLICT), generation.local), None
        if generation is not self._current:
            # Whoever knows the old credentials, and perhaps was the reason to change them, moves nothing.
            if address not in self._addresses:
                self._refused[CheckRefusal.OLD_CREDENTIALS] += 1
                return refuse(request, _UNAUTHENTICATED), None
            passed = CheckPassed(address, nominated=False)
        else:
            passed = CheckPassed(address, "USE-CANDIDATE" in request.attributes)
            self._remember(passed)
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = address
        return _sign(response, generation.local), passed

    def _generation(self, request: stun.Message) -> _Generation | None:
        """Whose password the request was made with."""
        if self._current.authenticates(request):
            return self._current
        if self._previous is not None and self._previous.authenticates(request):
            return self._previous
        return None

    def _replayed(self, request: stun.Message, address: Address) -> bool:
        # STUN has no protection against replay: a recorded check, sent from elsewhere, would draw the media there.
        # A retransmission comes from the same address, a repetition from another one is not the endpoint's.
        known = self._transactions.setdefault(request.transaction_id, address)
        if len(self._transactions) > REMEMBERED_TRANSACTIONS:
            self._transactions.popitem(last=False)
        return known != address

    def _remember(self, passed: CheckPassed) -> None:
        self._addresses[passed.address] = None
        self._addresses.move_to_end(passed.address)
        self._stale.discard(passed.address)
        if passed.nominated:
            self._forget_old_path()
        if passed.nominated or self.selected is None:
            self.selected = passed.address
        if len(self._addresses) > MAXIMUM_ADDRESSES:
            oldest = next(address for address in self._addresses if address != self.selected)
            del self._addresses[oldest]

    def _forget_old_path(self) -> None:
        self._previous = None
        for address in self._stale:
            self._addresses.pop(address, None)
        self._stale.clear()


def _sign(response: stun.Message, credentials: Credentials) -> bytes:
    response.add_message_integrity(credentials.password.encode())
    return bytes(response)


def refusal(request: stun.Message, code: int) -> stun.Message:
    """An error response without a reason phrase, so that it is not larger than the request."""
    response = stun.Message(stun.Method.BINDING, stun.Class.ERROR, request.transaction_id)
    response.attributes["ERROR-CODE"] = (code, "")
    return response


def refuse(request: stun.Message, code: int = _UNAUTHENTICATED) -> bytes:
    """The octets of a refusal that cannot be authenticated."""
    response = refusal(request, code)
    response.add_fingerprint()
    return bytes(response)
