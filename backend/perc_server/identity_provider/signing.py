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
from perc_server.identity_provider.guards import check_same_origin_fetch, member, read_json
from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.sessions import Session, Sessions
from perc_server.problems import Problem

MAX_CONTENTS = 16 * 1024
"""Octets of contents: a dozen fingerprints and a URL need two thousand."""

MAX_REQUEST = 2 * MAX_CONTENTS + 2048
"""Octets of a request: contents with every character escaped, and the short members."""

MAX_SHORT = 300
NO_STORE = {"Cache-Control": "no-store"}


class Signing:
    """The handlers of the frame's requests; `clock` gives Unix time."""

    def __init__(
        self, config: IdentityProviderConfig, sessions: Sessions, keys: SigningKeys, clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._keys = keys
        self._clock = clock

    async def redeem(self, request: Request) -> Response:
        """POST /session {code, verifier, origin}: the frame gets its cookie, in this site's partition alone."""
        check_same_origin_fetch(request)
        document = await read_json(request, MAX_REQUEST)
        code, verifier, origin = (member(document, name, MAX_SHORT) for name in ("code", "verifier", "origin"))
        token = await run_in_threadpool(self._sessions.redeem, code, verifier, origin)
        if token is None:
            raise Problem(HTTPStatus.FORBIDDEN, "code-refused", "This code is not, or no longer, good for that.")
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
        return JSONResponse({"assertion": sign(assertion, key)}, headers=NO_STORE)

    async def _session(self, request: Request, origin: str, hint: str) -> Session:
        token = request.cookies.get(cookies.SESSION)
        session = await run_in_threadpool(self._sessions.find, token) if token else None
        if session is None:
            raise login_required("Nobody is signed in here.")
        # A session is a person's consent to one web origin; two origins of one site share a cookie partition.
        if session.origin != origin:
            raise login_required("The person who is signed in has not agreed to that site.")
        if hint and self._config.account(hint) != session.account.name:
            raise login_required("Someone else is signed in here.")
        return session


def login_required(detail: str) -> Problem:
    """What the proxy turns into `idp-need-login`."""
    return Problem(HTTPStatus.UNAUTHORIZED, "login-required", detail)
