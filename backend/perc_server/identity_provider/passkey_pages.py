"""Adding, renaming and removing passkeys."""

from __future__ import annotations

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from perc_server.addresses import network
from perc_server.identity_provider.ceremonies import PasskeyRefusedError
from perc_server.identity_provider.guards import check_same_origin_fetch, read_form
from perc_server.identity_provider.pages import date
from perc_server.identity_provider.passkeys import MAX_LABEL, Passkey
from perc_server.identity_provider.services import Services
from perc_server.identity_provider.sessions import SignIn
from perc_server.identity_provider.throttle import too_many
from perc_server.observability.codes import LogCode
from perc_server.problems import Problem, ProblemKind
from perc_server.request_log import log_of

REFUSED = "That passkey could not be added. Perhaps it took too long: try again."


class PasskeyPages:
    """The handlers under /account/passkeys."""

    def __init__(self, services: Services) -> None:
        self._passkeys = services.passkeys
        self._ceremonies = services.ceremonies
        self._sessions = services.sessions
        self._limits = services.limits
        self._pages = services.pages
        self._counts = services.counts

    async def show_new(self, request: Request, sign_in: SignIn) -> Response:
        """GET /account/passkeys/new; whoever has been signed in for long first proves again who they are."""
        if not self._sessions.is_recent(sign_in):
            return self._pages.render("sign_in_again", "Is it still you?")
        return self._new_page(request)

    async def options(self, request: Request, sign_in: SignIn) -> Response:
        """POST /account/passkeys/options: what this browser's authenticator is to make."""
        check_same_origin_fetch(request)
        self._check_recent(sign_in)
        if wait := self._limits.challenge(network(request)):
            raise too_many(wait)
        options = await run_in_threadpool(self._ceremonies.creation_options, sign_in)
        return Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def add(self, request: Request, sign_in: SignIn) -> Response:
        """POST /account/passkeys/new."""
        fields = await read_form(request)
        self._check_recent(sign_in)
        label = _label(fields)
        try:
            await run_in_threadpool(self._ceremonies.add, sign_in, fields.get("credential", ""), label)
        except PasskeyRefusedError as error:
            self._counts.passkeys_refused[error.reason] += 1
            log_of(request).info(LogCode.PASSKEY_REFUSED, "%s", error.reason)
            return self._new_page(request, label, REFUSED)
        return RedirectResponse("/account?done=passkey-added", HTTPStatus.SEE_OTHER)

    async def show(self, request: Request, sign_in: SignIn) -> Response:
        """GET /account/passkeys?id=…: one of them."""
        passkey = await self._own(sign_in, request.query_params.get("id", ""))
        return self._pages.form(
            request,
            "passkey",
            "Passkey",
            credential_id=passkey.credential_id,
            label=passkey.label,
            added=date(passkey.created_at),
            limit=str(MAX_LABEL),
        )

    async def change(self, request: Request, sign_in: SignIn) -> Response:
        """POST /account/passkeys: renames or removes one of them."""
        fields = await read_form(request)
        passkey = await self._own(sign_in, fields.get("id", ""))
        if fields.get("action") == "remove":
            await run_in_threadpool(self._passkeys.remove, sign_in.account, passkey.credential_id)
            return RedirectResponse("/account?done=passkey-removed", HTTPStatus.SEE_OTHER)
        await run_in_threadpool(self._passkeys.rename, sign_in.account, passkey.credential_id, _label(fields))
        return RedirectResponse("/account?done=passkey-renamed", HTTPStatus.SEE_OTHER)

    async def _own(self, sign_in: SignIn, credential_id: str) -> Passkey:
        for passkey in await run_in_threadpool(self._passkeys.of, sign_in.account):
            if passkey.credential_id == credential_id:
                return passkey
        raise Problem(HTTPStatus.NOT_FOUND, ProblemKind.NO_PASSKEY, "You have no such passkey.")

    def _check_recent(self, sign_in: SignIn) -> None:
        if not self._sessions.is_recent(sign_in):
            raise Problem(
                HTTPStatus.FORBIDDEN, ProblemKind.SIGN_IN_AGAIN, "You signed in long ago. Sign in again first."
            )

    def _new_page(self, request: Request, label: str = "", problem: str = "") -> Response:
        status = 422 if problem else 200
        return self._pages.form(
            request, "new_passkey", "Add a passkey", status, label=label, problem=problem, limit=str(MAX_LABEL)
        )


def _label(fields: dict[str, str]) -> str:
    """What a person calls a passkey: one line of printable text."""
    label = " ".join("".join(c if c.isprintable() else " " for c in fields.get("label", "")).split())
    return label[:MAX_LABEL].strip() or "Passkey"
