"""Portions written to the store, in transactions that nobody has to wait for."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.intake.packing import unpacked
from f2b_enrich.intake.remembering import remember
from f2b_enrich.store import jails, search
from f2b_enrich.store.connection import transaction, work_alone
from f2b_enrich.store.intake import Brought, take_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from f2b_enrich.intake.packing import Key
    from f2b_enrich.intake.portions import Portion, Step
    from f2b_enrich.intake.stopping import Stop
    from f2b_enrich.joining.plain_lines import PlainLine
    from f2b_enrich.store.intake import LookUp
    from f2b_enrich.store.jails import KnownJail

    _Records: TypeAlias = list[Brought | PlainLine]
    _Item: TypeAlias = tuple[Key, _Records]

WANTED_TRANSACTION = 0.015
"""Seconds that a transaction shall take while a daemon works on the store: one in a
hundred takes three times as long on a busy machine, and 0.05 is the limit."""

SHORTEST_PAUSE = 0.005
"""Seconds between two of them, in which others write."""

FIRST_COUNT = 20
"""Records in the first of them; then as many as fit the time."""

FEWEST_GATHERED = 100_000
MOST_GATHERED = 400_000
MOST_GATHERED_CHARACTERS = 64 * 1024 * 1024
"""Records, and characters of their log lines, gathered before any is written: what is
known of an address is read once for all of them, and a log of years has the same
addresses again and again. The more was written, the more are gathered."""

MOST_TOGETHER = 60_000
"""Records in a transaction while no daemon runs."""

MOST_ADDRESSES = 2000
"""Addresses at once: all that is known of them is in memory, and that may be much."""

MOST_STEPS = 1000
"""Places that wait."""

MOST_NOTED = 10
"""Places noted together while no daemon runs."""


class Writer:
    """Writes what was read, and how far that was, in the same transaction.

    What counts once, because nothing tells one from the other, is written with the
    place it belongs to. Bans may be written long before: twice adds nothing.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        look_up: LookUp,
        now: datetime,
        is_daemon_there: Callable[[], bool],
        clock: Callable[[], float],
        pause: Callable[[float], None],
        stop: Stop,
        known_jail: Callable[[str], KnownJail],
    ) -> None:
        """Take a writer's connection; `clock` counts seconds, `pause` waits so many."""
        self._known_jail = known_jail
        self._noted_jails: set[str] = set()
        self.taken = Counter[str]()
        self._connection = connection
        self._look_up: LookUp = look_up
        self._now = now
        self._is_daemon_there = is_daemon_there
        self._clock = clock
        self._pause = pause
        self._stop = stop
        self._gathered = _Gathered()
        self._others_until = clock()
        self._fitting = float(FIRST_COUNT)
        self._took = 0.0
        self._is_alone: bool | None = None
        self._parted: tuple[tuple[str, str] | None, int] = None, 0
        self._frontier = _Frontier()

    def add(self, portion: Portion) -> None:
        """Write it, together with those before it if they are small.

        Raises:
            StoppedError: somebody wants it to stop; nothing is half done.
        """
        portion.pack()
        self._gathered.add(portion)
        while self._gathered.is_full:
            self._write_down_to(self._gathered.size // 2)

    def flush(self) -> None:
        """Write what waits.

        Raises:
            StoppedError: as for `add`.
        """
        self._write_down_to(0)

    def _write_down_to(self, size: int) -> None:
        """Write parts until no more records wait than that."""
        items: list[_Item] = []
        records = 0
        while self._gathered.size > size:
            some = self._gathered.next_part()
            items += some
            records += sum(len(brought) for _, brought in some)
            if records >= MOST_TOGETHER:
                self._write_all(items)
                items, records = [], 0
        self._write_all(items)
        self._note_all(self._gathered.steps())

    def _note_all(self, steps: list[Step]) -> None:
        while steps:
            is_slow = self._is_daemon_there()
            some = 1 if is_slow else MOST_NOTED
            with self._transaction(is_slow=is_slow):
                self._note(_together(steps[:some]))
            steps = steps[some:]

    def _write_all(self, items: Sequence[_Item]) -> None:
        while items:
            is_slow = self._is_daemon_there()
            items = self._write(items, is_slow=is_slow)
        self._index()

    def _write(self, items: Sequence[_Item], *, is_slow: bool) -> Sequence[_Item]:
        """Write as many records as fit a transaction; give those that are left."""
        room = self._fitting if is_slow else MOST_TOGETHER
        taken, records = Counter[str](), 0
        with self._transaction(is_slow=is_slow):
            while items and records < room:
                some, items = self._fitting_of(items, room - records)
                records += sum(map(len, some.values()))
                self._note_jails(some.values())
                bans = take_in(
                    self._connection, some, now=self._now, look_up=self._look_up
                )
                taken.update(new=bans.new, refused=bans.refused)
        self.taken += taken
        if is_slow:
            self._adapt(records)
        return items

    def _fitting_of(
        self, items: Sequence[_Item], most: float
    ) -> tuple[dict[Key, _Records], Sequence[_Item]]:
        """Part items into some of so many records, and those that are left.

        Each part of an address is as large as all before: what is known of it is read
        for every part, which would take longer than it all in one if they were small.
        """
        some: dict[Key, _Records] = {}
        records = end = 0
        while end < len(items) and records < most and len(some) < MOST_ADDRESSES:
            key, brought = items[end]
            whose, written = self._parted
            room = max(int(most - records), 1, written if whose == key else 0)
            end += 1
            some[key] = brought[:room]
            records += len(some[key])
            if len(brought) > room:
                self._parted = key, (written if whose == key else 0) + room
                return some, [(key, brought[room:]), *items[end:]]
        return some, items[end:]

    def _note_jails(self, brought: Iterable[_Records]) -> None:
        """Have the jails known before their bans: some only repeat what others ban."""
        found = {_jail_of(each) for some in brought for each in some}
        for jail in found - self._noted_jails - {None}:
            jails.note(self._connection, self._known_jail(jail or ""))
        self._noted_jails |= {jail for jail in found if jail}

    def _index(self) -> None:
        """Bring the search over log lines up to what is written."""
        while search.has_new_lines(self._connection):
            is_slow = self._is_daemon_there()
            limits = search.SHORT if is_slow else search.LONG
            with self._transaction(is_slow=is_slow):
                search.index_new_lines(self._connection, limits)

    @contextmanager
    def _transaction(self, *, is_slow: bool) -> Iterator[None]:
        """Make a transaction, where others write too after a pause.

        Raises:
            StoppedError: somebody wants it to stop.
        """
        self._stop.check()
        if self._is_alone == is_slow or self._is_alone is None:
            self._is_alone = not is_slow
            work_alone(self._connection, is_alone=self._is_alone)
        if is_slow:
            self._pause(max(self._others_until - self._clock(), 0.0))
        with transaction(self._connection):
            begun = self._clock()
            yield
        # Others get the store for as long as they may have had to wait for it.
        ended = self._clock()
        self._took = ended - begun
        self._others_until = ended + max(self._took, SHORTEST_PAUSE)

    def _adapt(self, records: int) -> None:
        """Take as many records the next time as fit, but not many more at once."""
        fitting = records * WANTED_TRANSACTION / max(self._took, 1e-4)
        self._fitting = max(1.0, min(fitting, self._fitting * 2))

    def _note(self, steps: Iterable[Step]) -> None:
        for step in filter(_has_place, self._frontier.reached(steps)):
            remember(self._connection, step, now=self._now)


class _Gathered:
    """Portions that wait, by parts: a part is written for all of them at once.

    While one part is written the next portion is read, so that neither waits long for
    the other. A place can be noted when every part of the portions up to it is written.
    """

    def __init__(self) -> None:
        self.size = 0
        self._characters = 0
        self._given = 0
        self._number = 0
        self._parts: dict[int, list[bytes]] = {}
        self._oldest: dict[int, int] = {}
        self._steps: list[tuple[int, Step]] = []

    @property
    def is_full(self) -> bool:
        """Tell whether a part is to be written before more is gathered."""
        gathered = min(max(FEWEST_GATHERED, self._given // 2), MOST_GATHERED)
        return (
            self.size >= gathered
            or self._characters >= MOST_GATHERED_CHARACTERS
            or len(self._steps) >= MOST_STEPS
        )

    def add(self, portion: Portion) -> None:
        """Keep a packed portion."""
        self._number += 1
        for part, content in portion.parts.items():
            self._parts.setdefault(part, []).append(content)
            self._oldest.setdefault(part, self._number)
        self._steps += ((self._number, step) for step in portion.steps)
        self.size += portion.size
        self._characters += portion.characters

    def next_part(self) -> list[_Item]:
        """Give away the part that waits longest, unpacked."""
        part = min(self._oldest, key=self._oldest.__getitem__)
        del self._oldest[part]
        brought = unpacked(self._parts.pop(part))
        given = sum(map(len, brought.values()))
        self.size -= given
        self._given += given
        self._characters -= sum(
            len(line)
            for records in brought.values()
            for record in records
            if isinstance(record, Brought)
            for line in record.lines
        )
        return list(brought.items())

    def steps(self) -> list[Step]:
        """Give away the places up to which all is given away."""
        first = min(self._oldest.values(), default=self._number + 1)
        done = [step for number, step in self._steps if number < first]
        del self._steps[: len(done)]
        return done


def _jail_of(record: Brought | PlainLine) -> str | None:
    return record.sighting.jail if isinstance(record, Brought) else record[2]


def _together(steps: Iterable[Step]) -> list[Step]:
    """Make one step of those that follow each other in a log."""
    joined: list[Step] = []
    for step in steps:
        last = joined[-1] if joined else None
        if last is None or not _follows(last, step):
            joined.append(step)
        else:
            joined[-1] = replace(
                last,
                place=step.place,
                found=last.found + step.found,
                packed=last.packed + step.packed,
            )
    return joined


def _follows(last: Step, step: Step) -> bool:
    is_same = (last.kind, last.fingerprint) == ("log", step.fingerprint)
    return is_same and last.place["position"] == step.start


def _has_place(step: Step) -> bool:
    return bool(step.place)


class _Frontier:
    """Places in files that several read at once: none is noted before those before."""

    def __init__(self) -> None:
        self._reached: dict[str, int] = {}
        self._waiting: dict[tuple[str, int], Step] = {}

    def reached(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Give the steps that can be noted now, in order."""
        for step in steps:
            name = step.fingerprint
            if step.after is not None and self._reached.get(name) != step.after:
                self._waiting[name, step.after] = step
                continue
            following: Step | None = step
            while following is not None:
                yield following
                if following.until is None:
                    break
                self._reached[name] = following.until
                following = self._waiting.pop((name, following.until), None)
