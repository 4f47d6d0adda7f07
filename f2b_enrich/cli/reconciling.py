"""What fail2ban holds and keeps, brought together with what the store knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.cli.reconcile_records import (
    ended,
    from_database,
    from_list,
    is_longer,
)
from f2b_enrich.health.check_reconcile import CHORE
from f2b_enrich.interrupts import uninterrupted
from f2b_enrich.outbox import LIFETIME
from f2b_enrich.store import chores
from f2b_enrich.store.in_force import has_near, in_force, known, still_stands
from f2b_enrich.store.intake import take_in
from f2b_enrich.store.turns import LONGEST_TRANSACTION, Turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from f2b_enrich.cli.reconcile_lists import HeldLists
    from f2b_enrich.cli.reconcile_records import Missed
    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.intake import Intake
    from f2b_enrich.importing.fail2ban_rows import StoredBan
    from f2b_enrich.store.in_force import StandingBan

    Addresses: TypeAlias = Callable[[str], tuple[str | None, str | None]]

NOBODY = (None, None)

LONGEST_TELLING = LIFETIME
"""How old a ban that was missed may be to be told of in the next digest: as old as the
mail of one that was not could have become on its way."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What passed us by.

    `bans` are new in the store, `more` are bans of which fail2ban knew more: a longer
    time, or lines. `ended` bans ended unseen. `young` may still be on their way to the
    daemon. `others` are rows of jails that were not asked about, `unread` lines of what
    jails hold that could not be read. While reports are `waiting` in the spool nothing
    is looked for.
    """

    bans: int = 0
    more: int = 0
    ended: int = 0
    young: int = 0
    others: int = 0
    unread: int = 0
    waiting: int = 0


class Reconciling:
    """Bring one store up to what one fail2ban tells."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        settings: Settings,
        intake: Intake,
        *,
        now: datetime,
        clock: Callable[[], float],
        pause: Callable[[float], None],
        tell: Callable[[str], None],
    ) -> None:
        """Take a writer's connection; `clock` counts seconds, `pause` waits so many.

        `tell` is told a line about each ban that passed us by.
        """
        self.found = Found()
        self._connection = connection
        self._jails = settings.jails.aliases
        host = settings.host_name
        self._host = settings.hosts.aliases.get(host, host)
        self._intake = intake
        self._now = now
        self._young_after = (now - settings.alerts.late()).timestamp()
        self._last = chores.done_at(connection, CHORE)
        self._reported: dict[str, bool] = {}
        self._turns = Turns(connection, clock=clock, pause=pause)
        self._tell = tell

    def folded(self, jail: str) -> str:
        """Give the name that the store has for a jail."""
        return self._jails.get(jail, jail)

    def standing(
        self, jails: Iterable[str], *, but: AbstractSet[int] = frozenset()
    ) -> list[StandingBan]:
        """List what may be in place by what the store knows, but for those marks."""
        names = set(map(self.folded, jails))
        found = in_force(self._connection, self._host, names, now=self._now)
        return [ban for ban in found if mark_of(ban.jail, ban.ip, ban.at) not in but]

    def take_rows(
        self,
        records: Sequence[StoredBan],
        jails: frozenset[str],
        addresses: Addresses,
    ) -> set[int]:
        """Take rows of fail2ban's database; give a mark for each.

        `addresses` gives to whom, and from whom, a jail wants its bans to be told.
        """
        told, marks = [], set()
        for record in records:
            if record.jail not in jails:
                self.found.others += 1
                continue
            jail, ip = self.folded(record.jail), read_address(record.ip).text
            told.append(from_database(record, self._host, jail, ip))
            marks.add(mark_of(jail, ip, told[-1].at))
        there = known(self._connection, [one.id for one in told])
        missed = []
        for one in told:
            ban = there.get(one.id)
            if ban is None:
                missed.append(one)
            elif is_longer(one.bantime_seconds, ban.bantime_seconds) or (
                one.brought.lines and not ban.lines_received
            ):
                missed.append(replace(one, is_known=True))
        self._take(missed, addresses)
        return marks

    def take_held(
        self,
        jails: Iterable[str],
        lists: HeldLists,
        standing: Iterable[StandingBan],
        addresses: Addresses,
    ) -> None:
        """Take what jails hold, where fail2ban keeps no database.

        Beside a ban that stands nothing is new: its address cannot be banned twice.
        """
        there = {(ban.jail, ban.ip) for ban in standing}
        names = {self.folded(jail): jail for jail in jails}
        missed = []
        for place in lists.bans.keys() - there:
            jail, ip = place
            for ban in lists.at(place):
                if has_near(self._connection, self._host, jail, ip, ban.at):
                    continue
                missed.append(from_list(ban, self._host, names[jail], jail, ip))
        self._take(sorted(missed, key=lambda one: one.at), addresses)

    def close(
        self, standing: Iterable[StandingBan], lists: HeldLists, *, whenever: bool
    ) -> None:
        """End what stands and no jail may hold."""
        self.found.unread += sum(lists.unread.values())
        gone = [
            ended(ban, self._now, later=lists.at((ban.jail, ban.ip)))
            for ban in standing
            if not lists.may_hold(ban, whenever=whenever)
        ]
        self._take(gone, lambda _: NOBODY)

    def finish(self, reporting: Iterable[str]) -> None:
        """Note that all was looked at, and which jails report their bans."""
        with self._turns.transaction():
            for chore in (CHORE, *map(_chore_of, reporting)):
                chores.done(self._connection, chore, now=self._now)

    def _take(
        self,
        missed: Iterable[Missed],
        addresses: Addresses,
    ) -> None:
        left = []
        for one in missed:
            if one.of is None and not one.is_known and one.at > self._young_after:
                self.found.young += 1
                continue
            # Nobody waits for fail2ban's answer while the store is held.
            dest, sender = addresses(one.jail) if self._is_told(one) else NOBODY
            left.append(replace(one, dest=dest, sender=sender))
        while left:
            texts = self._write_some(left)
            del left[: len(texts)]
            for text in filter(None, texts):
                self._tell(text)

    def _is_told(self, one: Missed) -> bool:
        """Tell whether the next digest speaks of it, as of what comes out of the spool.

        Nothing passed us by of a jail that did not report at the last look: our action
        may not have been there.
        """
        since = (self._now - LONGEST_TELLING).timestamp()
        if one.of is not None or one.is_known or one.at < since:
            return False
        if one.jail not in self._reported:
            last = chores.done_at(self._connection, _chore_of(one.jail))
            self._reported[one.jail] = last is not None and last == self._last
        return self._reported[one.jail]

    def _write_some(self, left: Sequence[Missed]) -> list[str]:
        """Write until a transaction's time is up; give a line, or none, for each."""
        texts, found = [], replace(self.found)
        with uninterrupted():
            with self._turns.transaction():
                for one in left:
                    texts.append(self._write_one(one, found))
                    if self._turns.lasts > LONGEST_TRANSACTION:
                        break
            self.found = found
        return texts

    def _write_one(self, one: Missed, found: Found) -> str:
        if one.of is not None and not still_stands(self._connection, one.of):
            return ""  # somebody told of it since
        before = self._connection.total_changes
        brought = {(self._host, one.ip): (one.brought,)}
        take_in(self._connection, brought, now=self._now, look_up="full")
        is_changed = self._connection.total_changes != before
        if not is_changed:
            return ""
        if one.of is not None:
            found.ended += 1
            return f"{one} ended, and nobody told"
        is_row = self._connection.execute(
            "SELECT 1 FROM bans WHERE id = ?", (one.id,)
        ).fetchone()
        if one.is_known or is_row is None:
            found.more += 1
            return f"{one}: fail2ban knew more of it"
        found.bans += 1
        self._intake.complete(
            self._connection,
            one.event(self._now),
            one.id,
            host=self._host,
            now=self._now,
            is_told=self._is_told(one),
        )
        return f"{one}, and nobody told"


def mark_of(jail: str, ip: str, at: int) -> int:
    """Give a number for a ban: hundreds of thousands of them take little room."""
    return hash((jail, ip, at))


def _chore_of(jail: str) -> str:
    return f"{CHORE} {jail}"
