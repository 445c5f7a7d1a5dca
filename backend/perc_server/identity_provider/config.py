"""What an identity provider is told at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from argon2 import Parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from perc_server.observability.listener import MetricsAddress


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account that is made at the start if it does not exist."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityProviderConfig:
    """One identity provider. Times are in seconds."""

    origin: str
    """Its web origin. The host in it is the domain of its users' names."""
    database: str
    """SQLAlchemy URL."""
    name: str = "Identity provider"
    """What its pages call it."""
    host: str = "127.0.0.1"
    port: int = 8001
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies, which say in X-Forwarded-For for whom they ask; without it, all who come through
    one would share its limits."""
    metrics: MetricsAddress | None = None
    """Where its metrics are shown; nowhere without it."""
    demo_accounts: tuple[DemoAccount, ...] = ()
    assertion_lifetime: int = 300
    """Enough for an offer to reach its validator; a stolen assertion is of no use after it."""
    code_lifetime: int = 30
    sign_in_lifetime: int = 12 * 3600
    session_lifetime: int = 30 * 24 * 3600
    key_lifetime: int = 90 * 24 * 3600
    """After it a new signing key is made; the proxy goes on to accept the one before."""
    password_cost: Parameters = field(default_factory=lambda: RFC_9106_LOW_MEMORY)

    @property
    def sign_in_memory(self) -> int:
        """For how long it is known which browser a sign-in was at: until the last of what came of it has ended."""
        return self.sign_in_lifetime + self.session_lifetime

    @property
    def domain(self) -> str:
        """`idp.domain` of its assertions: the host, with the port if it is not the scheme's own."""
        return urlsplit(self.origin).netloc

    def identity(self, account: str) -> str:
        """The name that relying parties see: `user@host`, without a port (RFC 8827, Section 8.1)."""
        return f"{account}@{urlsplit(self.origin).hostname}"

    def account(self, hint: str) -> str:
        """The account that a usernameHint means, given as a name or as an identity."""
        return hint.lower().removesuffix(self.identity(""))
