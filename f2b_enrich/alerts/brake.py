"""How many mails a recipient gets in a while, whatever else is decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

NOTICES = 1
"""Mails of a day kept back for the one that says that a flood began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """At most `burst` mails within `window`, and `per_day` on a local day."""

    burst: int = 20
    window: timedelta = timedelta(minutes=10)
    per_day: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one recipient was sent, or is about to be.

    A mail that could not be sent yet counts as sent just now: else a mail server that
    was away for days would be followed by all of them at once.
    """

    in_window: int
    today: int


def room(load: Load, limits: Limits) -> int:
    """Count the alerts that may go to a recipient now."""
    by_window = limits.burst - load.in_window
    by_day = limits.per_day - NOTICES - load.today
    return max(min(by_window, by_day), 0)


def is_day_used_up(load: Load, limits: Limits) -> bool:
    """Tell whether only another day, not another window, makes room."""
    return load.today >= limits.per_day - NOTICES
