"""What was found out about one link of the chain, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(StrEnum):
    """How bad it is; UNKNOWN is what could not be looked at."""

    OK = "ok"
    WARN = "WARN"
    CRIT = "CRIT"
    UNKNOWN = "?"


_EXIT_CODES = {Level.CRIT: 2, Level.WARN: 1, Level.UNKNOWN: 3, Level.OK: 0}
"""A monitoring plug-in's, the one that outweighs the others first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link: its name, what was seen, and the cure where it needs one."""

    name: str
    level: Level
    text: str
    cure: str = ""

    def __str__(self) -> str:
        """Write what was seen and its cure on one line."""
        return f"{self.text}; {self.cure}" if self.cure else self.text


def ok(name: str, text: str) -> Link:
    """Say that a link holds."""
    return Link(name=name, level=Level.OK, text=text)


def warn(name: str, text: str, cure: str) -> Link:
    """Say that a link holds, but not as it should, or not for long."""
    return Link(name=name, level=Level.WARN, text=text, cure=cure)


def crit(name: str, text: str, cure: str) -> Link:
    """Say that a link is broken: bans get lost, or nobody hears of them."""
    return Link(name=name, level=Level.CRIT, text=text, cure=cure)


def unknown(name: str, text: str, cure: str = "") -> Link:
    """Say that a link could not be looked at, and why."""
    return Link(name=name, level=Level.UNKNOWN, text=f"not known: {text}", cure=cure)


def exit_code(links: Iterable[Link]) -> int:
    """Give a monitoring plug-in's exit code: 0 ok, 1 warning, 2 critical, 3 unknown.

    What is not known outweighs only what is well.
    """
    levels = {link.level for link in links}
    return next((code for level, code in _EXIT_CODES.items() if level in levels), 0)
