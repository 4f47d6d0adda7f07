"""When bans began, and when nothing was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

DayState: TypeAlias = Literal["data", "gap", "quiet", "before", "after"]
"""`gap`: nothing at all was recorded, for longer than usual. `quiet`: nothing either,
where bans are too rare to tell what is usual. `before` and `after`: the records begin
later, or end earlier. Other days without bans are `data`, with 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The bans of a day of the report's zone; `state` says what no bans mean."""

    day: date
    bans: int
    state: DayState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Days of which there are no records; of one host, or of all of them: None.

    `usual` are the bans of an ordinary day there.
    """

    host: str | None
    first: date
    last: date
    usual: float

    @property
    def days(self) -> int:
        """Count them."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When bans began. `hours` are bans by weekday, Monday first, and by hour."""

    days: tuple[Day, ...]
    outages: tuple[Outage, ...]
    hours: tuple[tuple[int, ...], ...]
