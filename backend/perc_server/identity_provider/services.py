"""What the pages of one provider share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from perc_server.identity_provider.accounts import Accounts
from perc_server.identity_provider.ceremonies import Ceremonies
from perc_server.identity_provider.challenges import Challenges
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.counts import IdentityProviderCounts
from perc_server.identity_provider.pages import Pages
from perc_server.identity_provider.passkeys import Passkeys
from perc_server.identity_provider.passwords import Passwords
from perc_server.identity_provider.sessions import Sessions
from perc_server.identity_provider.throttle import Limits
from perc_server.identity_provider.visitors import Visitors


@dataclass(frozen=True, slots=True)
class Services:
    """One of each, so that what one page counts or changes is counted and changed for all."""

    config: IdentityProviderConfig
    accounts: Accounts
    passwords: Passwords
    passkeys: Passkeys
    ceremonies: Ceremonies
    sessions: Sessions
    visitors: Visitors
    limits: Limits
    pages: Pages
    counts: IdentityProviderCounts

    @classmethod
    def on(cls, engine: Engine, config: IdentityProviderConfig, clock: Callable[[], float]) -> Services:
        """On a store; `clock` gives Unix time."""
        counts = IdentityProviderCounts()
        passkeys, sessions = Passkeys(engine, clock), Sessions(engine, config, clock)
        return cls(
            config,
            Accounts(engine),
            Passwords(config.password_cost),
            passkeys,
            Ceremonies(config, passkeys, Challenges(engine, clock), clock),
            sessions,
            Visitors(config, sessions),
            Limits(clock, counts),
            Pages(config.name, counts.requests),
            counts,
        )
