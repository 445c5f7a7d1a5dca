"""This site's cookies. `__Host-` ties each to this host and to secure contexts; no script reads any of them.

Written by hand because http.cookies knows `Partitioned` only from Python 3.14 on.
"""

from __future__ import annotations

from starlette.responses import Response

SIGN_IN = "__Host-sign-in"
"""For this site's own pages. Lax: a login popup is a navigation that another site began."""

SESSION = "__Host-idp"
"""For its frames in other sites' pages. Partitioned: what one embedding site was given, no other site's frame sends."""


def set_first_party(response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie for this site's own pages."""
    _set(response, f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")


def set_partitioned(response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie for this site's frames in the pages of the one site that embeds them now (CHIPS)."""
    _set(response, f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=None; Partitioned")


def clear_first_party(response: Response, name: str) -> None:
    """Ends a cookie of this site's own pages."""
    set_first_party(response, name, "", 0)


def _set(response: Response, value: str) -> None:
    response.headers.append("Set-Cookie", value)
