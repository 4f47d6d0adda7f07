"""What fail2ban's own filter named, as kinds of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {"user": "username"}


def captured(captures: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give kinds and values; what is no value, such as an unreplaced tag, is left out."""
    return tuple(
        (_KINDS[name], value[:256])
        for name, value in captures.items()
        if name in _KINDS and value and not value.startswith("<F-")
    )
