"""What a reader hands to the writer at once, small enough to wait in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from f2b_enrich.classify.captures import captured
from f2b_enrich.importing.fail2ban_rows import StoredBan
from f2b_enrich.importing.sighted import sighting_of
from f2b_enrich.inert import cut, printable, without_nul
from f2b_enrich.intake.packing import packed, packed_counts, unpacked_counts
from f2b_enrich.intake.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from typing import Any, TypeAlias

    from f2b_enrich.importing.log_batches import Event, LogEvent
    from f2b_enrich.importing.records import Record
    from f2b_enrich.intake.naming import Names
    from f2b_enrich.intake.packing import Key, Unpacked
    from f2b_enrich.joining.plain_lines import PlainLine
    from f2b_enrich.joining.running_bans import LoggedLine
    from f2b_enrich.joining.sightings import Sighting

    FoundKey: TypeAlias = tuple[str, str, str, date]
    """Host, jail and address found, and the day."""

MOST_RECORDS = 20_000
MOST_CHARACTERS = 8 * 1024 * 1024
"""Of log lines, in a portion."""

MOST_READ = 16 * 1024 * 1024
"""Bytes read for a portion, so that a bar moves and an interruption costs little."""

MOST_UNREAD = 20
"""Lines shown of all that could not be read."""

LONGEST_SHOWN = 160
"""Characters of each."""

FIRST = datetime(1970, 1, 1, tzinfo=UTC)

AHEAD = timedelta(days=2)
"""How far clocks may go wrong: no record is believed that is later than this."""

_DAY = 24 * 3600


@dataclass(slots=True, kw_only=True)
class EventRun:
    """Lines of a log that tell no more than that a ban began or ended, in columns.

    They are in about the order of the log; `ats` are Unix seconds.
    """

    host: str
    log: str
    ats: list[int] = field(default_factory=list)
    kinds: list[Event] = field(default_factory=list)
    jails: list[str] = field(default_factory=list)
    ips: list[str] = field(default_factory=list)

    @property
    def lines(self) -> Iterator[LoggedLine]:
        """Give one line after the other."""
        return zip(self.ats, self.kinds, self.jails, self.ips, strict=True)


@dataclass(slots=True, kw_only=True)
class Step:
    """How far a file was read, and what may be counted only with that, once.

    `place` is what to go on from; without one that of the piece before stays. A piece
    ends at `until`, and follows the one that ends at `after`: pieces are read side by
    side, and noted in order. A file that is read whole has neither. What was found is
    that from the byte `start` on, up to the place; `instead` is the mark of the place
    of another version of the log, of which the counts are replaced. While it waits,
    what was found is `packed`.
    """

    kind: Literal["log", "mailbox", "imap", "maildir"]
    name: str
    fingerprint: str
    host: str
    place: dict[str, Any] = field(default_factory=dict)
    after: int | None = None
    until: int | None = None
    start: int | None = None
    instead: str | None = None
    found: Counter[FoundKey] = field(default_factory=Counter)
    packed: tuple[bytes, ...] = ()

    def pack(self) -> None:
        """Make what was found small."""
        if self.found:
            self.packed += (packed_counts(self.found),)
            self.found = Counter()

    def all_found(self) -> Counter[FoundKey]:
        """Give what was found, packed or not."""
        counts: Counter[FoundKey] = unpacked_counts(self.packed)
        counts.update(self.found)
        return counts


def follows(last: Step, step: Step) -> bool:
    """Tell whether a step goes on in a log where the last one ended."""
    is_same = (last.kind, last.fingerprint) == ("log", step.fingerprint)
    return is_same and bool(last.place["position"] == step.start)


@dataclass(slots=True, kw_only=True)
class Portion:
    """Records and counts, in a form that is quick to send to another process.

    `records`, and the `lines` that tell no more than such lines do, are in `parts` once
    it is packed, `size` of them; the lines in `runs` come beside them. `taken` counts
    bytes of the files themselves, `days` bans by their day, UTC.
    """

    records: list[Unpacked] = field(default_factory=list)
    lines: dict[Key, list[PlainLine]] = field(default_factory=dict)
    parts: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    runs: list[EventRun] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    taken: int = 0
    characters: int = 0

    @property
    def is_of_logs(self) -> bool:
        """Tell whether it holds lines or places of logs."""
        return bool(self.runs) or any(step.kind == "log" for step in self.steps)

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to hand it over."""
        return (
            self.size + sum(len(run.ats) for run in self.runs) >= MOST_RECORDS
            or self.characters >= MOST_CHARACTERS
            or self.taken >= MOST_READ
        )

    def add(
        self,
        record: Record,
        names: Names,
        *,
        reference: str,
        now: datetime,
        is_dated_by_bounce: bool = False,
        ban_id: str | None = None,
    ) -> None:
        """Take a record in, unless its time cannot be told or believed."""
        at = record.at
        if at is None or not FIRST <= at <= now + AHEAD:
            self.counts["undated"] += 1
            return
        seen = sighting_of(
            record,
            at,
            jail=names.jail_of(record.jail),
            is_dated_by_bounce=is_dated_by_bounce,
        )
        lines: tuple[str, ...] = ()
        if record.lines:
            lines = tuple(map(_harmless, record.lines))
            self.characters += sum(map(len, lines))
        captures: tuple[tuple[str, str], ...] = ()
        if isinstance(record, StoredBan) and record.captures:
            captures = captured(dict(record.captures))
        self.counts[f"records-{seen.kind}"] += 1
        if seen.kind in ("ban", "again"):
            self.days[at.date()] += 1
        key = names.host_of(record.host), names.address_of(record.ip)
        self.size += 1
        if _is_plain(record, seen):
            line = (seen.at, seen.kind, seen.jail, reference)
            self.lines.setdefault(key, []).append(line)  # type: ignore[arg-type]
            return
        self.records.append(
            (
                *key,
                *(seen.kind, seen.precision, seen.origin, seen.at, seen.jail),
                *(seen.ends_at, seen.message_id, seen.failed_at),
                *(reference, record.failures, record.ban_count),
                *(lines, captures, ban_id),
            )
        )

    def add_events(
        self,
        events: Sequence[LogEvent],
        names: Names,
        *,
        reference: str,
        now: datetime,
    ) -> None:
        """Take in what `add` would, of a log's events whose jails have names."""
        last = int((now + AHEAD).timestamp())
        dated = [event for event in events if 0 <= event[0] <= last]
        if len(dated) < len(events):
            self.counts["undated"] += len(events) - len(dated)
        if not dated:
            return
        ats, kinds, jails, ips = zip(*dated, strict=True)
        begun = Counter(
            at // _DAY for at, kind in zip(ats, kinds, strict=True) if kind == "ban"
        )
        for day, bans in begun.items():
            self.days[_day(day)] += bans
        for kind, lines in Counter(kinds).items():
            self.counts["records-" + kind] += lines
        folded = {jail: names.jail_of(jail) or "" for jail in set(jails)}
        run = self._run(names.host_of(None), reference)
        run.ats += ats
        run.kinds += kinds
        run.jails += map(folded.__getitem__, jails)
        run.ips += map(names.address_of, ips)

    def _run(self, host: str, log: str) -> EventRun:
        last = self.runs[-1] if self.runs else None
        if last is None or (last.host, last.log) != (host, log):
            last = EventRun(host=host, log=log)
            self.runs.append(last)
        return last

    def pack(self) -> None:
        """Part the records by their addresses, and make them small."""
        if self.records or self.lines:
            self.parts = packed(self.records, self.lines)
            self.records, self.lines = [], {}
        for step in self.steps:
            step.pack()

    def count(self, counts: Mapping[str, int]) -> None:
        """Add counts of what is no record."""
        self.counts.update(counts)

    def show(self, unread: Iterable[str]) -> None:
        """Keep some of what could not be read."""
        for text in unread:
            if len(self.unread) < MOST_UNREAD:
                self.unread.append(text)


class Gathering:
    """Gathers portions: each that is full is given away."""

    def __init__(self) -> None:
        """Begin with an empty one."""
        self.portion = Portion()

    def full(self) -> Iterator[Portion]:
        """Give the portion away if it is full."""
        if self.portion.is_full:
            yield self.rest()

    def rest(self) -> Portion:
        """Give away what there is."""
        portion, self.portion = self.portion, Portion()
        portion.pack()
        return portion


def shown(unread: bytes) -> str:
    """Write the beginning of what could not be read, harmless on one line."""
    return cut(printable(unread.decode("utf-8", "replace").strip()), LONGEST_SHOWN)


@lru_cache(maxsize=4096)
def _day(number: int) -> date:
    return (FIRST + timedelta(days=number)).date()


def _is_plain(record: Record, seen: Sighting) -> bool:
    """Tell whether a record is of a log, and tells nothing but what a line is for."""
    return bool(
        seen.origin == "log"
        and seen.kind in ("ban", "unban")
        and seen.jail
        and seen.ends_at is None
        and record.failures is None
        and record.ban_count is None
        and not record.lines
    )


def _harmless(line: bytes) -> str:
    return without_nul(line.decode("utf-8", "replace"))
