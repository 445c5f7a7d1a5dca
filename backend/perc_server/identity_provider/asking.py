"""Who opened the login popup, and for whom: the part of the URL that is taken along from page to page."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request

from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.guards import is_web_origin
from perc_server.problems import Problem, ProblemKind

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a code: the web origin and the frame's challenge; both empty when nobody does."""

    origin: str = ""
    challenge: str = ""
    username: str = ""
    again: bool = False
    """Whether to ask even someone who is signed in who they are."""

    @classmethod
    def of(cls, request: Request) -> Asking:
        """From the query; `Problem` if it could not be what a frame of this site made."""
        query = request.query_params
        username, again = query.get("username", "")[:64], "again" in query
        asking = cls(query.get("origin", ""), query.get("challenge", ""), username, again)
        if asking.origin and not is_web_origin(asking.origin):
            raise Problem(
                HTTPStatus.BAD_REQUEST, ProblemKind.BAD_ORIGIN, "The site that asks is not named by a web origin."
            )
        if bool(asking.origin) != bool(asking.challenge) or not CHALLENGE.fullmatch(asking.challenge or "A" * 43):
            raise Problem(HTTPStatus.BAD_REQUEST, ProblemKind.BAD_CHALLENGE, "The link to this page is not complete.")
        return asking

    @property
    def query(self) -> str:
        """As in the URL."""
        members = {"origin": self.origin, "challenge": self.challenge, "username": self.username}
        again = {"again": "1"} if self.again else {}
        return urlencode({name: value for name, value in members.items() if value} | again)

    @property
    def purpose(self) -> str:
        """What one signs in for, in words."""
        return f"to continue to {self.origin}" if self.origin else "to your account"

    def signed_in_as(self, account: Account) -> str:
        """The URL at which it goes on. Always one of this site's: the site that asked is told by its frame."""
        if not self.origin:
            return "/account"
        username = account.name if self.username else ""
        return f"/login?{replace(self, username=username, again=False).query}"

    def signed_out(self) -> str:
        """The URL at which someone else may sign in."""
        return f"/login?{replace(self, username='', again=False).query}"
