"""What fail2ban holds and keeps, brought together with what the store knows."""

from __future__ import annotations

import contextlib
from collections import defaultdict
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
from f2b_enrich.outbox import LIFETIME
from f2b_enrich.store import chores
from f2b_enrich.store.connection import transaction
from f2b_enrich.store.in_force import has_near, in_force, known
from f2b_enrich.store.intake import take_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.cli.reconcile_records import Missed
    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.intake import Intake
    from f2b_enrich.health.held_bans import HeldBan
    from f2b_enrich.importing.fail2ban_rows import StoredBan
    from f2b_enrich.store.in_force import StandingBan

    Addresses: TypeAlias = Callable[[str], tuple[str | None, str | None]]

NOBODY = (None, None)

LONGEST_TRANSACTION = 0.02
"""Seconds after which no further address is taken in; the commit is yet to come."""

SHORTEST_PAUSE = 0.005
"""Seconds between two transactions, in which others write."""

LONGEST_TELLING = LIFETIME
"""How old a ban that was missed may be to be told of in the next digest: as old as the
mail of one that was not could have become on its way."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What passed us by.

    `bans` are new in the store, `more` are bans of which fail2ban knew more: a longer
    time, or lines. `ended` bans ended unseen. `young` may still be on their way to the
    daemon. `others` are rows of jails that were not asked about.
    """

    bans: int = 0
    more: int = 0
    ended: int = 0
    young: int = 0
    others: int = 0


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
        self._clock = clock
        self._pause = pause
        self._tell = tell
        self._others_until = clock()

    def in_force(
        self, jails: Iterable[str]
    ) -> Mapping[tuple[str, str], list[StandingBan]]:
        """List what may be in place, by jail and address, before fail2ban is asked.

        What is recorded meanwhile is then not taken for ended.
        """
        names = {self._folded(jail) for jail in jails}
        found: dict[tuple[str, str], list[StandingBan]] = defaultdict(list)
        for ban in in_force(self._connection, self._host, names, now=self._now):
            found[ban.jail, ban.ip].append(ban)
        return found

    def take_rows(
        self,
        records: Sequence[StoredBan],
        jails: frozenset[str],
        addresses: Addresses,
    ) -> set[tuple[str, str, int]]:
        """Take rows of fail2ban's database; give jail, address and time of each.

        `addresses` gives to whom, and from whom, a jail wants its bans to be told.
        """
        told, places = [], set()
        for record in records:
            if record.jail not in jails:
                self.found.others += 1
                continue
            jail, ip = self._folded(record.jail), read_address(record.ip).text
            told.append(from_database(record, self._host, jail, ip))
            places.add((jail, ip, told[-1].at))
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
        return places

    def take_held(
        self,
        jail: str,
        held: Iterable[HeldBan],
        addresses: Addresses,
    ) -> None:
        """Take what a jail holds, where fail2ban keeps no database."""
        folded = self._folded(jail)
        missed = []
        for ban in held:
            ip = read_address(ban.ip).text
            if not has_near(self._connection, self._host, folded, ip, ban.at):
                missed.append(from_list(ban, self._host, jail, folded, ip))
        self._take(missed, addresses)

    def close(
        self,
        in_place: Mapping[tuple[str, str], list[StandingBan]],
        held: Mapping[str, Sequence[HeldBan]],
        kept: set[tuple[str, str, int]],
    ) -> None:
        """End what fail2ban neither holds nor would put in place at its next start."""
        by_address: dict[tuple[str, str], list[HeldBan]] = defaultdict(list)
        for name, bans in held.items():
            for ban in bans:
                by_address[self._folded(name), read_address(ban.ip).text].append(ban)
        gone = [
            ended(ban, self._now, later=by_address.get(place, ()))
            for place, bans in in_place.items()
            for ban in bans
            if (*place, ban.at) not in kept and not _holds(by_address.get(place), ban)
        ]
        self._take(gone, lambda _: NOBODY)

    def finish(self) -> None:
        """Note that all was looked at."""
        with self._write():
            chores.done(self._connection, CHORE, now=self._now)

    def _folded(self, jail: str) -> str:
        return self._jails.get(jail, jail)

    def _take(
        self,
        missed: Iterable[Missed],
        addresses: Addresses,
    ) -> None:
        left = []
        for one in missed:
            if one.is_ban and not one.is_known and one.at > self._young_after:
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

        Nothing passed us by before the first look: we may not have been there.
        """
        since = (self._now - LONGEST_TELLING).timestamp()
        return one.is_ban and not one.is_known and bool(self._last) and one.at >= since

    def _write_some(self, left: Sequence[Missed]) -> list[str]:
        """Write until a transaction's time is up; give a line, or none, for each."""
        texts, found = [], replace(self.found)
        with self._write() as begun:
            for one in left:
                texts.append(self._write_one(one, found))
                if self._clock() - begun > LONGEST_TRANSACTION:
                    break
        self.found = found
        return texts

    def _write_one(self, one: Missed, found: Found) -> str:
        before = self._connection.total_changes
        brought = {(self._host, one.ip): (one.brought,)}
        take_in(self._connection, brought, now=self._now, look_up="full")
        is_changed = self._connection.total_changes != before
        if not is_changed:
            return ""
        if not one.is_ban:
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

    @contextlib.contextmanager
    def _write(self) -> Iterator[float]:
        """Make a transaction, after a pause; give the clock at its beginning."""
        self._pause(max(self._others_until - self._clock(), 0.0))
        with transaction(self._connection):
            begun = self._clock()
            yield begun
        # Others get the store for as long as they may have had to wait for it.
        now = self._clock()
        self._others_until = now + max(now - begun, SHORTEST_PAUSE)


def _holds(held: Iterable[HeldBan] | None, ban: StandingBan) -> bool:
    """Tell whether one of the bans of that address and jail is this one.

    Without the time of the failure it may be any.
    """
    return any(not ban.is_exact or each.began(ban.at) for each in held or ())
