"""Mails that tell of many bans: fail2ban's buffered actions send one every few bans."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING

from f2b_enrich.importing.mail_texts import cleaned
from f2b_enrich.importing.mail_times import AHEAD, FIRST, MONTHS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

MOST_ENTRIES = 10_000
LONGEST_WAIT = timedelta(days=3 * 366)
"""How long a ban may wait for others: the mail goes out when there are enough."""

_CLOCKS_APART = timedelta(minutes=10)
_ENTRY = re.compile(
    rb"^[ \t]*(?P<date>\S[^\n]{0,80}?): "
    rb"(?:(?P<ip>\S{1,100}) \((?P<failures>\d{1,9}) failures?\)"
    rb"|(?P<jail>\S{1,100}) ban (?P<other_ip>\S{1,100}) after (?P<times>\d{1,9}) "
    rb"failure(?:s|\(s\))?)[ \t]*$",
    re.MULTILINE,
)
_TELLS = re.compile(rb"^[^\n]{0,300}\b\d{1,9} failure", re.MULTILINE)
# What date(1) writes in English: Sat Nov 21 20:57:35 CET 2026, or 08:57:35 PM CET 2026.
_DATE = re.compile(
    rb"[A-Z][a-z]{2} (?:([A-Z][a-z]{2}) {1,2}(\d{1,2})|(\d{1,2}) ([A-Z][a-z]{2})"
    rb"(?: (\d{4}))?) (\d{1,2}):(\d\d):(\d\d)(?: ([AP]M))? ([A-Z]{2,5}|[+-][01]\d)"
    rb"(?: (\d{4}))?"
)
_UTC = frozenset({b"UTC", b"GMT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ban of a summary; `at` is None when its time cannot be told for sure."""

    ip: str
    jail: str | None
    failures: int
    at: datetime | None


def entries(
    text: bytes, *, sent_at: datetime | None, zone: tzinfo | None, now: datetime
) -> Iterator[Entry]:
    """Give the bans of a summary that was sent then, by a clock of that zone.

    A time after the mail, or long before it, was read wrongly.
    """
    first, last = FIRST, now + AHEAD
    if sent_at is not None:
        first, last = sent_at - LONGEST_WAIT, sent_at + _CLOCKS_APART
    for found in islice(_ENTRY.finditer(text), MOST_ENTRIES):
        ip, jail = found["ip"] or found["other_ip"], found["jail"]
        at = _time(found["date"], zone)
        yield Entry(
            ip=ip.decode("utf-8", "replace"),
            jail=None if jail is None else cleaned(jail.decode("utf-8", "replace")),
            failures=int(found["failures"] or found["times"]),
            at=at if at is not None and first <= at <= last else None,
        )


def count_of(text: bytes) -> int:
    """Count the lines that tell of a ban, readable or not."""
    return sum(1 for _ in islice(_TELLS.finditer(text), MOST_ENTRIES))


def _time(text: bytes, zone: tzinfo | None) -> datetime | None:
    """Read local time; the name of a zone says little, the mail's own offset more."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    of = _zone(match[10], zone)
    year = match[5] or match[11]
    month = match[1] or match[4]
    if of is None or year is None or month not in MONTHS:
        return None
    hour = int(match[6])
    if match[9] is not None:
        hour = hour % 12 + (12 if match[9] == b"PM" else 0)
    try:
        return datetime(
            *(int(year), MONTHS[month], int(match[2] or match[3])),
            *(hour, int(match[7]), int(match[8])),
            tzinfo=of,
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(name: bytes, zone: tzinfo | None) -> tzinfo | None:
    if name in _UTC:
        return UTC
    return zone if name.isalpha() else timezone(timedelta(hours=int(name)))
