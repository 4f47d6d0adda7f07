"""What fail2ban's own filter named in the lines it matched, as kinds of values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from f2b_enrich.classify.rules import KINDS
from f2b_enrich.classify.values import LONGEST_VALUE, NAMES, is_address

if TYPE_CHECKING:
    from collections.abc import Mapping

_USER = re.compile(r"user|alt_user\w*")
"""F-USER, and what filters fall back on: F-ALT_USER, F-ALT_USER1 and so on.

Of the others that fail2ban's filters have, F-CONTENT is a part of a line and the rest
is for fail2ban itself. What an administrator's own filter calls F-PATH is one.
"""

_UNREPLACED = re.compile(r"<F-\w+>")
"""What fail2ban leaves where its filter has no such capture."""

_PORT = re.compile(r"0*[1-9]\d{0,4}", re.ASCII)


def captured(captures: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give kinds and values, at most one of each kind; the keys are as in an Event."""
    found: dict[str, str] = {}
    # F-USER goes before what stands in for it.
    for name in sorted(captures, key=lambda name: (name != "user", name)):
        kind = "username" if _USER.fullmatch(name) else name
        value = captures[name].strip()[:LONGEST_VALUE]
        if kind in KINDS and _is_value(kind, value):
            found.setdefault(kind, value)
    return tuple(found.items())


def _is_value(kind: str, value: str) -> bool:
    if not value or _UNREPLACED.fullmatch(value):
        return False
    if kind == "port":
        return _PORT.fullmatch(value) is not None and int(value) <= 65535
    return kind not in NAMES or not is_address(value)
