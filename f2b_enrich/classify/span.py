"""How much time log lines took, told by the stamps at their beginnings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = timedelta(days=31)
"""More than this between two lines of one ban is a wrong stamp, not a slow attack."""

_NEAR = 200
"""How many characters of a line are looked at."""

_MONTHS = {
    "Jan": 1,
    "Feb": 2,
    "Mar": 3,
    "Apr": 4,
    "May": 5,
    "Jun": 6,
    "Jul": 7,
    "Aug": 8,
    "Sep": 9,
    "Oct": 10,
    "Nov": 11,
    "Dec": 12,
}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_DAY_NAME = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FRACTION = r"(?:[.,](?P<fraction>\d{1,9}))?"
_ZONE = r"(?P<zone>Z|[+-]\d\d:?\d\d)"
_ISO = rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T ]{_CLOCK}{_FRACTION}"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMMON_YEAR = 2001
_LEAP_YEAR = 2000

# In this order: what a stamp at the very beginning says cannot be written by an
# attacker, what stands further on may be.
_SHAPES = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        "unix": r"^(?P<unix>\d{9,11}\.\d{1,9})(?!\d)",
        "iso": rf"^\W?{_ISO} ?{_ZONE}?(?!\d)",
        "slashes": rf"^\W?(?P<year>\d{{4}})/(?P<month>\d\d)/(?P<day>\d\d) {_CLOCK}",
        "error": rf"^\W?{_DAY_NAME} {_MONTH} {{1,2}}(?P<day>\d{{1,2}}) "
        rf"{_CLOCK}{_FRACTION} (?P<year>\d{{4}})(?!\d)",
        "syslog": rf"^(?:<[\w.]{{1,20}}> ?)?\[?(?:[A-Z]{{3,5}} )?"
        rf"{_MONTH} {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}{_FRACTION}",
        "access": rf"\[(?P<day>\d\d)/{_MONTH}/(?P<year>\d{{4}}):{_CLOCK} {_ZONE}\]",
        "iso-later": rf"^.{{0,64}}?(?<!\d){_ISO} ?{_ZONE}?(?!\d)",
    }.items()
}


def span(lines: Sequence[str]) -> timedelta | None:
    """Tell the time from the first to the last line; None where it cannot be told.

    It cannot with less than two lines, when one has no stamp or theirs differ in
    shape, when they run backwards, and over 31 days.
    """
    if len(lines) < 2:
        return None
    first, last = _stamp(lines[0]), _stamp(lines[-1])
    if first is None or last is None or _shape(first) != _shape(last):
        return None
    year = _LEAP_YEAR if _is_leap_day(first) or _is_leap_day(last) else _COMMON_YEAR
    began = _when(first, year)
    # Without a year a December is followed by the January of the next one.
    for ended in (_when(last, year), _when(last, year + 1)):
        if began is None or ended is None:
            return None
        if timedelta(0) <= ended - began <= LONGEST:
            return ended - began
    return None


def _stamp(line: str) -> re.Match[str] | None:
    beginning = line[:_NEAR]
    found = (shape.search(beginning) for shape in _SHAPES.values())
    return next(filter(None, found), None)


def _shape(stamp: re.Match[str]) -> tuple[re.Pattern[str], bool]:
    """Tell stamps apart that cannot be compared: a local time and one with its zone."""
    return stamp.re, bool(stamp.groupdict().get("zone"))


def _is_leap_day(stamp: re.Match[str]) -> bool:
    part = stamp.groupdict()
    return part.get("month") == "Feb" and part["day"] == "29"


def _when(stamp: re.Match[str], year: int) -> datetime | None:
    """Read a stamp, in this year if it has none; None when there is no such time."""
    part = stamp.groupdict()
    if "unix" in part:
        return _EPOCH + timedelta(seconds=float(part["unix"]))
    try:
        return datetime(
            int(part.get("year") or year),
            _MONTHS.get(part["month"]) or int(part["month"]),
            int(part["day"]),
            int(part["hour"]),
            int(part["minute"]),
            int(part["second"]),
            int((part.get("fraction") or "0").ljust(6, "0")[:6]),
            tzinfo=_zone(part.get("zone")),
        )
    except ValueError:  # hour 99, February 30, a zone of 25 hours
        return None


def _zone(text: str | None) -> tzinfo:
    """Read an offset; stamps without one are only compared with each other."""
    if text is None or text == "Z":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-ahead if text[0] == "-" else ahead)
