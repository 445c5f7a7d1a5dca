"""Making an account: GET and POST /register, reached from the sign-in page or on its own."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from perc_server.addresses import network
from perc_server.identity_provider import names, passwords
from perc_server.identity_provider.asking import Asking
from perc_server.identity_provider.counts import RegistrationRefusal
from perc_server.identity_provider.guards import read_form
from perc_server.identity_provider.services import Services
from perc_server.identity_provider.throttle import too_many
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.request_log import client_of, log_of

TAKEN = "This name, or one that looks like it, is taken."
"""The one thing that registration must tell about others; how often it is told is limited by network."""


class Registration:
    """The handlers of the page."""

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._accounts = services.accounts
        self._passwords = services.passwords
        self._visitors = services.visitors
        self._limits = services.limits
        self._pages = services.pages
        self._counts = services.counts

    async def show(self, request: Request) -> Response:
        """GET /register."""
        return self._page(request, Asking.of(request))

    async def register(self, request: Request) -> Response:
        """POST /register: the new account is signed in at once."""
        asking = Asking.of(request)
        fields = await read_form(request)
        name, password = names.canonical(fields.get("name", "")), fields.get("password", "")
        objections = names.objection(name) or "", passwords.objection(password, name) or ""
        if any(objections):
            self._refuse(request, RegistrationRefusal.BAD_NAME if objections[0] else RegistrationRefusal.BAD_PASSWORD)
            return self._page(request, asking, name, *objections)
        if wait := self._limits.registration(network(request)):
            self._refuse(request, RegistrationRefusal.TOO_MANY)
            problem = too_many(wait)
            response = self._page(request, asking, name, problem.detail, status=problem.status)
            response.headers["Retry-After"] = str(int(wait) + 1)
            return response
        if await run_in_threadpool(self._accounts.is_taken, name):
            self._refuse(request, RegistrationRefusal.TAKEN)
            return self._page(request, asking, name, TAKEN)
        password_hash = await self._passwords.hash(password)
        account = await run_in_threadpool(self._accounts.register, name, password_hash)
        if account is None:
            self._refuse(request, RegistrationRefusal.TAKEN)
            return self._page(request, asking, name, TAKEN)
        self._counts.registered += 1
        log_of(request).info(LogCode.REGISTERED, "%s", identifying(Kind.ACCOUNT, account.name))
        return await self._visitors.begin(request, account, asking.signed_in_as(account))

    def _refuse(self, request: Request, reason: RegistrationRefusal) -> None:
        self._counts.registrations_refused[reason] += 1
        log_of(request).info(LogCode.REGISTRATION_REFUSED, "%s for %s", reason, client_of(request))

    def _page(
        self,
        request: Request,
        asking: Asking,
        name: str = "",
        name_problem: str = "",
        password_problem: str = "",
        status: int = 0,
    ) -> Response:
        problem = bool(name_problem or password_problem)
        return self._pages.form(
            request,
            "register",
            "Create an account",
            status or (422 if problem else 200),
            purpose=asking.purpose,
            query=asking.query,
            host=self._config.identity(""),
            name=name,
            name_problem=name_problem,
            name_invalid="true" if name_problem else "false",
            name_focus="autofocus" if name_problem or not problem else "",
            password_problem=password_problem,
            password_invalid="true" if password_problem else "false",
            password_focus="autofocus" if password_problem and not name_problem else "",
        )
