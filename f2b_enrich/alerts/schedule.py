"""When digests are due by the clock on the wall, and what time each is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from f2b_enrich.figures import Period

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from f2b_enrich.figures import DigestKind

HOUR = timedelta(hours=1)
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A digest that was due `at` this time."""

    at: datetime
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The local times of digests; None is no digest of that kind.

    `weekly` is a day, Monday being 0, and a time.
    """

    daily: time | None = None
    hourly: bool = False
    weekly: tuple[int, time] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no digest ever comes by the clock."""
        return self.daily is None and self.weekly is None and not self.hourly

    def latest(self, now: datetime, zone: tzinfo | None) -> Iterator[Slot]:
        """Give of each kind the one that was due last; a zone of None is the machine's.

        A daily digest is about the calendar day before, a weekly one about the seven
        days before, an hourly one about the hour that has just ended.
        """
        today = now.astimezone(zone).date()
        if self.daily is not None:
            at, day = _last(now, zone, today, self.daily, every=1)
            yield Slot(at=at, period=_days("daily", day, 1, zone))
        if self.weekly is not None:
            weekday, clock = self.weekly
            first = today - timedelta(days=(today.weekday() - weekday) % WEEK_DAYS)
            at, day = _last(now, zone, first, clock, every=WEEK_DAYS)
            yield Slot(at=at, period=_days("weekly", day, WEEK_DAYS, zone))
        if self.hourly:
            at = _full_hour(now, zone)
            before = at - 2 * HOUR
            period = Period(kind="hourly", since=at - HOUR, until=at, before=before)
            yield Slot(at=at, period=period)

    def following(self, now: datetime, zone: tzinfo | None) -> datetime | None:
        """Tell when the next one is due; None when none ever is."""
        today = now.astimezone(zone).date()
        times = []
        if self.daily is not None:
            times.append(_next(now, zone, today, self.daily, every=1))
        if self.weekly is not None:
            weekday, clock = self.weekly
            first = today - timedelta(days=(today.weekday() - weekday) % WEEK_DAYS)
            times.append(_next(now, zone, first, clock, every=WEEK_DAYS))
        if self.hourly:
            times.append(_full_hour(now, zone) + HOUR)
        return min(times, default=None)


def _last(
    now: datetime, zone: tzinfo | None, day: date, clock: time, *, every: int
) -> tuple[datetime, date]:
    """Find the last such time, and its day."""
    while (at := _moment(day, clock, zone)) > now:
        day -= timedelta(days=every)
    return at, day


def _next(
    now: datetime, zone: tzinfo | None, day: date, clock: time, *, every: int
) -> datetime:
    while (at := _moment(day, clock, zone)) <= now:
        day += timedelta(days=every)
    return at


def _moment(day: date, clock: time, zone: tzinfo | None) -> datetime:
    """Give a local time; where it is left out, that is an hour later on the clock."""
    # Without a zone of its own it is a time of the machine's.
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _full_hour(now: datetime, zone: tzinfo | None) -> datetime:
    local = now.astimezone(zone)
    past = timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return now.astimezone(UTC) - past


def _days(kind: DigestKind, day: date, number: int, zone: tzinfo | None) -> Period:
    """Give the period of so many days before a day, and of as many before those."""
    span = timedelta(days=number)
    return Period(
        kind=kind,
        since=_moment(day - span, time.min, zone),
        until=_moment(day, time.min, zone),
        before=_moment(day - 2 * span, time.min, zone),
    )
