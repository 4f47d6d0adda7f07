"""What a reader hands to the writer at once, small enough to wait in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from f2b_enrich.classify.captures import captured
from f2b_enrich.importing.fail2ban_rows import StoredBan
from f2b_enrich.importing.sighted import sighting_of
from f2b_enrich.inert import cut, printable, without_nul
from f2b_enrich.intake.packing import packed, packed_counts
from f2b_enrich.intake.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date
    from typing import Any, TypeAlias

    from f2b_enrich.importing.log_batches import LogEvent
    from f2b_enrich.importing.records import Record
    from f2b_enrich.intake.naming import Names
    from f2b_enrich.intake.packing import Key, Unpacked
    from f2b_enrich.joining.plain_lines import PlainLine
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

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

AHEAD = timedelta(days=2)
"""How far clocks may go wrong: no record is believed that is later than this."""


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


@dataclass(slots=True, kw_only=True)
class Portion:
    """Records and counts, in a form that is quick to send to another process.

    `records`, and the `lines` that tell no more than such lines do, are in `parts` once
    it is packed, `size` of them. `taken` counts bytes of the files themselves, `days`
    bans by their day, UTC.
    """

    records: list[Unpacked] = field(default_factory=list)
    lines: dict[Key, list[PlainLine]] = field(default_factory=dict)
    parts: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    steps: list[Step] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    taken: int = 0
    characters: int = 0

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to hand it over."""
        return (
            self.size >= MOST_RECORDS
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
        if at is None or not _FIRST <= at <= now + AHEAD:
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
                *(
                    reference,
                    record.failures,
                    record.ban_count,
                    lines,
                    captures,
                    ban_id,
                ),
            )
        )

    def add_events(
        self, events: Iterable[LogEvent], names: Names, *, reference: str, now: datetime
    ) -> None:
        """Take in what `add` would, of a log's events whose jails have names."""
        last, lines, days = now + AHEAD, self.lines, self.days
        for kind, ip, jail, at in events:
            if not _FIRST <= at <= last:
                self.counts["undated"] += 1
                continue
            self.counts["records-" + kind] += 1
            if kind == "ban":
                days[at.date()] += 1
            line = (int(at.timestamp()), kind, names.jail_of(jail) or "", reference)
            key = names.host_of(None), names.address_of(ip)
            try:
                lines[key].append(line)
            except KeyError:
                lines[key] = [line]
            self.size += 1

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
