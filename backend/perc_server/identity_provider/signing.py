"""What the frame does in a session's name: redeem a code (`POST /session`) and have contents signed (`POST /sign`).

The asking origin comes from the frame's own script, which has it from `event.origin`; nobody else's script can send
these requests, because both take `Sec-Fetch-Site: same-origin` only.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from perc_server.identity_provider import cookies
from perc_server.identity_provider.assertions import Assertion, sign
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.counts import IdentityProviderCounts, SigningRefusal
from perc_server.identity_provider.guards import check_same_origin_fetch, member, read_json
from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.sessions import Session, Sessions
from perc_server.problems import Problem, ProblemKind

MAX_CONTENTS = 16 * 1024
"""Octets of contents: a dozen fingerprints and a URL need two thousand."""

MAX_REQUEST = 2 * MAX_CONTENTS + 2048
"""Octets of a request: contents with every character escaped, and the short members."""

MAX_SHORT = 300
NO_STORE = {"Cache-Control": "no-store"}

_DETAILS = {
    SigningRefusal.NOT_SIGNED_IN: "Nobody is signed in here.",
    SigningRefusal.OTHER_SITE: "The person who is signed in has not agreed to that site.",
    SigningRefusal.OTHER_ACCOUNT: "Someone else is signed in here.",
}


class Signing:
    """The handlers of the frame's requests; `clock` gives Unix time."""

    def __init__(
        self,
        config: IdentityProviderConfig,
        sessions: Sessions,
        keys: SigningKeys,
        clock: Callable[[], float],
        counts: IdentityProviderCounts,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._keys = keys
        self._clock = clock
        self._counts = counts

    async def redeem(self, request: Request) -> Response:
        """POST /session {code, verifier, origin}: the frame gets its cookie, in this site's partition alone."""
        check_same_origin_fetch(request)
        document = await read_json(request, MAX_REQUEST)
        code, verifier, origin = (member(document, name, MAX_SHORT) for name in ("code", "verifier", "origin"))
        token = await run_in_threadpool(self._sessions.redeem, code, verifier, origin)
        if token is None:
            raise Problem(
                HTTPStatus.FORBIDDEN, ProblemKind.CODE_REFUSED, "This code is not, or no longer, good for that."
            )
        self._counts.codes_redeemed += 1
        response = Response(status_code=HTTPStatus.NO_CONTENT, headers=NO_STORE)
        cookies.set_partitioned(response, cookies.SESSION, token, self._config.session_lifetime)
        return response

    async def sign(self, request: Request) -> Response:
        """POST /sign {contents, origin, usernameHint?}: the assertion of the session's user."""
        check_same_origin_fetch(request)
        document = await read_json(request, MAX_REQUEST)
        contents = member(document, "contents", MAX_CONTENTS)
        origin = member(document, "origin", MAX_SHORT)
        hint = member(document, "usernameHint", MAX_SHORT) if "usernameHint" in document else ""
        session = await self._session(request, origin, hint)
        key = await run_in_threadpool(self._keys.current)
        now = int(self._clock())
        assertion = Assertion(
            contents=contents,
            identity=self._config.identity(session.account.name),
            iss=self._config.domain,
            iat=now,
            exp=now + self._config.assertion_lifetime,
        )
        self._counts.signed += 1
        return JSONResponse({"assertion": sign(assertion, key)}, headers=NO_STORE)

    async def _session(self, request: Request, origin: str, hint: str) -> Session:
        token = request.cookies.get(cookies.SESSION)
        session = await run_in_threadpool(self._sessions.find, token) if token else None
        if session is None:
            raise self._login_required(SigningRefusal.NOT_SIGNED_IN)
        # A session is a person's consent to one web origin; two origins of one site share a cookie partition.
        if session.origin != origin:
            raise self._login_required(SigningRefusal.OTHER_SITE)
        if hint and self._config.account(hint) != session.account.name:
            raise self._login_required(SigningRefusal.OTHER_ACCOUNT)
        return session

    def _login_required(self, reason: SigningRefusal) -> Problem:
        """Return what the proxy turns into `idp-need-login`."""
        self._counts.signing_refused[reason] += 1
        return Problem(HTTPStatus.UNAUTHORIZED, ProblemKind.LOGIN_REQUIRED, _DETAILS[reason])
