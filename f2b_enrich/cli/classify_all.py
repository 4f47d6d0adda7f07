"""Classing stored bans anew, beside a daemon that goes on taking bans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.daemon.analysis import Outcome
from f2b_enrich.daemon.transactions import LONGEST_TRANSACTION
from f2b_enrich.interrupts import uninterrupted
from f2b_enrich.store import classes
from f2b_enrich.store.connection import transaction
from f2b_enrich.store.turns import Turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from f2b_enrich.daemon.analysis import Analysis, Shown
    from f2b_enrich.store.classes import Unread

PAGE = 50
"""Bans read together: at most 3 MiB of lines."""


@dataclass(slots=True, kw_only=True)
class Done:
    """How many bans were classed, of them with another leading class than before.

    `kept` are those whose lines are no longer stored: what was found in them stays.
    `left` got their lines just then.
    """

    classed: int = 0
    changed: int = 0
    kept: int = 0
    left: int = 0

    def add(self, more: Done) -> None:
        """Count what has reached the disk."""
        self.classed += more.classed
        self.changed += more.changed
        self.kept += more.kept
        self.left += more.left


class Reclassing:
    """Class the bans that other rules and jails than today's have classed, or none.

    A ban that is done carries the number of its rules, so who is interrupted goes on
    where he was.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        analysis: Analysis,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Bring the table of jails up to date, by which bans are classed.

        `clock` counts seconds that pass, `pause` waits so many.
        """
        self.done = Done()
        self._connection = connection
        self._analysis = analysis
        self._now = now
        with transaction(connection):
            self._rule_set = analysis.announce(connection, now=now())
        self._turns = Turns(connection, clock=clock, pause=pause)

    def left(self) -> int:
        """Count the bans that wait."""
        return classes.count_classed_otherwise(self._connection, self._rule_set)

    def steps(self) -> Iterator[int]:
        """Class them all; tell after each transaction how many are done with it.

        Raises:
            sqlite3.OperationalError: another writer held the store for 10 s.
        """
        after = 0
        while page := classes.classed_otherwise(
            self._connection, self._rule_set, after=after, limit=PAGE
        ):
            after = page[-1].row
            shown = self._analysis.show_all(page)
            bans = list(zip(page, shown, strict=True))
            while bans:
                count = self._write(bans)
                del bans[:count]
                yield count
        if not self.left():
            with self._turns.transaction():
                classes.forget_others(self._connection, self._rule_set)

    def _write(self, bans: Sequence[tuple[Unread, Shown]]) -> int:
        """Write until a transaction's time is up; tell how many bans it took."""
        count, done = 0, Done()
        with uninterrupted():
            with self._turns.transaction():
                for ban, shown in bans:
                    self._class(ban, shown, done)
                    count += 1
                    if self._turns.lasts > LONGEST_TRANSACTION:
                        break
            self.done.add(done)
        return count

    def _class(self, ban: Unread, shown: Shown, done: Done) -> None:
        outcome = self._analysis.save(self._connection, ban, shown, now=self._now())
        match outcome:
            case Outcome.CHANGED:
                done.changed += 1
                done.classed += 1
            case Outcome.CLASSED:
                done.classed += 1
            case Outcome.KEPT:
                done.kept += 1
            case Outcome.LEFT:
                done.left += 1  # the daemon classes it, or the next run
