"""A block of log lines made records and counts, the common lines by a short way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.importing.log_common import (
    HOUR,
    THOUSANDTHS,
    end_of_common,
    instant,
    last_stamp,
    seconds_of,
    take_bans,
    take_found,
)
from f2b_enrich.importing.log_lines import Line, LineKind, Stamp, read_line
from f2b_enrich.importing.log_texts import Days, Texts
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

    from f2b_enrich.importing.log_common import BanLines, FoundLines
    from f2b_enrich.importing.records import Kind

Event: TypeAlias = Literal["ban", "unban"]

LogEvent: TypeAlias = tuple[int, Event, str, str]
"""A ban or unban of fail2ban.log of which nothing else is told, as of nearly all: Unix
seconds, jail and address. To make a `Record` takes ten times as long."""

Found: TypeAlias = tuple[str | None, str, str, date]
"""What fail2ban found on a day, by the clock of the machine that wrote the log: host,
jail and address."""

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
_PLAIN: Mapping[LineKind, Event] = {
    LineKind.BAN: "ban",
    LineKind.UNBAN: "unban",
}
_AGAIN = {LineKind.RESTORED, LineKind.REBANNED}
_RESTORED = b"Restore Ban"
_KINDS = {
    b"Ban": LineKind.BAN,
    _RESTORED: LineKind.RESTORED,
    b"Unban": LineKind.UNBAN,
    None: LineKind.ALREADY_BANNED,
}
_EVENTS: Mapping[bytes | None, Event] = {b"Ban": "ban", b"Unban": "unban"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to go on: bytes of the unpacked log, and what its times depend on."""

    position: int = 0
    clock: ClockPlace = field(default_factory=ClockPlace)
    years: YearsPlace = field(default_factory=YearsPlace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a block of lines says; `kinds` counts every line of it once.

    `events` and `records` hold those of common lines first. `unread` shows lines that
    begin as a record and go on otherwise; `place.clock` counts the records and events
    up to there whose time is in doubt.
    """

    events: tuple[LogEvent, ...]
    records: tuple[Record, ...]
    found: Mapping[Found, int]
    kinds: Counter[LineKind]
    unread: tuple[bytes, ...]
    place: Place


class _Said:
    """What was read of a block by now."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        self.records: list[Record] = []
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
        self._texts = Texts()
        self._days = Days()

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
            events=tuple(said.events),
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
        said, found = _Said(), take_found(data)
        bans = take_bans(found.rest)
        begun = self._clock.begun(found.hours | bans.hours)
        if begun is None:
            return None
        self._add_found(found, said)
        self._add_bans(bans, begun, said)
        self._clock.showed_twice = False
        for lines in filter(None, (*bans.between, bans.rest)):
            self._read_fully(lines, said)
        if self._clock.showed_twice:
            return None
        self._reach_last(data)
        return said

    def _add_bans(
        self, bans: BanLines, begun: Mapping[bytes, int], said: _Said
    ) -> None:
        kinds = Counter(bans.events)
        said.kinds.update({_KINDS[event]: lines for event, lines in kinds.items()})
        text = self._texts.__getitem__
        if kinds.keys() - _EVENTS.keys():
            restored = bans.only({_RESTORED})
            said.records += map(
                _restored,
                restored.stamps,
                seconds_of(restored.stamps, begun),
                map(text, restored.jails),
                map(text, restored.ips),
            )
            bans = bans.only(_EVENTS.keys())
        said.events += zip(
            seconds_of(bans.stamps, begun),
            map(_EVENTS.__getitem__, bans.events),
            map(text, bans.jails),
            map(text, bans.ips),
            strict=True,
        )

    def _add_found(self, found: FoundLines, said: _Said) -> None:
        days, counts = self._days, said.found
        dated = undated = 0
        for (written, what, happened), lines in found.counted.items():
            day = days[happened or written]
            if day is None:
                undated += lines
                continue
            jail, _, ip = what.decode().partition("] Found ")
            key = None, jail, ip, day
            counts[key] = counts.get(key, 0) + lines
            dated += lines
        for kind, lines in ((LineKind.FOUND, dated), (LineKind.UNDATED, undated)):
            if lines:
                said.kinds[kind] += lines

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
            said.found[line.host, line.jail, line.ip, day] += 1
        elif is_record:
            if at is None:
                return LineKind.UNDATED
            event = _PLAIN.get(line.kind)
            if event is not None and line.jail and _tells_no_more(line):
                said.events.append((int(at.timestamp()), event, line.jail, line.ip))
            else:
                said.records.append(self._record(line, at))
        return line.kind

    def _record(self, line: Line, at: datetime) -> Record:
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


def _restored(stamp: bytes, at: int, jail: str, ip: str) -> Record:
    thousandths = int(stamp[THOUSANDTHS])
    return Record(
        kind="ban",
        ip=ip,
        jail=jail,
        at=datetime.fromtimestamp(at, UTC).replace(microsecond=thousandths * 1000),
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
