"""What may stand in what is published: names of places and networks, if they are."""

from __future__ import annotations

import re

from f2b_enrich.inert import printable

LONGEST = 100
"""Characters of a name; there is no place with a longer one."""

_COUNTRY = re.compile(r"[A-Z]{2}")
# Sources have none of these in a name; a mailbox that is imported may hold anything.
# Three numbers are a subnet, and host names have them with hyphens.
_NO_NAME = re.compile(
    r"@|\d{1,3}(?:[.-]\d{1,3}){2,}|[0-9a-f]*:[0-9a-f]*:|://", re.IGNORECASE
)


def name(text: str) -> str:
    """Give a name as it can be shown; nothing for what looks like an address."""
    shown = printable(text).strip()
    return "" if len(shown) > LONGEST or _NO_NAME.search(shown) else shown


def country_code(text: str) -> str:
    """Give a country's code, or nothing for what is none."""
    return text if _COUNTRY.fullmatch(text) else ""
