"""Which time a report is about, and which one before it is compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from f2b_enrich.cli import times

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_LAST = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_NAMES = {"h": "hour", "d": "day", "w": "week"}
_DAYS = {"d": 1, "w": 7}
_FIRST_YEAR = 1970

# Not strftime's, which differ with the machine's language.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options that name a time and its zone, as they were typed; None was not."""

    month: str | None = None
    since: str | None = None
    until: str | None = None
    last: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time and the one before it, which ends where this begins; as people say them.

    Times are UTC.
    """

    label: str
    since: datetime
    until: datetime
    before_since: datetime
    before_label: str


def chosen(asked: Asked, *, now: datetime, zone: ZoneInfo) -> Period:
    """Give the time that options name; without any, the last whole month.

    Raises:
        ValueError: they name none, more than one, or one that is still to come.
    """
    now = now.astimezone(zone).replace(microsecond=0)
    is_range = asked.since is not None or asked.until is not None
    named = (asked.month is not None, is_range, asked.last is not None)
    if sum(named) > 1:
        raise ValueError(
            "name one time: --month, or --since and --until, or --last, not two of them"
        )
    if asked.month is not None:
        return _month(*_read_month(asked.month), now)
    if asked.last is not None:
        return _last(asked.last, now)
    if is_range:
        return _range(asked.since, asked.until, now)
    return _month(*_month_before(now.year, now.month), now)


def _read_month(text: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(text.strip())
    if not found or int(found[1]) < _FIRST_YEAR or int(found[1]) > date.max.year - 1:
        raise ValueError(f"{text!r} is no month, expected one such as 2024-10")
    return int(found[1]), int(found[2])


def _month(year: int, month: int, now: datetime) -> Period:
    since = _midnight(date(year, month, 1), now)
    after = _midnight(date(year + month // 12, month % 12 + 1, 1), now)
    name = f"{_MONTHS[month - 1]} {year}"
    if _utc(since) >= _utc(now):
        raise ValueError(f"the month of {name} has not begun yet")
    if _utc(after) > _utc(now):
        return _with_same_before(since, now, label=f"{name} up to {_date(now.date())}")
    year, month = _month_before(year, month)
    return _period(
        since,
        after,
        _midnight(date(year, month, 1), now),
        label=name,
        before=f"{_MONTHS[month - 1]} {year}",
    )


def _month_before(year: int, month: int) -> tuple[int, int]:
    return (year, month - 1) if month > 1 else (year - 1, 12)


def _last(text: str, now: datetime) -> Period:
    """Take whole days, without today; hours up to now."""
    found = _LAST.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no length of time, expected 24h, 7d or 4w")
    count, unit = int(found[1]), found[2]
    many = _NAMES[unit] if count == 1 else f"{count:,} {_NAMES[unit]}s"
    if unit == "h":
        until = now
        since = _plus(until, -timedelta(hours=count))
        end = f"{_date(until.date())} {until:%H:%M}"
    else:
        until = _midnight(now.date(), now)
        since = _midnight(until.date() - timedelta(days=count * _DAYS[unit]), now)
        end = _date(until.date() - timedelta(days=1))
    _check_begin(since)
    if unit == "d" and count == 1:
        label, before = end, _date(since.date() - timedelta(days=1))
        return _period(since, until, _before(since, until), label=label, before=before)
    return _period(
        since,
        until,
        _before(since, until),
        label=f"the {many} to {end}",
        before=f"the {many} before",
    )


def _range(since: str | None, until: str | None, now: datetime) -> Period:
    if since is None:
        raise ValueError("--until needs --since, or the report has no beginning")
    begin = _read(since, now)
    end = now if until is None else _read(until, now)
    _check_begin(begin)
    if _utc(begin) >= _utc(end):
        raise ValueError("--since is not before --until" if until else _to_come(begin))
    if _utc(begin) >= _utc(now):
        raise ValueError(_to_come(begin))
    # What is still to come would be compared with what has been.
    return _with_same_before(begin, min(end, now, key=_utc), label=None)


def _read(text: str, now: datetime) -> datetime:
    zone = now.tzinfo
    try:
        return times.parse(text, now=_utc(now), zone=zone).astimezone(zone)
    except OverflowError:  # the first and the last day of all, in some zones
        raise ValueError(
            f"{text!r} is no time that the clocks of {zone} can show"
        ) from None


def _to_come(begin: datetime) -> str:
    return f"--since {begin:%Y-%m-%d %H:%M} is still to come"


def _check_begin(begin: datetime) -> None:
    if begin.year < _FIRST_YEAR:
        raise ValueError(f"{begin.date()} is too early, the limit is {_FIRST_YEAR}")


def _with_same_before(since: datetime, until: datetime, *, label: str | None) -> Period:
    before = _before(since, until)
    are_days = _is_midnight(since) and _is_midnight(until)
    return _period(
        since,
        until,
        before,
        label=label or _from_to(since, until),
        before=_from_to(before, since) if are_days else "the same length before",
    )


def _period(
    since: datetime, until: datetime, before_since: datetime, *, label: str, before: str
) -> Period:
    return Period(
        label=label,
        since=since.astimezone(UTC),
        until=until.astimezone(UTC),
        before_since=before_since.astimezone(UTC),
        before_label=before,
    )


def _before(since: datetime, until: datetime) -> datetime:
    """Begin the same length before: as many days on the calendar, or seconds."""
    if _is_midnight(since) and _is_midnight(until):
        days = until.date() - since.date()
        return _midnight(since.date() - days, since)
    return _plus(since, since.astimezone(UTC) - until.astimezone(UTC))


def _plus(when: datetime, span: timedelta) -> datetime:
    """Add time that passes, which the clock of a zone may not show."""
    return (when.astimezone(UTC) + span).astimezone(when.tzinfo)


def _midnight(day: date, like: datetime) -> datetime:
    """Give the beginning of a day; where its midnight is left out, what comes then."""
    begun = datetime.combine(day, time.min, tzinfo=like.tzinfo)
    return begun.astimezone(UTC).astimezone(like.tzinfo)


def _is_midnight(when: datetime) -> bool:
    return _utc(when) == _utc(_midnight(when.date(), when))


def _utc(when: datetime) -> datetime:
    """Make a time comparable: two of one zone are compared by what its clocks show.

    In the hour that clocks show twice the later of them may be the earlier.
    """
    return when.astimezone(UTC)


def _from_to(since: datetime, until: datetime) -> str:
    """Name the first and the last day, or the times where they are not whole days."""
    if _is_midnight(since) and _is_midnight(until):
        last = until.date() - timedelta(days=1)
        return f"{since:%Y-%m-%d}" + (
            f" to {last:%Y-%m-%d}" if last > since.date() else ""
        )
    return f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"


def _date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"
