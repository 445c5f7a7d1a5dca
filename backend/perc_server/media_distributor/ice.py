"""ICE-lite: answers to connectivity checks, and what they prove (RFC 8445, Sections 2.5 and 7.3; RFC 8489).

The Media Distributor never sends checks. An endpoint's address is one from which a check with the right password came;
nothing else that a datagram says about its sender is believed.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections import OrderedDict
from dataclasses import dataclass

from aioice import stun

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


class IceLite:
    """The ICE agent of one endpoint: its credentials, and the addresses that proved to be its own."""

    def __init__(self, local: Credentials, remote: Credentials) -> None:
        self.local = local
        self.remote = remote
        self.selected: Address | None = None
        self._addresses: OrderedDict[Address, None] = OrderedDict()
        self._transactions: OrderedDict[bytes, Address] = OrderedDict()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses that are the endpoint's, the most recently checked last."""
        return tuple(self._addresses)

    def restart(self, local: Credentials, remote: Credentials) -> None:
        """New credentials; media goes on to the old address until a new one is nominated (RFC 8445, Section 9)."""
        self.local = local
        self.remote = remote

    def receive(self, request: stun.Message, address: Address) -> tuple[bytes, CheckPassed | None]:
        """The response to a request that named this endpoint, and what the request proved."""
        if "MESSAGE-INTEGRITY" not in request.attributes:
            return refuse(request, _BAD_REQUEST), None
        if not self._authentic(request) or self._replayed(request, address):
            return refuse(request, _UNAUTHENTICATED), None
        if "ICE-CONTROLLED" in request.attributes:
            # A lite agent is controlled whenever its peer is a full one (RFC 8445, Section 6.1.1).
            return self._sign(refusal(request, _ROLE_CONFLICT)), None
        passed = CheckPassed(address, "USE-CANDIDATE" in request.attributes)
        self._remember(passed)
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = address
        return self._sign(response), passed

    def _authentic(self, request: stun.Message) -> bool:
        expected = f"{self.local.ufrag}:{self.remote.ufrag}"
        name_matches = hmac.compare_digest(str(request.attributes.get("USERNAME")).encode(), expected.encode())
        return request.check_message_integrity(self.local.password.encode()) and name_matches

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
        if passed.nominated or self.selected is None:
            self.selected = passed.address
        if len(self._addresses) > MAXIMUM_ADDRESSES:
            oldest = next(address for address in self._addresses if address != self.selected)
            del self._addresses[oldest]

    def _sign(self, response: stun.Message) -> bytes:
        response.add_message_integrity(self.local.password.encode())
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
