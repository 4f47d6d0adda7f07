"""When a mail was written, as far as its head can be believed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from f2b_enrich.importing.mail_letter import Letter

FIRST = datetime(2004, 1, 1, tzinfo=UTC)
"""Fail2ban's first release is of 2004."""

AHEAD = timedelta(days=2)
"""How far clocks may run ahead of ours."""

_NAMES = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_DATE = re.compile(
    rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?([0-3]?\d) ([A-Z][a-z]{2}) (\d{4}) "
    rb"([0-2]\d):([0-5]\d):([0-5]\d) ([+-])([01]\d)([0-5]\d)(?: \([A-Za-z]{1,5}\))?"
)
_MAX_DATE = 100


def written_at(letter: Letter, now: datetime) -> datetime | None:
    """Read `Date`, else when the first server that names a time received the mail."""
    at = read_date(letter.first(b"date"), now)
    if at is not None:
        return at
    for hop in reversed(letter.fields.get(b"received", ())):
        at = read_date(hop.rpartition(b";")[2].strip(), now)
        if at is not None:
            return at
    return None


def read_date(text: bytes, now: datetime) -> datetime | None:
    """Read a date in UTC; None for one without a zone, before fail2ban or to come."""
    at = _read(text[:_MAX_DATE])
    return at if at is not None and FIRST <= at <= now + AHEAD else None


def _read(text: bytes) -> datetime | None:
    match = _DATE.fullmatch(text)
    try:
        return _uncommon(text) if match is None else _common(match)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None  # the library does not promise to keep to its errors


def _common(match: re.Match[bytes]) -> datetime | None:
    day, month, year, hour, minute, second, sign, ahead, minutes = match.groups()
    number = MONTHS.get(month)
    if number is None:
        return None
    offset = timedelta(hours=int(ahead), minutes=int(minutes))
    local = datetime(
        int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
    return local - offset if sign == b"+" else local + offset


def _uncommon(text: bytes) -> datetime | None:
    at = parsedate_to_datetime(text.decode("ascii", "replace"))
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    # It stands for UTC, at a place that is not told (RFC 5322, 3.3); qmail writes it.
    return at.replace(tzinfo=UTC) if text.rstrip().endswith(b"-0000") else None


def zone_of(letter: Letter) -> timezone | None:
    """Read how far the writer's clock was from UTC."""
    match = _DATE.fullmatch(letter.first(b"date"))
    if match is None:
        return None
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    return timezone(offset if match[7] == b"+" else -offset)
