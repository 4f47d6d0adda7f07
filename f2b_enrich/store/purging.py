"""Removing what is too old in short transactions, beside a daemon that writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from f2b_enrich.interrupts import uninterrupted
from f2b_enrich.model import time_text
from f2b_enrich.store import found, removal, report_mails, retention, sighted, wiping
from f2b_enrich.store.retention import RENAMED, STRIPPED, Removed
from f2b_enrich.store.turns import LONGEST_TRANSACTION, Turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from f2b_enrich.store.retention import Limits

PAGE = 200
"""Bans read together."""

LINES_AT_ONCE = 300
CHARACTERS_AT_ONCE = 64 * 1024
"""What one transaction removes, whichever is less, or one ban: some 10 ms."""

EVENTS_AT_ONCE = 1000

_NEXT_TO_STRIP = f"""
    SELECT rowid AS row, id, banned_at,
    (SELECT count(*) FROM log_lines WHERE ban_id = bans.id) AS lines,
    (SELECT ifnull(sum(length(line)), 0) FROM log_lines WHERE ban_id = bans.id)
        AS characters
    FROM bans INDEXED BY bans_by_time
    WHERE (banned_at, rowid) > (:at, :row) AND {STRIPPED}
    ORDER BY banned_at, rowid LIMIT {PAGE}
"""

# One statement for several bans: FTS5 writes a piece of its index at each.
_OF_THESE = "IN (SELECT value FROM json_each(?))"

_SOME_EVENTS = f"""
    DELETE FROM waiting_events WHERE (ban_id, kind) IN (
        SELECT ban_id, kind FROM waiting_events WHERE at < ? LIMIT {EVENTS_AT_ONCE}
    )
"""


class Purge:
    """Remove what is older than the limits.

    Whoever is interrupted may call it again at any time: what is left is found again.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        limits: Limits,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Take a writer's connection; `clock` counts seconds, `pause` waits so many."""
        self.removed = Removed()
        self._connection = connection
        self._limits = limits
        self._now = now
        self._turns = Turns(connection, clock=clock, pause=pause)

    def run(self) -> bool:
        """Remove it all; tell whether none of it stands in the write-ahead log either.

        A reader can hold that up.

        Raises:
            sqlite3.OperationalError: another writer held the store for 10 s.
        """
        wiping.overwrite_deleted(self._connection)
        with self._turns.transaction():
            finished = retention.note(self._connection, self._limits, now=self._now())
        if self._limits.lines is not None:
            self._strip_bans(self._limits.lines)
            self._drop_names(self._limits.lines)
        if self._limits.bans is not None:
            self._remove_bans(self._limits.bans)
        if self.removed != Removed() or not finished:
            self._merge_index(begin=True)
        with self._turns.transaction():
            retention.finish(self._connection, now=self._now())
        return wiping.empty_log(self._connection)

    def _strip_bans(self, before: datetime) -> None:
        """Take lines and values from bans, the oldest first."""
        times = retention.times(before, now=self._now())
        at, row = "", 0
        while page := self._connection.execute(
            _NEXT_TO_STRIP, {**times, "at": at, "row": row}
        ).fetchall():
            for bans in _parts(page):
                with uninterrupted():
                    with self._turns.transaction():
                        lines, values = self._strip(bans)
                    self.removed.stripped += len(bans)
                    self.removed.lines += lines
                    self.removed.values += values
                # Else FTS5 does so by itself, ten times as much at once.
                self._merge_index(begin=False)
            at, row = page[-1]["banned_at"], page[-1]["row"]

    def _strip(self, bans: Sequence[str]) -> tuple[int, int]:
        ids = (json.dumps(bans),)
        run = self._connection.execute
        lines = run(f"DELETE FROM log_lines WHERE ban_id {_OF_THESE}", ids)
        found = run(f"DELETE FROM observed WHERE ban_id {_OF_THESE}", ids)
        run(
            f"UPDATE bans SET captures = NULL WHERE id {_OF_THESE} "
            "AND captures IS NOT NULL",
            ids,
        )
        return lines.rowcount, found.rowcount

    def _drop_names(self, before: datetime) -> None:
        """Drop campaigns that are over, first names of others, reports, events."""
        at = time_text(before)
        with uninterrupted():
            with self._turns.transaction():
                gone = self._connection.execute(
                    "DELETE FROM campaigns WHERE last_at < ?", (at,)
                )
                renamed = self._connection.execute(
                    f"UPDATE campaigns SET first_name = '' WHERE {RENAMED}",
                    {"before": at},
                )
                report_mails.forget_old(self._connection, before=before)
            self.removed.campaigns += gone.rowcount + renamed.rowcount
        count = EVENTS_AT_ONCE
        while count == EVENTS_AT_ONCE:
            with uninterrupted():
                with self._turns.transaction():
                    count = self._connection.execute(_SOME_EVENTS, (at,)).rowcount
                self.removed.events += count

    def _remove_bans(self, before: datetime) -> None:
        """Remove whole bans, the oldest first, and what logs say beside them."""
        while rows := self._connection.execute(
            "SELECT id FROM bans WHERE banned_at < ? ORDER BY banned_at, rowid LIMIT ?",
            (time_text(before), PAGE),
        ).fetchall():
            bans = [row["id"] for row in rows]
            while bans:
                with uninterrupted():
                    count = self._remove_some(bans)
                    self.removed.bans += count
                del bans[:count]
        for some, at_once in (
            (found.remove_some, found.AT_ONCE),
            (sighted.remove_some_loose, sighted.LOOSE_AT_ONCE),
        ):
            count = at_once
            while count >= at_once:
                with self._turns.transaction():
                    count = some(self._connection, before)

    def _remove_some(self, bans: Sequence[str]) -> int:
        """Remove bans until a transaction's time is up; tell how many."""
        count = 0
        with self._turns.transaction():
            for ban in bans:
                removal.remove_ban(self._connection, ban)
                count += 1
                if self._turns.lasts > LONGEST_TRANSACTION:
                    break
        return count

    def _merge_index(self, *, begin: bool) -> None:
        """Merge what FTS5 wants merged, or to begin with, all of it."""
        is_more = True
        while is_more:
            with self._turns.transaction():
                is_more = wiping.merge_index(self._connection, begin=begin)
            begin = False


def _parts(page: Sequence[sqlite3.Row]) -> Iterator[list[str]]:
    """Part bans so that the lines of each part are few enough to delete at once."""
    part: list[str] = []
    lines = characters = 0
    for ban in page:
        lines += ban["lines"]
        characters += ban["characters"]
        if part and (lines > LINES_AT_ONCE or characters > CHARACTERS_AT_ONCE):
            yield part
            part, lines, characters = [], ban["lines"], ban["characters"]
        part.append(ban["id"])
    if part:
        yield part
