"""What one line of fail2ban.log says, of any release and with any prefix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import TypeAlias

from f2b_enrich.importing.log_times import Yearless
from f2b_enrich.inert import without_nul
from f2b_enrich.model import FOR_EVER

LONGEST_LINE = 16 * 1024
"""Bytes looked at in a line: what fail2ban writes of an action that failed can be
megabytes, and no ban."""

LONGEST_NAME = 1024
"""The longest jail or address, in bytes: as much as a live ban may have."""

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_CLOCK = rb"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"

# fail2ban's own, `journalctl -o short-iso`, `short-full`, rsyslog's; `short-unix`; and
# syslog's old one. Local times, unless they name a zone. Editors put the mark of UTF-8
# before a file's first line.
_STAMP = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:"
    rb"(?:[A-Z][a-z]{2} )?(?P<date>\d{4}-\d\d-\d\d)[ T](?P<clock>" + _CLOCK + rb")"
    rb"(?:[.,](?P<part>\d{1,9}))?"
    rb"(?: ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)| [A-Z]{3,5}(?= \S+ fail2ban))? "
    rb"|(?P<unix>\d{9,11})\.(?P<unix_part>\d{6}) "
    rb"|(?P<month>"
    + b"|".join(_MONTHS)
    + rb") {1,2}(?P<mday>\d{1,2}) (?P<mclock>"
    + _CLOCK
    + rb")(?:\.(?P<mpart>\d{1,9}))? )"
)
# The tag of another program must not let its text pass for fail2ban's.
_TAG = rb"fail2ban[\w.-]{0,64} {0,64}(?:\[\d{1,10}\])? ?: {1,8}"
# Before it, a service whose standard output is kept, in the journal or by docker, has
# its own time once more.
_HEAD = re.compile(
    rb"(?:(?P<host>[^\s:\[\]]{1,255}) )??\s{0,64}"
    rb"(?:(?:" + _TAG + rb")?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} )?"
    rb"(?:" + _TAG + rb"){1,2}(?:(?P<level>[A-Z]{3,12}) {1,8})?"
)
_EVENTS = rb"Found|Ban|Unban|Restore Ban|Reban|Increase Ban|Repeal Ban|Ignore"
_NAME = rb"\S{1,1024}"
# The jail ends where the first of these words begins: what follows is partly what an
# attacker chose, and may hold them again.
_EVENT = re.compile(
    rb"\[(?P<jail>[^\n]{1,1024}?)\] "
    rb"(?:(?P<event>" + _EVENTS + rb") (?P<rest>[^\n]*)"
    rb"|" + _NAME + rb" (?P<already>already banned))"
)
_BANNED = re.compile(rb"(?P<ip>" + _NAME + rb")")
_REBANNED = re.compile(rb"(?P<ip>" + _NAME + rb"?)(?:, action '[^']*')?")
_FOUND = re.compile(
    rb"(?P<ip>" + _NAME + rb")(?: - (?P<day>\d{4}-\d\d-\d\d) " + _CLOCK + rb")?"
)
_FOUND_BAD = re.compile(_NAME + rb", bad - \S+ \S+, \d+ # -> [\d.]+(?:, Ban)?")
_INCREASED = re.compile(
    rb"(?P<ip>" + _NAME + rb") \((?P<count>\d{1,9}) # (?P<span>[^()>]{1,64}) -> "
    rb"(?P<end>infinite|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\)"
)
_JAIL_RUNS = re.compile(rb"Jail '[^\n]{1,1024}' (started|stopped)")
_SPAN = re.compile(rb"(\d{1,9})([ywdhms])")
_SECONDS = {b"y": 31_536_000, b"w": 604_800, b"d": 86_400, b"h": 3600, b"m": 60}

Stamp: TypeAlias = datetime | Yearless | None
"""A time with its zone, one without, one without a year; None is no time at all."""


class LineKind(StrEnum):
    """What a line is about."""

    BAN = "ban"
    UNBAN = "unban"
    RESTORED = "restored"
    REBANNED = "rebanned"
    PROLONGED = "prolonged"
    ALREADY_BANNED = "already-banned"
    FOUND = "found"
    FOUND_BAD = "found-bad"
    """A known address found: the observer's line, beside a FOUND of the filter."""
    IGNORED = "ignored"
    STARTED = "started"
    STOPPED = "stopped"
    ERROR = "error"
    OTHER = "other"
    FOREIGN = "foreign"
    """Not fail2ban's: another program's, or the lines below an error."""
    UNDATED = "undated"
    """A ban or the like whose time cannot be told."""
    UNREAD = "unread"
    """It begins as a ban or the like, and goes on otherwise."""
    OVERLONG = "overlong"
    EMPTY = "empty"

    # Enum's own is written in Python, and every line is counted by its kind.
    __hash__ = str.__hash__


_KINDS = {
    b"Ban": (LineKind.BAN, _BANNED),
    b"Restore Ban": (LineKind.RESTORED, _BANNED),
    b"Unban": (LineKind.UNBAN, _BANNED),
    b"Repeal Ban": (LineKind.UNBAN, _BANNED),
    b"Reban": (LineKind.REBANNED, _REBANNED),
    b"Increase Ban": (LineKind.PROLONGED, _INCREASED),
    b"Found": (LineKind.FOUND, _FOUND),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `jail` and `ip` are empty where its kind has none.

    `day` is when fail2ban says that what it found happened, `ends` when a prolonged
    ban ends, both as written.
    """

    kind: LineKind
    stamp: Stamp = None
    host: str | None = None
    jail: str = ""
    ip: str = ""
    day: str | None = None
    ban_count: int | None = None
    bantime_seconds: int | None = None
    ends: datetime | None = None


def read_line(line: bytes) -> Line:
    """Read a line without the newline at its end."""
    line = line.removesuffix(b"\r")
    if len(line) > LONGEST_LINE:
        return Line(kind=LineKind.OVERLONG)
    if not line.strip():
        return Line(kind=LineKind.EMPTY)
    stamp = _STAMP.match(line)
    at = _read_stamp(stamp) if stamp else None
    head = _HEAD.match(line, stamp.end() if stamp else 0)
    if head is None:
        return Line(kind=LineKind.FOREIGN, stamp=at)
    event = _EVENT.match(line, head.end())
    if event is None or (event["already"] and event.end() != len(line)):
        return Line(kind=_other(line, head), stamp=at)
    if event["already"]:
        return Line(kind=LineKind.ALREADY_BANNED, stamp=at)
    host = text(head["host"]) if head["host"] else None
    return _read_event(event, at, host)


def yearless(line: bytes) -> Yearless | None:
    """Give the time of a line that `read_line` finds to name no year."""
    if len(line) > LONGEST_LINE:
        return None
    stamp = _STAMP.match(line)
    at = _read_stamp(stamp) if stamp and stamp["month"] else None
    return at if isinstance(at, Yearless) else None


def _read_event(event: re.Match[bytes], stamp: Stamp, host: str | None) -> Line:
    if event["event"] == b"Ignore":
        return Line(kind=LineKind.IGNORED, stamp=stamp)
    kind, form = _KINDS[event["event"]]
    rest = form.fullmatch(event["rest"])
    if rest is None:
        bad = kind is LineKind.FOUND and _FOUND_BAD.fullmatch(event["rest"])
        return Line(kind=LineKind.FOUND_BAD if bad else LineKind.UNREAD, stamp=stamp)
    said = rest.groupdict()
    end = said.get("end")
    return Line(
        kind=kind,
        stamp=stamp,
        host=host,
        jail=text(event["jail"]),
        ip=text(rest["ip"]),
        day=said["day"].decode() if said.get("day") else None,
        ban_count=int(said["count"]) if end else None,
        bantime_seconds=_span(rest["span"]) if end else None,
        ends=_wall(end[:10], end[11:], None) if end else None,
    )


def _other(line: bytes, head: re.Match[bytes]) -> LineKind:
    if runs := _JAIL_RUNS.fullmatch(line, head.end()):
        return LineKind.STARTED if runs[1] == b"started" else LineKind.STOPPED
    if head["level"] in {b"ERROR", b"CRITICAL"}:
        return LineKind.ERROR
    return LineKind.OTHER


def text(name: bytes) -> str:
    """Give a jail, an address or a host as it may be stored."""
    return without_nul(name.decode("utf-8", "replace"))


def _read_stamp(stamp: re.Match[bytes]) -> Stamp:
    """Give the time that was matched; None when there is no such time."""
    if stamp["unix"]:
        part = timedelta(microseconds=int(stamp["unix_part"]))
        return datetime.fromtimestamp(int(stamp["unix"]), tz=UTC) + part
    if stamp["month"]:
        hour, minute, second = map(int, stamp["mclock"].split(b":"))
        return Yearless(
            month=_MONTHS.index(stamp["month"]) + 1,
            day=int(stamp["mday"]),
            hour=hour,
            minute=minute,
            second=second,
            microsecond=_microseconds(stamp["mpart"]),
        )
    wall = _wall(stamp["date"], stamp["clock"], stamp["part"])
    if wall is None or stamp["zone"] is None:
        return wall
    return _in_zone(wall, stamp["zone"])


def _in_zone(wall: datetime, zone: bytes) -> datetime | None:
    if zone in {b"Z", b"UTC"}:
        return wall.replace(tzinfo=UTC)
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    try:
        offset = timezone(-ahead if zone[:1] == b"-" else ahead)
        return wall.replace(tzinfo=offset).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _wall(date: bytes, clock: bytes, part: bytes | None) -> datetime | None:
    second = f"{date.decode()} {clock.decode()}"
    if part:
        second = f"{second}.{part[:6].decode():0<6}"
    try:
        return datetime.fromisoformat(second)
    except ValueError:
        return None


def _microseconds(part: bytes | None) -> int:
    return int(part[:6].ljust(6, b"0")) if part else 0


def _span(span: bytes) -> int | None:
    """Read what fail2ban's seconds2str wrote, `1w 2d 3h`; None when it did not."""
    if span == b"permanent":
        return FOR_EVER
    seconds = 0
    for word in span.split():
        part = _SPAN.fullmatch(word)
        if part is None:
            return 0 if span == b"0" else None
        seconds += int(part[1]) * _SECONDS.get(part[2], 1)
    return seconds
