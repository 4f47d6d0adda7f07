"""A block of log lines made records and counts, the common lines by a short way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from f2b_enrich.importing.log_common import (
    HOUR,
    end_of_common,
    instant,
    last_stamp,
    take_bans,
    take_found,
)
from f2b_enrich.importing.log_lines import Line, LineKind, Stamp, read_line
from f2b_enrich.importing.log_times import (
    Clock,
    ClockPlace,
    Yearless,
    Years,
    YearsPlace,
)
from f2b_enrich.importing.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from f2b_enrich.importing.records import Kind

MOST_UNREAD = 20
"""Lines shown of a block that begin as a ban and go on otherwise."""

LONGEST_UNREAD = 200
"""Bytes shown of each."""

_RECORDS: dict[LineKind, Kind] = {
    LineKind.BAN: "ban",
    LineKind.RESTORED: "ban",
    LineKind.REBANNED: "ban",
    LineKind.UNBAN: "unban",
    LineKind.PROLONGED: "prolong",
}
_PLAIN: Mapping[LineKind, Literal["ban", "unban"]] = {
    LineKind.BAN: "ban",
    LineKind.UNBAN: "unban",
}
_AGAIN = {LineKind.RESTORED, LineKind.REBANNED}
_EVENTS = {
    b"Ban": LineKind.BAN,
    b"Restore Ban": LineKind.RESTORED,
    b"Unban": LineKind.UNBAN,
}


class LogEvent(NamedTuple):
    """A ban or unban of fail2ban.log of which nothing else is told, as of nearly all.

    Otherwise it is a `Record`, which takes three times as long to make.
    """

    kind: Literal["ban", "unban"]
    ip: str
    jail: str
    at: datetime


class Found(NamedTuple):
    """What fail2ban found on a day, by the clock of the machine that wrote the log."""

    host: str | None
    jail: str
    ip: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to go on: bytes of the unpacked log, and what its times depend on."""

    position: int = 0
    clock: ClockPlace = field(default_factory=ClockPlace)
    years: YearsPlace = field(default_factory=YearsPlace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a block of lines says; `kinds` counts every line of it once.

    `unread` shows lines that begin as a record and go on otherwise; `place.clock`
    counts the records up to there whose time is in doubt.
    """

    records: tuple[Record | LogEvent, ...]
    found: Mapping[Found, int]
    kinds: Counter[LineKind]
    unread: tuple[bytes, ...]
    place: Place


class _Said:
    """What was read of a block by now."""

    def __init__(self) -> None:
        self.records: list[Record | LogEvent] = []
        self.found: Counter[Found] = Counter()
        self.kinds: Counter[LineKind] = Counter()
        self.unread: list[bytes] = []


class BlockReader:
    """Reads one block after the other, in the order of the log."""

    def __init__(self, zone: tzinfo, *, first_year: int | None, place: Place) -> None:
        """Go on from that place of a log that was written in that zone."""
        self._clock = Clock(zone, place=place.clock)
        self._years = Years(place.years)
        self._first_year = first_year

    def read(self, data: bytes, *, end: int) -> Batch:
        """Read whole lines that end at that byte of the log."""
        begun = self._clock.place, self._years.place
        common = end_of_common(data)
        said = self._read_quickly(data[:common])
        if said is None:
            self._clock.go_to(begun[0])
            self._years.go_to(begun[1])
            said, common = _Said(), 0
        self._read_fully(data[common:], said)
        return Batch(
            records=tuple(said.records),
            found=said.found,
            kinds=said.kinds,
            unread=tuple(said.unread),
            place=Place(position=end, clock=self._clock.place, years=self._years.place),
        )

    def _read_quickly(self, data: bytes) -> _Said | None:
        """Read lines of which the last is a common one, those of a kind together.

        None when that is not the same as to read them one after the other: their order
        tells which of two hours they are of.
        """
        said = _Said()
        hours, found, rest = take_found(data)
        if None in map(self._clock.offset, hours):
            return None
        _add_found(found, said)
        self._clock.showed_twice = False
        hour, ahead = b"", None
        bans, rest = take_bans(rest)
        for between, stamp, jail, event, ip in bans:
            if between:
                self._read_fully(between, said)
            if stamp[HOUR] != hour:
                hour = stamp[HOUR]
                ahead = self._clock.offset(hour)
            if ahead is None:
                return None
            if event is None or ip is None:
                said.kinds[LineKind.ALREADY_BANNED] += 1
                continue
            said.kinds[_EVENTS[event]] += 1
            at = instant(stamp, ahead)
            said.records.append(_common_record(event, jail.decode(), ip.decode(), at))
        self._read_fully(rest, said)
        if self._clock.showed_twice:
            return None
        self._reach_last(data)
        return said

    def _reach_last(self, data: bytes) -> None:
        stamp = last_stamp(data)
        ahead = self._clock.offset(stamp[HOUR])
        if ahead is not None:  # there are no lines
            self._clock.reached(instant(stamp, ahead))

    def _read_fully(self, data: bytes, said: _Said) -> None:
        """Read lines of any kind, one after the other."""
        if not data:
            return
        for raw in data.removesuffix(b"\n").split(b"\n"):
            kind = self._take(read_line(raw), said)
            said.kinds[kind] += 1
            if kind is LineKind.UNREAD and len(said.unread) < MOST_UNREAD:
                said.unread.append(raw[:LONGEST_UNREAD])

    def _take(self, line: Line, said: _Said) -> LineKind:
        is_record = line.kind in _RECORDS
        at, day = self._when(line.stamp, is_counted=is_record)
        if line.kind is LineKind.FOUND:
            day = day if line.day is None else _day(line.day)
            if at is None or day is None:
                return LineKind.UNDATED
            said.found[Found(line.host, line.jail, line.ip, day)] += 1
        elif is_record:
            if at is None:
                return LineKind.UNDATED
            said.records.append(self._record(line, at))
        return line.kind

    def _record(self, line: Line, at: datetime) -> Record | LogEvent:
        event = _PLAIN.get(line.kind)
        if event is not None and line.jail and _tells_no_more(line):
            return LogEvent(event, line.ip, line.jail, at)
        return Record(
            kind=_RECORDS[line.kind],
            ip=line.ip,
            jail=line.jail,
            at=at,
            time_source="ban",
            origin="log",
            host=line.host,
            bantime_seconds=line.bantime_seconds,
            ban_count=line.ban_count,
            ends_at=self._clock.instant(line.ends) if line.ends else None,
            is_restored=line.kind in _AGAIN,
        )

    def _when(
        self, stamp: Stamp, *, is_counted: bool
    ) -> tuple[datetime | None, date | None]:
        """Give the instant of a line and the local day; both None when not to tell."""
        if isinstance(stamp, Yearless):
            turns = self._years.turns(stamp)
            if self._first_year is None:
                return None, None
            stamp = stamp.of_year(self._first_year + turns)
        if stamp is None:
            return None, None
        if stamp.tzinfo is None:
            return self._clock.utc(stamp, is_counted=is_counted), stamp.date()
        self._clock.reached(stamp)
        return stamp, self._clock.day(stamp)


def _add_found(
    counted: Mapping[tuple[bytes, bytes, bytes | None], int], said: _Said
) -> None:
    days: dict[bytes, date | None] = {}
    lines_found = 0
    for (dated, what, happened), lines in counted.items():
        written = happened or dated
        try:
            day = days[written]
        except KeyError:
            day = days[written] = _day(written.decode())
        if day is None:
            said.kinds[LineKind.UNDATED] += lines
            continue
        jail, _, ip = what.decode().partition("] Found ")
        found = Found(None, jail, ip, day)
        said.found[found] = said.found.get(found, 0) + lines
        lines_found += lines
    if lines_found:
        said.kinds[LineKind.FOUND] += lines_found


def _common_record(event: bytes, jail: str, ip: str, at: datetime) -> Record | LogEvent:
    if event == b"Ban":
        return LogEvent("ban", ip, jail, at)
    if event == b"Unban":
        return LogEvent("unban", ip, jail, at)
    return Record(
        kind="ban",
        ip=ip,
        jail=jail,
        at=at,
        time_source="ban",
        origin="log",
        is_restored=True,
    )


def _tells_no_more(line: Line) -> bool:
    more = (line.host, line.bantime_seconds, line.ban_count, line.ends)
    return all(each is None for each in more)


def _day(day: str) -> date | None:
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None
