"""The application: routes as data."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable

import uvicorn
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from perc_server.host_guard import HostGuard
from perc_server.identity_provider.account import AccountPages
from perc_server.identity_provider.accounts import Accounts
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.login import Login
from perc_server.identity_provider.passkey_pages import PasskeyPages
from perc_server.identity_provider.passwords import Passwords
from perc_server.identity_provider.proxy import Proxy
from perc_server.identity_provider.registration import Registration
from perc_server.identity_provider.services import Services
from perc_server.identity_provider.signing import Signing
from perc_server.identity_provider.signing_in import SigningIn
from perc_server.identity_provider.store import open_store
from perc_server.observability.codes import LogCode
from perc_server.observability.listener import shown
from perc_server.observability.logs import Log
from perc_server.observability.metrics import Metrics
from perc_server.problems import Problem
from perc_server.request_log import RequestLog

log = Log(__name__)

PROXY = "/.well-known/idp-proxy/default"
STATIC_FILES = ("frame.js", "login.js", "passkeys.js", "passwords.js", "pages.css", "icon.svg")


def create_app(config: IdentityProviderConfig, clock: Callable[[], float] = time.time) -> Starlette:
    """Return an identity provider as an ASGI application; `clock` gives Unix time.

    `app.state.metrics` is what it counts.
    """
    engine = open_store(config.database)
    _make_demo_accounts(config, engine)
    services = Services.on(engine, config, clock)
    keys, counts = SigningKeys(engine, config.key_lifetime, clock), services.counts

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = Starlette(
        lifespan=lifespan,
        routes=[
            *_for_pages_of_others(Proxy(config, keys), Signing(config, services.sessions, keys, clock, counts)),
            *_for_anyone(services),
            *_for_people_signed_in(services),
        ],
        middleware=[
            Middleware(RequestLog, counts=counts.requests),
            Middleware(HostGuard, origin=config.origin, counts=counts.requests),
        ],
        exception_handlers={Problem: services.pages.problem, HTTPException: services.pages.problem},
    )
    app.state.config = config
    app.state.metrics = Metrics()
    counts.show(app.state.metrics)
    return app


def _for_pages_of_others(proxy: Proxy, signing: Signing) -> list[Route]:
    return [
        Route(PROXY, proxy.script),
        Route(f"{PROXY}/frame", proxy.frame),
        Route("/session", signing.redeem, methods=["POST"]),
        Route("/sign", signing.sign, methods=["POST"]),
        *(Route(f"/static/{name}", proxy.static) for name in STATIC_FILES),
    ]


def _for_anyone(services: Services) -> list[Route]:
    signing_in, registration = SigningIn(services), Registration(services)
    login = Login(services, signing_in)
    return [
        Route("/login", login.show),
        Route("/login", signing_in.password, methods=["POST"]),
        Route("/login/passkey/options", signing_in.passkey_options, methods=["POST"]),
        Route("/login/passkey", signing_in.passkey, methods=["POST"]),
        Route("/login/consent", login.consent, methods=["POST"]),
        Route("/register", registration.show),
        Route("/register", registration.register, methods=["POST"]),
    ]


def _for_people_signed_in(services: Services) -> list[Route]:
    account, passkeys, only = AccountPages(services), PasskeyPages(services), services.visitors.only
    return [
        Route("/", only(account.show)),
        Route("/account", only(account.show)),
        Route("/account/sites", only(account.withdraw), methods=["POST"]),
        Route("/account/password", only(account.show_password)),
        Route("/account/password", only(account.change_password), methods=["POST"]),
        Route("/account/passkeys", only(passkeys.show)),
        Route("/account/passkeys", only(passkeys.change), methods=["POST"]),
        Route("/account/passkeys/new", only(passkeys.show_new)),
        Route("/account/passkeys/new", only(passkeys.add), methods=["POST"]),
        Route("/account/passkeys/options", only(passkeys.options), methods=["POST"]),
        Route("/sign-out", only(account.sign_out), methods=["POST"]),
    ]


async def serve(config: IdentityProviderConfig) -> None:
    """Serve until the process is told to end."""
    app = create_app(config)
    async with shown(app.state.metrics, config.metrics):
        log.info(LogCode.STARTED, "an identity provider starts on port %d", config.port)
        await uvicorn.Server(server_config(config, app)).serve()


def server_config(config: IdentityProviderConfig, app: Starlette | None = None) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        app or create_app(config),
        host=config.host,
        port=config.port,
        server_header=False,
        # Guesses are counted by the connection's own address, not by one that anybody's header claims.
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        # `RequestLog` writes a line for each request, without its address and path; records of uvicorn go through
        # this process's handler, from level warning on.
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )


def _make_demo_accounts(config: IdentityProviderConfig, engine: Engine) -> None:
    accounts, passwords = Accounts(engine), Passwords(config.password_cost)
    for account in config.demo_accounts:
        if accounts.with_hash(account.name) is None:
            accounts.add_if_absent(account.name, passwords.hash_now(account.password))
