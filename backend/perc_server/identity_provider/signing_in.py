"""The sign-in page, and the two ways through it: a password, or a passkey."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from perc_server.addresses import network
from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.asking import Asking
from perc_server.identity_provider.ceremonies import PasskeyRefusedError
from perc_server.identity_provider.counts import SignInMethod, SignInRefusal
from perc_server.identity_provider.guards import browser_secret, check_same_origin_fetch, read_form
from perc_server.identity_provider.names import canonical
from perc_server.identity_provider.services import Services
from perc_server.identity_provider.throttle import too_many
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.request_log import client_of, log_of

# The same words for an unknown name, or for a passkey of nobody's: the page does not tell who has an account.
WRONG_PASSWORD = "That name and password do not match."  # noqa: S105
WRONG_PASSKEY = "That passkey does not open an account here. Try again, or use your password."


class SigningIn:
    """The handlers of the sign-in page."""

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._accounts = services.accounts
        self._passwords = services.passwords
        self._ceremonies = services.ceremonies
        self._visitors = services.visitors
        self._limits = services.limits
        self._pages = services.pages
        self._counts = services.counts

    def page(self, request: Request, asking: Asking) -> Response:
        """The page, with nothing wrong yet."""
        return self._page(request, asking)

    async def password(self, request: Request) -> Response:
        """POST /login: name and password."""
        asking = Asking.of(request)
        fields = await read_form(request)
        name, password = canonical(fields.get("name", ""))[:64], fields.get("password", "")
        own = await self._visitors.has_been(request, name)
        if wait := self._limits.guess(name, network(request), own=own):
            self._note_refusal(request, SignInRefusal.TOO_MANY)
            return self._refused(request, asking, name, wait)
        known = await run_in_threadpool(self._accounts.with_hash, name)
        if not await self._passwords.verify(known and known[1], password) or known is None:
            self._note_refusal(request, SignInRefusal.WRONG_PASSWORD)
            return self._page(request, asking, 401, name=name, problem=WRONG_PASSWORD, invalid="true")
        self._limits.guessed(name, network(request), own=own)
        self._note_sign_in(request, known[0], SignInMethod.PASSWORD)
        return await self._visitors.begin(request, known[0], asking.signed_in_as(known[0]))

    async def passkey_options(self, request: Request) -> Response:
        """POST /login/passkey/options: what this browser's authenticators are to sign."""
        check_same_origin_fetch(request)
        browser = browser_secret(request)
        if wait := self._limits.challenge(network(request)):
            raise too_many(wait)
        options = await run_in_threadpool(self._ceremonies.request_options, browser)
        return Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def passkey(self, request: Request) -> Response:
        """POST /login/passkey: what one of them has signed. There is no use in guessing, so nothing is counted here."""
        asking = Asking.of(request)
        fields = await read_form(request)
        try:
            account = await run_in_threadpool(
                self._ceremonies.authenticate, browser_secret(request), fields.get("credential", "")
            )
        except PasskeyRefusedError as error:
            self._counts.passkeys_refused[error.reason] += 1
            log_of(request).info(LogCode.PASSKEY_REFUSED, "%s", error.reason)
            self._note_refusal(request, SignInRefusal.PASSKEY)
            return self._page(request, asking, 401, passkey_problem=WRONG_PASSKEY)
        self._note_sign_in(request, account, SignInMethod.PASSKEY)
        return await self._visitors.begin(request, account, asking.signed_in_as(account))

    def _note_sign_in(self, request: Request, account: Account, method: SignInMethod) -> None:
        self._counts.sign_ins[method] += 1
        log_of(request).info(LogCode.SIGN_IN, "%s by %s", identifying(Kind.ACCOUNT, account.name), method)

    def _note_refusal(self, request: Request, reason: SignInRefusal) -> None:
        self._counts.sign_ins_refused[reason] += 1
        # Not the name that was typed: people type their password there, too.
        log_of(request).info(LogCode.SIGN_IN_REFUSED, "%s for %s", reason, client_of(request))

    def _refused(self, request: Request, asking: Asking, name: str, wait: float) -> Response:
        problem = too_many(wait)
        response = self._page(request, asking, problem.status, name=name, problem=problem.detail)
        response.headers["Retry-After"] = str(int(wait) + 1)
        return response

    def _page(self, request: Request, asking: Asking, status: int = 200, **shown: str) -> Response:
        nothing = {
            "name": self._config.account(asking.username),
            "problem": "",
            "passkey_problem": "",
            "invalid": "false",
        }
        return self._pages.form(
            request,
            "sign_in",
            "Sign in",
            status,
            purpose=asking.purpose,
            query=asking.query,
            **(nothing | shown),
        )
