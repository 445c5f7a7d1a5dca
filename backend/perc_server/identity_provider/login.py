"""The login popup: sign-in, then consent, then a one-time code for the frame that asked (`idpLoginUrl`).

GET /login?origin=ASKING&challenge=S256&username=HINT. The query is the opener's claim and decides nothing: the code is
bound to the origin that the person read and to the frame's challenge, and the frame redeems it only under the origin
that the browser attests to it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from perc_server.identity_provider import cookies
from perc_server.identity_provider.accounts import Account, Accounts
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.guards import CSRF_COOKIE, csrf_token, is_web_origin, read_form
from perc_server.identity_provider.pages import Pages
from perc_server.identity_provider.passwords import Passwords
from perc_server.identity_provider.sessions import Sessions
from perc_server.identity_provider.throttle import FailureLimit
from perc_server.problems import Problem

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
CSRF_LIFETIME = 24 * 3600


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a code: the web origin and the frame's challenge; both empty when nobody does."""

    origin: str
    challenge: str
    username: str

    @classmethod
    def of(cls, request: Request) -> Asking:
        """From the query; `Problem` if it could not be what a frame of this site made."""
        query = request.query_params
        asking = cls(query.get("origin", ""), query.get("challenge", ""), query.get("username", "")[:64])
        if asking.origin and not is_web_origin(asking.origin):
            raise Problem(HTTPStatus.BAD_REQUEST, "bad-origin", "The site that asks is not named by a web origin.")
        if bool(asking.origin) != bool(asking.challenge) or not CHALLENGE.fullmatch(asking.challenge or "A" * 43):
            raise Problem(HTTPStatus.BAD_REQUEST, "bad-challenge", "The link to this page is not complete.")
        return asking

    @property
    def query(self) -> str:
        """As in the URL, to take along from page to page."""
        members = {"origin": self.origin, "challenge": self.challenge, "username": self.username}
        return urlencode({name: value for name, value in members.items() if value})


class Login:
    """The handlers of the popup."""

    def __init__(self, config: IdentityProviderConfig, accounts: Accounts, sessions: Sessions) -> None:
        self._config = config
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = Passwords(config.password_cost)
        self._pages = Pages(config.name)
        # Ten guesses at one name, thirty from one address, in ten minutes.
        self._by_name = FailureLimit(10, 600)
        self._by_address = FailureLimit(30, 600)

    async def show(self, request: Request) -> Response:
        """GET /login: what is still missing, sign-in or consent; the code if nothing is."""
        asking = Asking.of(request)
        account = await self._account(request)
        if account is None or (asking.username and self._hinted(asking) != account.name):
            return self._sign_in_page(request, asking)
        if not asking.origin:
            return self._pages.render("signed_in", "Signed in", identity=self._config.identity(account.name))
        if await run_in_threadpool(self._accounts.has_consented, account, asking.origin):
            return await self._grant(account, asking)
        return self._consent_page(request, asking, account)

    async def sign_in(self, request: Request) -> Response:
        """POST /login: name and password."""
        asking = Asking.of(request)
        fields = await read_form(request)
        name, password = fields.get("name", "").strip().lower(), fields.get("password", "")
        address = request.client.host if request.client else ""
        now = time.monotonic()
        if wait := max(self._by_name.wait(name, now), self._by_address.wait(address, now)):
            return self._too_many(request, asking, name, wait)
        known = await run_in_threadpool(self._accounts.with_hash, name)
        if not await self._passwords.verify(known and known[1], password) or known is None:
            self._by_name.failed(name, now)
            self._by_address.failed(address, now)
            # The same words for an unknown name: the page does not tell which names exist.
            return self._sign_in_page(request, asking, name, "That name and password do not match.", 401)
        self._by_name.succeeded(name)
        return await self._signed_in(known[0], asking)

    async def consent(self, request: Request) -> Response:
        """POST /login/consent: the person's decision."""
        asking = Asking.of(request)
        fields = await read_form(request)
        account = await self._account(request)
        if fields.get("decision") == "switch":
            return await self._sign_out(request, asking)
        if account is None or not asking.origin:
            return RedirectResponse(f"/login?{asking.query}", HTTPStatus.SEE_OTHER)
        if fields.get("decision") != "allow":
            return self._pages.render("denied", "Not shared", origin=asking.origin)
        await run_in_threadpool(self._accounts.consent, account, asking.origin)
        return await self._grant(account, asking)

    async def _account(self, request: Request) -> Account | None:
        token = request.cookies.get(cookies.SIGN_IN)
        return await run_in_threadpool(self._sessions.signed_in, token) if token else None

    def _hinted(self, asking: Asking) -> str:
        """The account that a usernameHint means, given as a name or as an identity."""
        name = asking.username.lower()
        return name.removesuffix(self._config.identity(""))

    async def _signed_in(self, account: Account, asking: Asking) -> Response:
        token = await run_in_threadpool(self._sessions.sign_in, account)
        following = Asking(asking.origin, asking.challenge, account.name if asking.username else "")
        response = RedirectResponse(f"/login?{following.query}", HTTPStatus.SEE_OTHER)
        cookies.set_first_party(response, cookies.SIGN_IN, token, self._config.sign_in_lifetime)
        return response

    async def _sign_out(self, request: Request, asking: Asking) -> Response:
        token = request.cookies.get(cookies.SIGN_IN)
        if token:
            await run_in_threadpool(self._sessions.sign_out, token)
        following = Asking(asking.origin, asking.challenge, "")
        response = RedirectResponse(f"/login?{following.query}", HTTPStatus.SEE_OTHER)
        cookies.clear_first_party(response, cookies.SIGN_IN)
        return response

    async def _grant(self, account: Account, asking: Asking) -> Response:
        code = await run_in_threadpool(self._sessions.issue_code, account, asking.origin, asking.challenge)
        return self._pages.render(
            "granted",
            "Signed in",
            identity=self._config.identity(account.name),
            origin=asking.origin,
            code=code,
            challenge=asking.challenge,
        )

    def _sign_in_page(
        self, request: Request, asking: Asking, name: str = "", problem: str = "", status: int = 200
    ) -> Response:
        token = csrf_token(request)
        purpose = f"to continue to {asking.origin}" if asking.origin else "to your account"
        response = self._pages.render(
            "sign_in",
            "Sign in",
            status,
            purpose=purpose,
            query=asking.query,
            csrf=token,
            name=name or self._hinted(asking),
            problem=problem,
            invalid="true" if problem else "false",
        )
        cookies.set_first_party(response, CSRF_COOKIE, token, CSRF_LIFETIME)
        return response

    def _consent_page(self, request: Request, asking: Asking, account: Account) -> Response:
        token = csrf_token(request)
        response = self._pages.render(
            "consent",
            "Use your identity?",
            identity=self._config.identity(account.name),
            origin=asking.origin,
            query=asking.query,
            csrf=token,
        )
        cookies.set_first_party(response, CSRF_COOKIE, token, CSRF_LIFETIME)
        return response

    def _too_many(self, request: Request, asking: Asking, name: str, wait: float) -> Response:
        minutes = int(wait // 60) + 1
        problem = f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        response = self._sign_in_page(request, asking, name, problem, 429)
        response.headers["Retry-After"] = str(int(wait) + 1)
        return response
