"""When more bans come than a recipient gets mails, and when that is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from f2b_enrich.alerts.brake import room

if TYPE_CHECKING:
    from datetime import datetime

    from f2b_enrich.alerts.brake import Limits, Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """From the first alert that the brake held, so many.

    `held_in_window` of them since `window_at`, when the newest whole window began.
    """

    began_at: datetime
    held: int
    window_at: datetime
    held_in_window: int


def begin(*, held: int, now: datetime) -> Flood:
    """Begin one with the first alerts held."""
    return Flood(began_at=now, held=held, window_at=now, held_in_window=held)


def grow(flood: Flood, *, held: int) -> Flood:
    """Count more alerts held."""
    return replace(
        flood, held=flood.held + held, held_in_window=flood.held_in_window + held
    )


def is_over(flood: Flood, load: Load, limits: Limits, *, now: datetime) -> bool:
    """Tell, at a window's end, whether what it brought could have been mailed.

    The first window tells nothing: some of its bans were mailed before the flood began.
    While there is no room nothing is over: the next ban would begin a flood again.
    """
    is_first = flood.began_at <= now < flood.began_at + 2 * limits.window
    is_of_another_clock = flood.window_at > now
    is_little = is_of_another_clock or flood.held_in_window < limits.burst
    return is_little and not is_first and room(load, limits) > 0


def go_on(flood: Flood, *, now: datetime) -> Flood:
    """Begin the flood's next window."""
    return replace(flood, window_at=now, held_in_window=0)


def may_tell(load: Load, limits: Limits) -> bool:
    """Tell whether the day has room for the word that a flood began."""
    return load.today < limits.per_day
