"""The application: routes as data."""

from __future__ import annotations

import time
from collections.abc import Callable

import uvicorn
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from perc_server.identity_provider.accounts import Accounts
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.guards import HostGuard
from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.login import Login
from perc_server.identity_provider.passwords import Passwords
from perc_server.identity_provider.proxy import Proxy
from perc_server.identity_provider.sessions import Sessions
from perc_server.identity_provider.signing import Signing
from perc_server.identity_provider.tables import open_store
from perc_server.problems import Problem, problem_response

PROXY = "/.well-known/idp-proxy/default"


def create_app(config: IdentityProviderConfig, clock: Callable[[], float] = time.time) -> Starlette:
    """An identity provider as an ASGI application; `clock` gives Unix time."""
    engine = open_store(config.database)
    _make_demo_accounts(config, engine)
    keys = SigningKeys(engine, config.key_lifetime, clock)
    sessions = Sessions(engine, config, clock)
    login = Login(config, Accounts(engine), sessions)
    signing = Signing(config, sessions, keys, clock)
    proxy = Proxy(config, keys)
    app = Starlette(
        routes=[
            Route(PROXY, proxy.script),
            Route(f"{PROXY}/frame", proxy.frame),
            Route("/login", login.show),
            Route("/login", login.sign_in, methods=["POST"]),
            Route("/login/consent", login.consent, methods=["POST"]),
            Route("/session", signing.redeem, methods=["POST"]),
            Route("/sign", signing.sign, methods=["POST"]),
            *(Route(f"/static/{name}", proxy.static) for name in ("frame.js", "login.js", "login.css")),
        ],
        middleware=[Middleware(HostGuard, origin=config.origin)],
        exception_handlers={Problem: problem_response},
    )
    app.state.config = config
    return app


async def serve(config: IdentityProviderConfig) -> None:
    """Serves until the process is told to end."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            host=config.host,
            port=config.port,
            server_header=False,
            # The address that guesses are counted by is the connection's own, not one that a header claims.
            proxy_headers=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
    await server.serve()


def _make_demo_accounts(config: IdentityProviderConfig, engine: Engine) -> None:
    accounts, passwords = Accounts(engine), Passwords(config.password_cost)
    for account in config.demo_accounts:
        if accounts.with_hash(account.name) is None:
            accounts.add_if_absent(account.name, passwords.hash_now(account.password))
