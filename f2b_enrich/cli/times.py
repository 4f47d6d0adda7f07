"""Times as people write them, and as they read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from f2b_enrich.clocks import local, zone_name
from f2b_enrich.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

_AGO = re.compile(r"([0-9]{1,6})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse(text: str, *, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read an ISO date or time, or a span before `now`: `12h`, `30d`, `4w`.

    What names no zone is in `zone`; None is the machine's. A date is its midnight.

    Raises:
        ValueError: it is none of these, or outside the years 1 to 9999.
    """
    try:
        ago = _AGO.fullmatch(text.strip())
        if ago:
            return now - int(ago[1]) * _UNITS[ago[2]]
        when = datetime.fromisoformat(text.strip())
        if when.tzinfo is None and zone is not None:
            when = when.replace(tzinfo=zone)
        return when.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text!r} is no time; write 2026-11-20, 2026-11-20T08:00, 12h, 30d or 4w"
        ) from None


def from_option(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> datetime | None:
    """Read an option's time against the machine's clock and zone (click's callback)."""
    if value is None:
        return None
    try:
        return parse(value, now=datetime.now(UTC))
    except ValueError as exc:
        raise click.BadParameter(str(exc), ctx, param) from None


def stamp(when: datetime, zone: tzinfo | None, *, seconds: bool = False) -> str:
    """Write a time without its zone, which the heading names."""
    return f"{local(when, zone):%Y-%m-%d %H:%M{':%S' if seconds else ''}}"


def moment(when: datetime, zone: tzinfo | None) -> str:
    """Write a time with its zone."""
    return f"{stamp(when, zone, seconds=True)} {zone_name(local(when, zone))}"


def planned(when: datetime, zone: tzinfo | None) -> str:
    """Write a time that is planned for, to the minute, with its weekday and zone."""
    return f"{local(when, zone):%a} {stamp(when, zone)} {zone_name(local(when, zone))}"


def day(when: datetime, zone: tzinfo | None) -> str:
    """Write the date alone."""
    return f"{local(when, zone):%Y-%m-%d}"


def shortly_after(when: datetime, other: datetime, zone: tzinfo | None) -> str:
    """Write a time without its date where that is the day of `other`."""
    if day(when, zone) == day(other, zone):
        return f"{local(when, zone):%H:%M:%S}"
    return stamp(when, zone)


def zone_names(times: Iterable[datetime], zone: tzinfo | None) -> str:
    """Name the zones that these times are written in, `CET/CEST` across a change."""
    names = dict.fromkeys(zone_name(local(when, zone)) for when in times)
    return "/".join(sorted(names))


def ago(when: datetime, now: datetime) -> str:
    """Write how long ago something was, in its largest unit; the clock may be wrong."""
    seconds = int((now - when).total_seconds())
    words = " ".join(span(abs(seconds)).split(" ")[:2])
    return f"{words} in the future" if seconds < 0 else f"{words} ago"
