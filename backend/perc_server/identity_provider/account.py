"""A person's own pages: the account, the sites that may use it, its password, and the ways out.

The session cookie of this provider's frames lives in other sites' partitions and is not sent here. These pages go by
the sign-in cookie, which is first-party and SameSite=Lax: that it comes along when another site links here shows a
page, but changes nothing, since every change is a POST with this site's own origin and this browser's token.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from perc_server.addresses import network
from perc_server.identity_provider import passwords
from perc_server.identity_provider.counts import PasswordChangeRefusal
from perc_server.identity_provider.guards import is_web_origin, read_form
from perc_server.identity_provider.pages import Markup, date
from perc_server.identity_provider.passkeys import Passkey
from perc_server.identity_provider.services import Services
from perc_server.identity_provider.sessions import SignIn
from perc_server.identity_provider.throttle import too_many
from perc_server.observability.codes import LogCode
from perc_server.problems import Problem, ProblemKind
from perc_server.request_log import client_of, log_of

NOTICES = {
    "password": "Your password is changed. Everyone else, and every site, is signed out.",
    "passkey-added": "The passkey is added. From now on it opens your account.",
    "passkey-renamed": "The passkey has its new name.",
    "passkey-removed": "The passkey is removed. It no longer opens your account.",
    "withdrawn": "That site can no longer use your identity. It will have to ask you again.",
}
"""By the word in the URL after a change was made; any other word says nothing."""


class AccountPages:
    """The handlers under /account, but for passkeys, and of /sign-out."""

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._accounts = services.accounts
        self._passwords = services.passwords
        self._passkeys = services.passkeys
        self._sessions = services.sessions
        self._visitors = services.visitors
        self._limits = services.limits
        self._pages = services.pages
        self._counts = services.counts

    async def show(self, request: Request, sign_in: SignIn) -> Response:
        """GET /account."""
        account = sign_in.account
        passkeys = await run_in_threadpool(self._passkeys.of, account)
        sites = await run_in_threadpool(self._accounts.consents, account)
        return self._pages.form(
            request,
            "account",
            "Your account",
            identity=self._config.identity(account.name),
            notice=NOTICES.get(request.query_params.get("done", ""), ""),
            passkeys=Markup("".join(map(self._passkey, passkeys))),
            no_passkeys="hidden" if passkeys else "",
            sites=Markup("".join(self._pages.fragment("site_item", origin=origin) for origin in sites)),
            no_sites="hidden" if sites else "",
        )

    async def withdraw(self, request: Request, sign_in: SignIn) -> Response:
        """POST /account/sites: takes a consent back, and what came of it."""
        origin = (await read_form(request)).get("origin", "")
        if not is_web_origin(origin):
            raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.BAD_ORIGIN, "That is not the name of a site.")
        await run_in_threadpool(self._accounts.revoke, sign_in.account, origin)
        await run_in_threadpool(self._sessions.withdraw, sign_in.account, origin)
        return RedirectResponse("/account?done=withdrawn", HTTPStatus.SEE_OTHER)

    async def sign_out(self, request: Request, sign_in: SignIn) -> Response:
        """POST /sign-out: this browser, or all."""
        if (await read_form(request)).get("where") == "everywhere":
            await run_in_threadpool(self._sessions.sign_out_everywhere, sign_in.account)
        return await self._visitors.end(request, "/login")

    async def show_password(self, request: Request, sign_in: SignIn) -> Response:
        """GET /account/password."""
        return self._password_page(request, sign_in)

    async def change_password(self, request: Request, sign_in: SignIn) -> Response:
        """POST /account/password: whoever knows the current one sets another, and everyone else is signed out."""
        fields = await read_form(request)
        current, chosen = fields.get("current", ""), fields.get("password", "")
        account = sign_in.account
        if wait := self._limits.guess(account.name, network(request), own=True):
            self._refuse(request, PasswordChangeRefusal.TOO_MANY)
            return self._password_page(request, sign_in, too_many(wait).detail, status=429)
        known = await run_in_threadpool(self._accounts.with_hash, account.name)
        if not await self._passwords.verify(known and known[1], current):
            self._refuse(request, PasswordChangeRefusal.WRONG_PASSWORD)
            return self._password_page(request, sign_in, "That is not your current password.")
        self._limits.guessed(account.name, network(request), own=True)
        objection = passwords.objection(chosen, account.name)
        if objection or passwords.normalized(chosen) == passwords.normalized(current):
            self._refuse(request, PasswordChangeRefusal.BAD_PASSWORD)
            return self._password_page(request, sign_in, "", objection or "That is the password that you have.")
        await run_in_threadpool(self._accounts.change_password, account, await self._passwords.hash(chosen))
        # This browser's own token, too: it may be what was stolen.
        await run_in_threadpool(self._sessions.sign_out_everywhere, account)
        return await self._visitors.begin(request, account, "/account?done=password")

    def _refuse(self, request: Request, reason: PasswordChangeRefusal) -> None:
        self._counts.password_changes_refused[reason] += 1
        log_of(request).info(LogCode.PASSWORD_CHANGE_REFUSED, "%s for %s", reason, client_of(request))

    def _passkey(self, passkey: Passkey) -> Markup:
        used = f"last used {date(passkey.used_at)}" if passkey.used_at else "not used yet"
        return self._pages.fragment(
            "passkey_item",
            label=passkey.label,
            credential_id=passkey.credential_id,
            dates=f"Added {date(passkey.created_at)}, {used}",
        )

    def _password_page(
        self, request: Request, sign_in: SignIn, current: str = "", chosen: str = "", status: int = 422
    ) -> Response:
        return self._pages.form(
            request,
            "password",
            "Change your password",
            status if current or chosen else 200,
            name=sign_in.account.name,
            current_problem=current,
            current_invalid="true" if current else "false",
            current_focus="" if chosen else "autofocus",
            chosen_problem=chosen,
            chosen_invalid="true" if chosen else "false",
            chosen_focus="autofocus" if chosen else "",
        )
