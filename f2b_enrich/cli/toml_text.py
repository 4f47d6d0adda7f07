"""Values as TOML: the standard library reads it and does not write it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = {'"': '\\"', "\\": "\\\\"}


def value(what: object) -> str:
    """Write a value of the configuration."""
    if isinstance(what, bool):
        return str(what).lower()
    if isinstance(what, int | float):
        return repr(what)
    if isinstance(what, list | tuple):
        return _array(what)
    return _string(str(what))


def key(name: str) -> str:
    """Write a key, in quotes where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _array(values: Iterable[object]) -> str:
    return f"[{', '.join(map(value, values))}]"


def _string(text: str) -> str:
    return f'"{"".join(map(_character, text))}"'


def _character(char: str) -> str:
    if char in _ESCAPED:
        return _ESCAPED[char]
    return char if char.isprintable() else f"\\U{ord(char):08X}"
