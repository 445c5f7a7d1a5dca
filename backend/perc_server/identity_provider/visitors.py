"""Who is at a browser, by the cookie of this site's own pages, and how that changes."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from perc_server.identity_provider import cookies
from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.sessions import Sessions, SignIn

Handler = Callable[[Request], Awaitable[Response]]


class Visitors:
    """Looks up, begins and ends the sign-in of the browser that sent a request."""

    def __init__(self, config: IdentityProviderConfig, sessions: Sessions) -> None:
        self._config = config
        self._sessions = sessions

    async def sign_in(self, request: Request) -> SignIn | None:
        """The sign-in of this browser."""
        token = request.cookies.get(cookies.SIGN_IN)
        return await run_in_threadpool(self._sessions.signed_in, token) if token else None

    async def has_been(self, request: Request, name: str) -> bool:
        """Whether it was this name that last signed in at this browser, and has not signed out since."""
        before = await self._before(request)
        return before is not None and before.account.name == name

    def only(self, handler: Callable[[Request, SignIn], Awaitable[Response]]) -> Handler:
        """A handler for those who are signed in; everyone else is asked to sign in."""

        @functools.wraps(handler)
        async def handle(request: Request) -> Response:
            sign_in = await self.sign_in(request)
            if sign_in is None:
                return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
            return await handler(request, sign_in)

        return handle

    async def begin(self, request: Request, account: Account, url: str) -> Response:
        """Signs this browser in as that account and sends it on."""
        token = await run_in_threadpool(self._sessions.sign_in, account, await self._before(request))
        response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
        cookies.set_first_party(response, cookies.SIGN_IN, token, self._config.sign_in_memory)
        return response

    async def end(self, request: Request, url: str) -> Response:
        """Signs this browser out and sends it on."""
        if before := await self._before(request):
            await run_in_threadpool(self._sessions.sign_out, before)
        response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
        cookies.clear_first_party(response, cookies.SIGN_IN)
        return response

    async def _before(self, request: Request) -> SignIn | None:
        """This browser's sign-in, even if it signs nobody in any more."""
        token = request.cookies.get(cookies.SIGN_IN)
        return await run_in_threadpool(self._sessions.known, token) if token else None
