"""The times in a log, which names no zone and in syslog no year, made UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

JITTER = timedelta(seconds=10)
"""How far back a line may be dated without the clock having been put back: threads
write their lines in another order than they dated them."""

_MOST_HOURS = 100_000
"""Hours kept in mind: eleven years of them."""

_LAST_OF_HOUR = timedelta(minutes=59, seconds=59, microseconds=999_999)

_A_DAY = timedelta(days=1)
_MOST_BETWEEN_LEAP_YEARS = 9
"""1896 and 1904 were leap years, 1900 was none."""

_DAY = 24 * 60 * 60
_MONTH = 31 * _DAY
_YEAR = 12 * _MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPlace:
    """How far a log's times were read: the last one, and the doubts up to there.

    `ambiguous` counts times of an hour that the clock showed twice and whose order did
    not tell which it was (the first is taken), `in_doubt` those that the next lines may
    still tell; `missing` counts times of an hour that the clock skipped: they show that
    the zone is not the log's.
    """

    last_at: datetime | None = None
    ambiguous: int = 0
    in_doubt: int = 0
    missing: int = 0


class Clock:
    """Local times as a log has them, in its order, made UTC.

    `showed_twice` becomes true at a time that may be one of two.
    """

    def __init__(self, zone: tzinfo, *, place: ClockPlace) -> None:
        """Take the zone of the machine that wrote the log, and where to go on."""
        self.zone = zone
        self.showed_twice = False
        self.go_to(place)
        self._hours: dict[bytes | tuple[int, int], timedelta | None] = {}

    def go_to(self, place: ClockPlace) -> None:
        """Go on from another place of the same log."""
        self._last_at = place.last_at
        self._ambiguous = place.ambiguous
        self._in_doubt = place.in_doubt
        self._missing = place.missing

    @property
    def place(self) -> ClockPlace:
        """Tell what a clock must know that goes on from here."""
        return ClockPlace(
            last_at=self._last_at,
            ambiguous=self._ambiguous,
            in_doubt=self._in_doubt,
            missing=self._missing,
        )

    def offset(self, hour: bytes) -> timedelta | None:
        """Give what the hour `2026-11-21 20` is ahead of UTC, None if not one span."""
        try:
            return self._hours[hour]
        except KeyError:
            try:
                begun = datetime.fromisoformat(hour.decode())
            except ValueError:
                begun = None
            return self._keep(hour, self._offset(begun) if begun else None)

    def begun(self, hours: Iterable[bytes]) -> dict[bytes, int] | None:
        """Tell when such hours began, in Unix seconds; None if one is not one span."""
        begun: dict[bytes, int] = {}
        for hour in hours:
            ahead = self.offset(hour)
            if ahead is None:
                return None
            wall = datetime.fromisoformat(hour.decode()).replace(tzinfo=UTC)
            begun[hour] = int((wall - ahead).timestamp())
        return begun

    def _offset(self, hour: datetime) -> timedelta | None:
        walls = (hour, hour + _LAST_OF_HOUR)
        offsets = {self._ahead(wall, fold) for wall in walls for fold in (0, 1)}
        return offsets.pop() if len(offsets) == 1 else None

    def _offset_at(self, wall: datetime) -> timedelta | None:
        key = wall.toordinal(), wall.hour
        try:
            return self._hours[key]
        except KeyError:
            hour = wall.replace(minute=0, second=0, microsecond=0)
            return self._keep(key, self._offset(hour))

    def _keep(
        self, key: bytes | tuple[int, int], offset: timedelta | None
    ) -> timedelta | None:
        if len(self._hours) >= _MOST_HOURS:
            self._hours.clear()
        self._hours[key] = offset
        return offset

    def utc(self, wall: datetime, *, is_counted: bool) -> datetime | None:
        """Give the instant of a local time; None when no calendar here holds it.

        `is_counted` says that a doubt about this time is to be counted.
        """
        ahead = self._offset_at(wall)
        try:
            if ahead is not None:
                at = wall.replace(tzinfo=UTC) - ahead
                self.reached(at)
                return at
            early = (wall - self._ahead(wall, 0)).replace(tzinfo=UTC)
            late = (wall - self._ahead(wall, 1)).replace(tzinfo=UTC)
        except OverflowError:
            return None
        if early >= late:
            self._missing += is_counted and early > late
            self.reached(early)
            return early
        self.showed_twice = True
        if (
            self._last_at is not None
            and early + JITTER < self._last_at <= late + JITTER
        ):
            self._in_doubt = 0  # those before were of the first hour
            self._last_at = late
            return late
        self._in_doubt += is_counted
        self._last_at = early
        return early

    def instant(self, wall: datetime) -> datetime | None:
        """Give the instant of a local time that is not a line's own.

        The first of two that the clock showed; None when no calendar here holds it.
        """
        try:
            return (wall - self._ahead(wall, 0)).replace(tzinfo=UTC)
        except OverflowError:
            return None

    def day(self, at: datetime) -> date | None:
        """Give the local day of an instant; None when no calendar here holds it."""
        try:
            return at.astimezone(self.zone).date()
        except OverflowError:
            return None

    def reached(self, at: datetime) -> None:
        """Note an instant that is in no doubt: an hour shown twice is over."""
        self._last_at = at
        self._ambiguous += self._in_doubt
        self._in_doubt = 0

    def _ahead(self, wall: datetime, fold: int) -> timedelta:
        offset = self.zone.utcoffset(wall.replace(fold=fold, tzinfo=self.zone))
        return offset if offset is not None else timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearless:
    """A time as syslog writes it."""

    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int = 0

    @property
    def seconds(self) -> int:
        """Count seconds within a year whose months all have 31 days."""
        clock = self.hour * 3600 + self.minute * 60 + self.second
        return (self.month - 1) * _MONTH + (self.day - 1) * _DAY + clock

    def of_year(self, year: int) -> datetime | None:
        """Give the local time; None when that year has no such day."""
        try:
            return datetime(  # noqa: DTZ001 - a wall clock's
                year,
                self.month,
                self.day,
                self.hour,
                self.minute,
                self.second,
                self.microsecond,
            )
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsPlace:
    """How far times without a year were read: turns of the year, the last seconds."""

    turns: int = 0
    seconds: int | None = None


class Years:
    """The turns of the year in a log that names none.

    A gap of more than a year cannot be seen.
    """

    def __init__(self, place: YearsPlace) -> None:
        """Go on from that place."""
        self.go_to(place)

    def go_to(self, place: YearsPlace) -> None:
        """Go on from another place of the same log."""
        self._turns = place.turns
        self._seconds = place.seconds

    @property
    def place(self) -> YearsPlace:
        """Tell what must be known to go on from here."""
        return YearsPlace(turns=self._turns, seconds=self._seconds)

    def turns(self, stamp: Yearless) -> int:
        """Count the turns of the year from the first time to this one.

        Logs run forward: a time that is more than a day back is of the next year.
        """
        seconds = stamp.seconds
        if self._seconds is not None:
            ahead = seconds - self._seconds
            if ahead < -_DAY:
                self._turns += 1
            elif ahead >= _YEAR - _DAY:
                self._turns -= 1  # 31 December once more, after a line of 1 January
        self._seconds = seconds
        return self._turns


def year_of_last(stamp: Yearless, *, by: datetime) -> int:
    """Give the latest year in which that local time is not after `by`, or a day."""
    try:
        latest = (by + _A_DAY).replace(tzinfo=None)
    except OverflowError:
        latest = by.replace(tzinfo=None)
    for year in range(latest.year, latest.year - _MOST_BETWEEN_LEAP_YEARS, -1):
        wall = stamp.of_year(year)
        if wall is not None and wall <= latest:
            return year
    return latest.year  # no year has such a day
