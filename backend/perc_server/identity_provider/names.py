"""Which names people may have. A name is what others in a call rely on, so none may pass for another.

A name is lower-case ASCII letters and digits with single `.`, `_` or `-` between them. Within that, a *look* is what is
left when everything that the eye passes over is taken away; there is one account for each look.
"""

from __future__ import annotations

import re

MIN_NAME = 2
MAX_NAME = 32
"""Characters; more would not fit a tile in a call."""

NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*", re.ASCII)

CONFUSABLE = (("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("rn", "m"), ("vv", "w"), ("cl", "d"))
"""What looks alike in a sans-serif type; the ASCII part of Unicode Technical Standard 39, and neighbours."""

RESERVED = """
    abuse hostmaster info marketing noc postmaster sales security support webmaster
    account accounts admin administrator anonymous everyone help host idp key-distributor login moderator
    no-reply nobody noreply official operator owner perc root service staff system unknown
"""
"""The names of RFC 2142, since a name here is read as an address is; and who would be believed to speak for the
service, or for nobody in particular."""


def canonical(name: str) -> str:
    """As it is stored. Only ASCII is lowered: the Kelvin sign's lower case is a plain k."""
    name = name.strip()
    return name.lower() if name.isascii() else name


def could_exist(name: str) -> bool:
    """Whether an account could have this name: of earlier accounts no more is known than that they are printable."""
    return name.isascii() and name.isprintable() and 0 < len(name) <= 64


def look(name: str) -> str:
    """What the eye reads of a canonical name."""
    for separator in "._-":
        name = name.replace(separator, "")
    for written, read in CONFUSABLE:
        name = name.replace(written, read)
    return name


def objection(name: str) -> str | None:
    """Why a canonical name cannot be anybody's, in words for the one who wants it."""
    if not MIN_NAME <= len(name) <= MAX_NAME:
        return f"A name has {MIN_NAME} to {MAX_NAME} characters."
    if not NAME.fullmatch(name):
        return "Use a to z and 0 to 9, beginning with a letter; single dots, dashes and underscores may stand between."
    if look(name) in _RESERVED_LOOKS:
        return "This name is reserved."
    return None


_RESERVED_LOOKS = frozenset(map(look, RESERVED.split()))
