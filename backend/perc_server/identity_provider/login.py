"""The login popup: sign-in, then consent, then a one-time code for the frame that asked (`idpLoginUrl`).

GET /login?origin=ASKING&challenge=S256&username=HINT. The query is the opener's claim and decides nothing: the code is
bound to the origin that the person read and to the frame's challenge, and the frame redeems it only under the origin
that the browser attests to it.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from perc_server.identity_provider.asking import Asking
from perc_server.identity_provider.guards import read_form
from perc_server.identity_provider.services import Services
from perc_server.identity_provider.sessions import SignIn
from perc_server.identity_provider.signing_in import SigningIn


class Login:
    """The handlers of the popup."""

    def __init__(self, services: Services, signing_in: SigningIn) -> None:
        self._config = services.config
        self._accounts = services.accounts
        self._sessions = services.sessions
        self._visitors = services.visitors
        self._pages = services.pages
        self._signing_in = signing_in

    async def show(self, request: Request) -> Response:
        """GET /login: what is still missing, sign-in or consent; the code if nothing is."""
        asking = Asking.of(request)
        sign_in = await self._visitors.sign_in(request)
        if sign_in is None or asking.again:
            return self._signing_in.page(request, asking)
        if asking.username and self._config.account(asking.username) != sign_in.account.name:
            return self._signing_in.page(request, asking)
        if not asking.origin:
            return RedirectResponse("/account", HTTPStatus.SEE_OTHER)
        if await run_in_threadpool(self._accounts.has_consented, sign_in.account, asking.origin):
            return await self._grant(sign_in, asking)
        return self._consent_page(request, asking, sign_in)

    async def consent(self, request: Request) -> Response:
        """POST /login/consent: the person's decision."""
        asking = Asking.of(request)
        fields = await read_form(request)
        sign_in = await self._visitors.sign_in(request)
        if fields.get("decision") == "switch":
            return await self._visitors.end(request, asking.signed_out())
        if sign_in is None or not asking.origin:
            return RedirectResponse(f"/login?{asking.query}", HTTPStatus.SEE_OTHER)
        if fields.get("decision") != "allow":
            return self._pages.render("denied", "Not shared", origin=asking.origin)
        # The page that was read named one account; another tab may have signed in as someone else since.
        if fields.get("identity") != self._config.identity(sign_in.account.name):
            return self._consent_page(request, asking, sign_in)
        await run_in_threadpool(self._accounts.consent, sign_in.account, asking.origin)
        return await self._grant(sign_in, asking)

    async def _grant(self, sign_in: SignIn, asking: Asking) -> Response:
        code = await run_in_threadpool(self._sessions.issue_code, sign_in, asking.origin, asking.challenge)
        return self._pages.render(
            "granted",
            "Signed in",
            identity=self._config.identity(sign_in.account.name),
            origin=asking.origin,
            code=code,
            challenge=asking.challenge,
        )

    def _consent_page(self, request: Request, asking: Asking, sign_in: SignIn) -> Response:
        return self._pages.form(
            request,
            "consent",
            "Use your identity?",
            identity=self._config.identity(sign_in.account.name),
            origin=asking.origin,
            query=asking.query,
        )
