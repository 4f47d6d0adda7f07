"""Logs read into portions, from where an earlier run came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_batches import Place
from f2b_enrich.importing.log_files import set_name
from f2b_enrich.importing.log_lines import LONGEST_LINE, LineKind
from f2b_enrich.importing.log_reading import read_log, year_of_first
from f2b_enrich.importing.log_times import ClockPlace
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.opened_logs import Begin, begin_of, opened_log
from f2b_enrich.intake.places import log_place, read_log_place
from f2b_enrich.intake.portions import (
    AHEAD,
    FIRST,
    Gathering,
    Portion,
    Step,
    shown,
)
from f2b_enrich.intake.standard_input import NAME
from f2b_enrich.intake.zones import is_same_zone, zone_name, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from f2b_enrich.importing.log_batches import Batch
    from f2b_enrich.importing.opening import Source
    from f2b_enrich.intake.naming import Names
    from f2b_enrich.intake.opened_logs import OpenedLog

MOST_FOUND = 200
"""Counts that are written together with the place they belong to."""

STILL_WRITTEN = timedelta(minutes=1)
"""A file changed within this may end in half a line, which may hold half an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogJob:
    """Logs, each as its rotated files from the oldest on; no path is standard input.

    One job reads them all: the same file may lie in several folders.

    `zone` names the time zone of the machine that wrote it, None is this one's.
    `places` are those up to which logs were read, by their fingerprints; `again` reads
    what lies before them once more, but for what would count twice.
    """

    logs: tuple[tuple[Path, ...], ...]
    names: Names
    now: datetime
    zone: str | None = None
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    again: bool = False


def read_logs(job: LogJob) -> Iterator[Portion]:
    """Read logs to their ends; a file that cannot be read is told of, others go on.

    Raises:
        ZoneError: nobody knows the time zone.
    """
    reader = _LogReader(job)
    for paths in job.logs:
        yield from reader.read_all(paths or (None,))
    yield reader.gathering.rest()


class _LogReader:
    """Reads one log after the other."""

    def __init__(self, job: LogJob) -> None:
        self.gathering = Gathering()
        self._clock = ClockPlace()
        self._job = job
        self._zone = zone_of(job.zone)
        self._zone_name = zone_name(job.zone)
        self._same_zones = {self._zone_name}
        self._places = dict(job.places)

    def read_all(self, paths: Sequence[Path | None]) -> Iterator[Portion]:
        """Read the files of a log, as one."""
        self._clock = ClockPlace()
        for path in paths:
            self.gathering.portion.counts["files"] += 1
            try:
                with opened_log(path) as log:
                    name = NAME if path is None else printable(set_name(path))
                    yield from self._read(log, name)
            except UnreadableError as exc:
                self.gathering.portion.problems.append(str(exc))
        self.gathering.portion.counts["ambiguous"] += self._clock.in_doubt

    def _read(self, log: OpenedLog, name: str) -> Iterator[Portion]:
        """Read what is new in a log.

        Raises:
            UnreadableError: it cannot be read to its end.
        """
        first_year = self._first_year(log)
        before = self._places.get(log.fingerprint) if log.fingerprint else None
        place, begin = Place(clock=self._clock), Begin()
        if before is not None:
            self._check_zone(before, log.source.name)
            begin = begin_of(log, before, again=self._job.again)
            if begin.at:
                place = read_log_place(before)
        self.gathering.portion.counts["bytes-before"] += begin.at
        log.begin_at(begin.at, edge=begin.counted or 0)
        reading = _Reading(self._job, log, name=name, zone=self._zone_name, begin=begin)
        lines = whole_lines(log.read, keep_last=not self._is_fresh(log.source))
        try:
            for batch in read_log(
                lines, zone=self._zone, first_year=first_year, place=place
            ):
                self._take(batch, reading)
                yield from self.gathering.full()
            reading.move(self.gathering.portion)
        finally:
            if log.fingerprint and reading.place:  # it may lie elsewhere as well
                self._places[log.fingerprint] = reading.place
        if log.is_pipe:
            reading.check_years()

    def _check_zone(self, before: Mapping[str, Any], name: str) -> None:
        zone, now = before.get("zone"), self._zone_name
        if not zone or zone in self._same_zones:
            return
        if not is_same_zone(zone, now):
            raise UnreadableError(
                f"{name} was read before with the times of {zone}, not of {now}: "
                f"name it by --timezone {zone}, or read it into another store"
            )
        self._same_zones.add(zone)

    def _first_year(self, log: OpenedLog) -> int | None:
        if log.is_pipe:
            return None
        by = (log.source.modified_at or self._job.now).astimezone(self._zone)
        year = year_of_first(log.read, by=by)
        log.begin()
        return year

    def _is_fresh(self, source: Source) -> bool:
        changed_at = source.modified_at
        return changed_at is not None and self._job.now - changed_at < STILL_WRITTEN

    def _take(self, batch: Batch, reading: _Reading) -> None:
        job, before, portion = self._job, self._clock, self.gathering.portion
        portion.add_events(batch.events, job.names, reference=reading.name, now=job.now)
        for record in batch.records:
            portion.add(record, job.names, reference=reading.name, now=job.now)
        portion.count({f"lines-{kind}": lines for kind, lines in batch.kinds.items()})
        self._clock = batch.place.clock
        portion.counts["ambiguous"] += max(self._clock.ambiguous - before.ambiguous, 0)
        portion.counts["missing"] += max(self._clock.missing - before.missing, 0)
        portion.show(map(shown, batch.unread))
        reading.move(portion)
        reading.undated += batch.kinds[LineKind.UNDATED]
        reading.has_no_years |= batch.place.years.seconds is not None
        reading.step(batch, portion)


class _Reading:
    """A file while it is read."""

    def __init__(
        self, job: LogJob, log: OpenedLog, *, name: str, zone: str, begin: Begin
    ) -> None:
        self.name = name
        self.place: dict[str, Any] | None = None
        self.undated = 0
        self.has_no_years = False
        self._job = job
        self._log = log
        self._zone = zone
        self._at = begin.at
        self._counted = None if log.fingerprint is None else begin.counted
        self._instead = begin.instead
        self._reached = begin.reached
        self._taken = 0

    def check_years(self) -> None:
        """Tell of dates without a year in what has no time of its own.

        Raises:
            UnreadableError: there were some.
        """
        if self.undated and self.has_no_years:
            raise UnreadableError(
                f"{self.name} does not tell the year of its lines: {self.undated} left "
                "out; name the file itself, or give journalctl -o short-iso"
            )

    def move(self, portion: Portion) -> None:
        """Count what was taken from the file."""
        portion.taken += self._log.source.position - self._taken
        self._taken = self._log.source.position

    def step(self, batch: Batch, portion: Portion) -> None:
        """Note how far it is, with what was found up to there."""
        at, self._at = self._at, batch.place.position
        self._compare(portion)
        start = self._counted
        if start is None or at < start:
            return
        self._counted = self._at
        self.place = log_place(batch.place) | self._log.marks(self._at)
        self.place["zone"] = self._zone
        step = self._step(portion, start)
        step.place = self.place
        names, counts = self._job.names, step.found
        folded: dict[tuple[str | None, str], tuple[str, str]] = {}
        first, last = FIRST.date(), (self._job.now + AHEAD).date()
        for (host, jail, ip, day), lines in batch.found.items():
            if not first <= day <= last:
                portion.counts["undated"] += lines
                continue
            where = host, jail
            named = folded.get(where)
            if named is None:
                named = names.host_of(host), names.jail_of(jail) or ""
                folded[where] = named
            key = (*named, names.address_of(ip), day)
            counts[key] = counts.get(key, 0) + lines

    def _compare(self, portion: Portion) -> None:
        """Leave a pipe uncounted that differs from what was read before."""
        before, log = self._reached, self._log
        if before is None or (
            self._counted is not None and self._at < before["position"]
        ):
            return
        self._reached = None
        if self._counted is None or not log.is_at(before):
            self._counted = None
            portion.problems.append(
                f"{log.source.name} differs from what was read of that log before: "
                "what it found is not counted, unless it is imported as a file"
            )

    def _step(self, portion: Portion, start: int) -> Step:
        """Give the last step if it goes on with it, else begin one."""
        last = portion.steps[-1] if portion.steps else None
        known = self._log.fingerprint or ""
        if (
            last is not None
            and last.fingerprint == known
            and self._instead is None
            and len(last.found) < MOST_FOUND
        ):
            return last
        step = Step(
            kind="log",
            name=self.name,
            fingerprint=known,
            host=self._job.names.host_of(None),
            start=start,
            instead=self._instead,
        )
        self._instead = None
        portion.steps.append(step)
        return step


def whole_lines(
    read: Callable[[int], bytes], *, keep_last: bool
) -> Callable[[int], bytes]:
    """Give whole lines only; `keep_last` says what to do with one without its end.

    One longer than any that is looked at is passed on as it comes.
    """
    rest = b""

    def give(size: int) -> bytes:
        nonlocal rest
        while piece := read(size):
            held = rest + piece
            end = held.rfind(b"\n") + 1
            if len(held) - end > LONGEST_LINE:
                rest = b""
                return held
            rest = held[end:]
            if end:
                return held[:end]
        last, rest = rest, b""
        return last if keep_last else b""

    return give
