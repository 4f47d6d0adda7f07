"""The time that a digest is about, in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.mail import wording

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from f2b_enrich.figures import Period

_DAY = timedelta(days=1)


def long(period: Period, zone: tzinfo | None) -> str:
    """Write `Fri 2026-11-20, 00:00-24:00 CET`, or from when to when."""
    since, until = _ends(period, zone)
    name = wording.zone_name(until)
    if _is_one_day(since, until):
        return f"{since:%a %Y-%m-%d}, 00:00-24:00 {name}"
    if since.date() == until.date():
        return f"{since:%a %Y-%m-%d}, {since:%H:%M}-{until:%H:%M} {name}"
    return f"{since:%a %Y-%m-%d %H:%M} to {until:%a %Y-%m-%d %H:%M} {name}"


def short(period: Period, zone: tzinfo | None) -> str:
    """Write `Fri 20 Nov`, `Fri 20 Nov 14:00-15:00`, `16 Nov to 22 Nov`."""
    since, until = _ends(period, zone)
    if _is_one_day(since, until):
        return f"{since:%a} {_day(since)}"
    if since.date() == until.date():
        return f"{since:%a} {_day(since)} {since:%H:%M}-{until:%H:%M}"
    if _is_midnight(since) and _is_midnight(until):
        return f"{_day(since)} to {_day(until - _DAY)}"
    return f"{_day(since)} {since:%H:%M} to {_day(until)} {until:%H:%M}"


def option(when: datetime, zone: tzinfo | None) -> str:
    """Write a time as `--since` and `--until` take it on the reader's machine."""
    local = wording.local(when, zone)
    return f"{local:%Y-%m-%d}" if _is_midnight(local) else f"{local:%Y-%m-%dT%H:%M:%S}"


def _ends(period: Period, zone: tzinfo | None) -> tuple[datetime, datetime]:
    return wording.local(period.since, zone), wording.local(period.until, zone)


def _is_one_day(since: datetime, until: datetime) -> bool:
    """Tell so by the calendar: there are days of 23 and of 25 hours."""
    one_day = until.date() - since.date() == _DAY
    return one_day and _is_midnight(since) and _is_midnight(until)


def _is_midnight(when: datetime) -> bool:
    return (when.hour, when.minute, when.second) == (0, 0, 0)


def _day(when: datetime) -> str:
    return f"{when.day} {when:%b}"
