"""Logs read into portions, from where an earlier run came to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_batches import Place
from f2b_enrich.importing.log_files import set_name
from f2b_enrich.importing.log_lines import LONGEST_LINE
from f2b_enrich.importing.log_reading import fingerprint, read_log, year_of_first
from f2b_enrich.importing.log_times import ClockPlace
from f2b_enrich.importing.opening import opened
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.places import log_place, read_log_place
from f2b_enrich.intake.portions import Gathering, Portion, Step, shown
from f2b_enrich.intake.standard_input import NAME, opened_standard_input
from f2b_enrich.intake.zones import zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from f2b_enrich.importing.log_batches import Batch
    from f2b_enrich.importing.opening import Source
    from f2b_enrich.intake.naming import Names

MOST_FOUND = 200
"""Counts that are written together with the place they belong to."""

STILL_WRITTEN = timedelta(minutes=1)
"""A file changed within this may end in half a line, which may hold half an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogJob:
    """A log, as its rotated files from the oldest on; no path is standard input.

    `zone` names the time zone of the machine that wrote it, None is this one's.
    `places` are those up to which logs were read, by their fingerprints; `again` reads
    what lies before them once more, but for what would count twice.
    """

    paths: tuple[Path, ...]
    names: Names
    now: datetime
    zone: str | None = None
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    again: bool = False


def read_logs(job: LogJob) -> Iterator[Portion]:
    """Read a log to its end; a file that cannot be read is told of, others go on.

    Raises:
        ZoneError: nobody knows the time zone.
    """
    reader = _LogReader(job)
    for path in job.paths or (None,):
        try:
            yield from reader.read(path)
        except UnreadableError as exc:
            reader.gathering.portion.problems.append(str(exc))
    reader.gathering.portion.counts["ambiguous"] += reader.clock.in_doubt
    yield reader.gathering.rest()


class _LogReader:
    """Reads one file after the other, as one log."""

    def __init__(self, job: LogJob) -> None:
        self.gathering = Gathering()
        self.clock = ClockPlace()
        self._job = job
        self._zone = zone_of(job.zone)
        self._places = dict(job.places)

    def read(self, path: Path | None) -> Iterator[Portion]:
        """Read what is new in a file.

        Raises:
            UnreadableError: it cannot be read, or not to its end.
        """
        portion = self.gathering.portion
        portion.counts["files"] += 1
        known = self._fingerprint(path)
        before = self._places.get(known) if known else None
        place = Place(clock=self.clock)
        if before is not None and not self._job.again:
            self._check_zone(before, path)
            place = read_log_place(before)
            portion.counts["bytes-before"] += place.position
        reading = _Reading(self._job, NAME if path is None else set_name(path))
        if known is not None:
            reading.remember(known, before)
        first_year = self._first_year(path)
        with _opened(path, place.position) as source:
            lines = whole_lines(source.read, keep_last=not self._is_fresh(source))
            for batch in read_log(
                lines, zone=self._zone, first_year=first_year, place=place
            ):
                self._take(batch, source, reading)
                yield from self.gathering.full()
            reading.move_to(source.position, self.gathering.portion)
        if known and reading.last is not None:  # it may lie there packed as well
            self._places[known] = log_place(reading.last)

    def _check_zone(self, before: Mapping[str, Any], path: Path | None) -> None:
        zone = before.get("zone")
        if zone and self._job.zone and zone != self._job.zone:
            raise UnreadableError(
                f"{printable(str(path))} was read before with --timezone {zone}, "
                "the times in it stay so"
            )

    def _fingerprint(self, path: Path | None) -> str | None:
        if path is None or not path.is_file():
            return None  # a pipe is read once
        with opened(path) as source:
            return fingerprint(source.read)

    def _first_year(self, path: Path | None) -> int | None:
        if path is None or not path.is_file():
            return None
        with opened(path) as source:
            by = (source.modified_at or self._job.now).astimezone(self._zone)
            return year_of_first(source.read, by=by)

    def _is_fresh(self, source: Source) -> bool:
        changed_at = source.modified_at
        return changed_at is not None and self._job.now - changed_at < STILL_WRITTEN

    def _take(self, batch: Batch, source: Source, reading: _Reading) -> None:
        job, before, portion = self._job, self.clock, self.gathering.portion
        for record in batch.records:
            portion.add(record, job.names, reference=reading.name, now=job.now)
        portion.count({f"lines-{kind}": lines for kind, lines in batch.kinds.items()})
        self.clock = batch.place.clock
        portion.counts["ambiguous"] += max(self.clock.ambiguous - before.ambiguous, 0)
        portion.counts["missing"] += max(self.clock.missing - before.missing, 0)
        portion.show(map(shown, batch.unread))
        reading.move_to(source.position, portion)
        reading.step(batch, portion)


class _Reading:
    """A file while it is read."""

    def __init__(self, job: LogJob, name: str) -> None:
        self.name = name
        self.last: Place | None = None
        self._job = job
        self._known: str | None = None
        self._counted_up_to = 0
        self._taken = 0

    def remember(self, known: str, before: Mapping[str, Any] | None) -> None:
        """Note places under that fingerprint, behind the one that was reached."""
        self._known = known
        self._counted_up_to = before["position"] if before else 0

    def move_to(self, position: int, portion: Portion) -> None:
        """Count what was taken from the file."""
        portion.taken += position - self._taken
        self._taken = position

    def step(self, batch: Batch, portion: Portion) -> None:
        """Note how far it is, with what was found up to there."""
        self.last = batch.place
        if self._known is None or batch.place.position <= self._counted_up_to:
            return
        step = portion.steps[-1] if portion.steps else None
        if (
            step is None
            or step.fingerprint != self._known
            or len(step.found) >= MOST_FOUND
        ):
            step = Step(
                kind="log",
                name=self.name,
                fingerprint=self._known,
                host=self._job.names.host_of(None),
            )
            portion.steps.append(step)
        step.place = log_place(batch.place) | {"zone": self._job.zone}
        names = self._job.names
        for found, lines in batch.found.items():
            host, jail, ip, day = found
            key = (
                names.host_of(host),
                names.jail_of(jail) or "",
                names.address_of(ip),
                day,
            )
            step.found[key] = step.found.get(key, 0) + lines


@contextmanager
def _opened(path: Path | None, start: int) -> Iterator[Source]:
    if path is None:
        with opened_standard_input() as source:
            yield source
    else:
        with opened(path, start=start) as source:
            yield source


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
