"""Portions written to the store, in transactions that nobody has to wait for."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from f2b_enrich.intake.gathering import Gathered
from f2b_enrich.intake.loading import DisturbedError, Loading, lines_of
from f2b_enrich.intake.noting import Frontier, together
from f2b_enrich.intake.portions import Portion
from f2b_enrich.intake.remembering import remember
from f2b_enrich.store import jails, search
from f2b_enrich.store.connection import copy_back, work_alone
from f2b_enrich.store.intake import Brought, take_in
from f2b_enrich.store.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence, Set

    from f2b_enrich.intake.gathering import Item, Records
    from f2b_enrich.intake.packing import Key
    from f2b_enrich.intake.portions import Step
    from f2b_enrich.intake.target import Target
    from f2b_enrich.joining.plain_lines import PlainLine
    from f2b_enrich.store.jails import KnownJail


WANTED_TRANSACTION = 0.015
"""Seconds that a transaction shall take while a daemon works on the store: one in a
hundred takes three times as long on a busy machine, and 0.05 is the limit."""

FIRST_COUNT = 20
"""Records in the first of them; then as many as fit the time."""

MOST_TOGETHER = 60_000
"""Records in a transaction while no daemon runs."""

MOST_ADDRESSES = 2000
"""Addresses at once: all that is known of them is in memory, and that may be much."""

MOST_NOTED = 10
"""Places noted together while no daemon runs."""


class Writer:
    """Writes what was read, and how far that was, in the same transaction.

    What counts once, because nothing tells one from the other, is written with the
    place it belongs to. Bans may be written long before: twice adds nothing.
    """

    def __init__(
        self,
        target: Target,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], None],
        known_jail: Callable[[str], KnownJail],
    ) -> None:
        """Begin with nothing; `clock` counts seconds, `pause` waits so many."""
        self.taken = Counter[str]()
        self._target = target
        self._connection = target.connection
        self._turns = Turns(target.connection, clock=clock, pause=pause)
        self._known_jail = known_jail
        self._noted_jails: set[str] = set()
        self._gathered = Gathered()
        self._fitting = float(FIRST_COUNT)
        self._is_alone: bool | None = None
        self._parted: tuple[tuple[str, str] | None, int] = None, 0
        self._frontier = Frontier()
        self._loading: Loading | None = None

    def add(self, portion: Portion) -> None:
        """Write it, together with those before it if they are small.

        Raises:
            StoppedError: somebody wants it to stop; nothing is half done.
        """
        is_alone = not self._target.is_daemon_there()
        if self._loading and (not is_alone or self._loading.is_disturbed):
            self._give_up_loading()
        self._gathered.add(self._left_of(portion, is_alone=is_alone))
        portion.pack()
        self._gathered.add(portion)
        if self._loading and (self._loading.is_full or self._gathered.is_full):
            self._load()
        while self._gathered.is_full:
            self._write_down_to(self._gathered.size // 2)

    def flush(self) -> None:
        """Write what waits.

        Raises:
            StoppedError: as for `add`.
        """
        self._load()
        self._write_down_to(0)

    def _left_of(self, portion: Portion, *, is_alone: bool) -> Portion:
        """Take out of a portion what may be loaded; give the lines that may not."""
        if not is_alone or not portion.is_of_logs:
            lines = lines_of(portion)
        else:
            found = {jail for run in portion.runs for jail in run.jails}
            if found - self._noted_jails:
                with self._transaction(is_slow=False):
                    self._note_jails(found)
            self._loading = self._loading or Loading(self._target)
            lines = self._loading.take(portion)
        left = Portion(lines=lines, size=sum(map(len, lines.values())))
        left.pack()
        return left

    def _load(self) -> None:
        """Write what was loaded, and all that was gathered beside it."""
        loading = self._loading
        if loading is None:
            return
        try:
            self._is_alone = None  # it takes room as it needs it
            loading.write()
        except (DisturbedError, sqlite3.IntegrityError):
            self._give_up_loading()
            return
        finally:
            self.taken["new"] += loading.written
        self._write_down_to(0)
        try:
            loading.note()
        except DisturbedError:
            self._note_all(loading.steps())
        self._loading = None

    def _give_up_loading(self) -> None:
        """Write one by one what was loaded: somebody else writes to the store too."""
        if self._loading is None:
            return
        told = self._loading.given_back()
        while items := list(islice(told, MOST_ADDRESSES)):
            self._write_all([(key, list(lines)) for key, lines in items])
        self._write_down_to(0)
        self._note_all(self._loading.steps())
        self._loading = None

    def _write_down_to(self, size: int) -> None:
        """Write parts until no more records wait than that."""
        items: list[Item] = []
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
            is_slow = self._target.is_daemon_there()
            some = 1 if is_slow else MOST_NOTED
            with self._transaction(is_slow=is_slow):
                self._note(together(steps[:some]))
            steps = steps[some:]

    def _write_all(self, items: Sequence[Item]) -> None:
        while items:
            is_slow = self._target.is_daemon_there()
            items = self._write(items, is_slow=is_slow)
        self._index()

    def _write(self, items: Sequence[Item], *, is_slow: bool) -> Sequence[Item]:
        """Write as many records as fit a transaction; give those that are left."""
        room = self._fitting if is_slow else MOST_TOGETHER
        taken, records = Counter[str](), 0
        with self._transaction(is_slow=is_slow):
            while items and records < room:
                some, items = self._fitting_of(items, room - records)
                records += sum(map(len, some.values()))
                self._note_jails(
                    {_jail_of(each) for brought in some.values() for each in brought}
                )
                now, look_up = self._target.now, self._target.look_up
                bans = take_in(self._connection, some, now=now, look_up=look_up)
                taken.update(new=bans.new, refused=bans.refused)
        self.taken += taken
        if is_slow:
            self._adapt(records)
        return items

    def _fitting_of(
        self, items: Sequence[Item], most: float
    ) -> tuple[dict[Key, Records], Sequence[Item]]:
        """Part items into some of so many records, and those that are left.

        Each part of an address is as large as all before: what is known of it is read
        for every part, which would take longer than it all in one if they were small.
        """
        some: dict[Key, Records] = {}
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

    def _note_jails(self, found: Set[str | None]) -> None:
        """Have the jails known before their bans: some only repeat what others ban."""
        for jail in found - self._noted_jails - {None}:
            jails.note(self._connection, self._known_jail(jail or ""))
        self._noted_jails |= {jail for jail in found if jail}

    def _index(self) -> None:
        """Bring the search over log lines up to what is written."""
        while search.has_new_lines(self._connection):
            is_slow = self._target.is_daemon_there()
            limits = search.SHORT if is_slow else search.LONG
            with self._transaction(is_slow=is_slow):
                search.index_new_lines(self._connection, limits)

    @contextmanager
    def _transaction(self, *, is_slow: bool) -> Iterator[None]:
        """Make a transaction, where others write too after a pause.

        Raises:
            StoppedError: somebody wants it to stop.
        """
        self._target.stop.check()
        self._take_room(is_alone=not is_slow)
        with ExitStack() as stack:
            if not is_slow:  # another import may load its bans for long
                stack.enter_context(self._target.openers_waiting())
            stack.enter_context(self._turns.transaction(is_alone=not is_slow))
            yield

    def _take_room(self, *, is_alone: bool) -> None:
        if self._is_alone != is_alone:
            self._is_alone = is_alone
            work_alone(self._connection, is_alone=is_alone)
            if not is_alone:
                copy_back(self._connection)

    def _adapt(self, records: int) -> None:
        """Take as many records the next time as fit, but not many more at once."""
        fitting = records * WANTED_TRANSACTION / max(self._turns.took, 1e-4)
        self._fitting = max(1.0, min(fitting, self._fitting * 2))

    def _note(self, steps: Iterable[Step]) -> None:
        for step in self._frontier.reached(steps):
            remember(self._connection, step, now=self._target.now)


def _jail_of(record: Brought | PlainLine) -> str | None:
    return record.sighting.jail if isinstance(record, Brought) else record[2]
