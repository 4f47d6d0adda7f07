"""The time that a digest is about, in words."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from f2b_enrich import clocks

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from f2b_enrich.figures import Period

_DAY = timedelta(days=1)


def long(period: Period, zone: tzinfo | None) -> str:
    """Write `Fri 2026-11-20, 00:00-24:00 CET`, or from when to when.

    Where the clocks were changed in it, each end has its own zone.
    """
    since, until = _ends(period, zone)
    first, name = _zones(since, until)
    if _is_one_day(since, until):
        return f"{since:%a %Y-%m-%d}, 00:00{first}-24:00{name}"
    if since.date() == until.date():
        return f"{since:%a %Y-%m-%d}, {since:%H:%M}{first}-{until:%H:%M}{name}"
    return f"{since:%a %Y-%m-%d %H:%M}{first} to {until:%a %Y-%m-%d %H:%M}{name}"


def short(period: Period, zone: tzinfo | None) -> str:
    """Write `Fri 20 Nov`, `Fri 20 Nov 14:00-15:00`, `16 Nov to 22 Nov`."""
    since, until = _ends(period, zone)
    if _is_one_day(since, until):
        return f"{since:%a} {_day(since)}"
    if since.date() == until.date():
        first, last = _zones(since, until)
        clock = f"{since:%H:%M}{first}-{until:%H:%M}"
        # `02:00-02:00` would be no time at all.
        return f"{since:%a} {_day(since)} {clock}{last if first else ''}"
    if _is_midnight(since) and _is_midnight(until):
        return f"{_day(since)} to {_day(until - _DAY)}"
    return f"{_day(since)} {since:%H:%M} to {_day(until)} {until:%H:%M}"


def option(when: datetime, zone: tzinfo | None) -> str:
    """Write a time as `--since` and `--until` take it on the reader's machine."""
    local = clocks.local(when, zone)
    if _comes_twice(local, zone):
        return local.isoformat(timespec="seconds")
    return f"{local:%Y-%m-%d}" if _is_midnight(local) else f"{local:%Y-%m-%dT%H:%M:%S}"


def _comes_twice(local: datetime, zone: tzinfo | None) -> bool:
    """Tell whether a clock shows this time again, after it was set back."""
    try:
        first, second = (
            # Without a zone it is the machine's that a time is taken to be in.
            local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            for fold in (0, 1)
        )
    except (OverflowError, ValueError):  # at the ends of the calendar
        return False
    return first != second


def _zones(since: datetime, until: datetime) -> tuple[str, str]:
    """Name the zones of both ends; at the first only if it is another."""
    first, last = clocks.zone_name(since), clocks.zone_name(until)
    return "" if first == last else f" {first}", f" {last}"


def _ends(period: Period, zone: tzinfo | None) -> tuple[datetime, datetime]:
    return clocks.local(period.since, zone), clocks.local(period.until, zone)


def _is_one_day(since: datetime, until: datetime) -> bool:
    """Tell so by the calendar: there are days of 23 and of 25 hours."""
    one_day = until.date() - since.date() == _DAY
    return one_day and _is_midnight(since) and _is_midnight(until)


def _is_midnight(when: datetime) -> bool:
    return (when.hour, when.minute, when.second) == (0, 0, 0)


def _day(when: datetime) -> str:
    return f"{when.day} {when:%b}"
