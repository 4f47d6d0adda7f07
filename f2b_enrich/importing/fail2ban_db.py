"""fail2ban's own database read page by page, also while fail2ban writes to it.

Bans are kept there for a day by default; what `bips` keeps longer is the last ban of
each address and jail. Bans that ended by hand are gone from both.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from f2b_enrich.importing.fail2ban_db_opening import (
    MAX_VALUE,
    Connection,
    Schema,
    connected,
    schema_of,
)
from f2b_enrich.importing.fail2ban_rows import Row, StoredBan, Unread, ban_of, core_of
from f2b_enrich.importing.fail2ban_seen import Seen
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.importing.fail2ban_db_opening import Table

PAGE = 500
"""Rows read at a time: while they are, fail2ban cannot write, and gives up after 5 s
(fail2ban 1.0.2, sqlite3's own time-out)."""

BUSY_SECONDS = 10.0

_BEFORE_FIRST = -(2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was read: every row is a ban, repeated, or unread.

    `repeated` are rows that tell of the same ban as one before, as most of `bips` do.
    `without_data` are bans of which only place and time could be read. Times are UTC.
    """

    rows: int = 0
    bans: int = 0
    repeated: int = 0
    without_data: int = 0
    unread: Counter[Unread] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None

    def __add__(self, other: Tally) -> Tally:
        """Join what two parts tell."""
        firsts = [at for at in (self.first_at, other.first_at) if at]
        lasts = [at for at in (self.last_at, other.last_at) if at]
        return Tally(
            rows=self.rows + other.rows,
            bans=self.bans + other.bans,
            repeated=self.repeated + other.repeated,
            without_data=self.without_data + other.without_data,
            unread=self.unread + other.unread,
            first_at=min(firsts, default=None),
            last_at=max(lasts, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows."""

    records: tuple[StoredBan, ...]
    tally: Tally


class _Found(NamedTuple):
    rowid: int
    row: Row | None
    """None where it is too large."""


class Fail2BanDatabase:
    """An open database of fail2ban."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        """Read by that connection what has that schema."""
        self.version = schema.version
        self._connection = connection
        self._columns = schema.columns

    def pages(self) -> Iterator[Page]:
        """Yield all bans, those of `bans` first, in fail2ban's order.

        No lock is held between two pages. What fail2ban adds where it has deleted
        meanwhile can be missed: the next reading finds it.

        Raises:
            UnreadableError: the file is damaged, or others keep it locked.
        """
        with Seen() as seen:
            for table in self._columns:
                after = _BEFORE_FIRST
                while found := self._found(table, after):
                    self._check_order(after, found)
                    after = found[-1].rowid
                    yield _page(found, seen)

    def _found(self, table: Table, after: int) -> list[_Found]:
        found: list[_Found] = []
        size = 0
        try:
            with self._connection.asking(self._question(table), after, PAGE) as rows:
                for rowid, *values in rows:
                    row = Row(*values)
                    found.append(_Found(rowid, row))
                    size += len(row.data) if isinstance(row.data, bytes) else 0
                    if size > MAX_VALUE:
                        break
        except sqlite3.DataError:
            # The rows before it are a page; it is the first one of the next.
            return found or self._too_large(table, after)
        return found

    def _too_large(self, table: Table, after: int) -> list[_Found]:
        """Read a row without its data, or that there is one."""
        question = self._question(table, without={"data"})
        try:
            with self._connection.asking(question, after, 1) as rows:
                return [_Found(rowid, Row(*values)) for rowid, *values in rows]
        except sqlite3.DataError:
            question = self._question(table, without=set(Row._fields))
            with self._connection.asking(question, after, 1) as rows:
                return [_Found(rowid, None) for rowid, *_ in rows]

    def _question(self, table: Table, *, without: set[str] | None = None) -> str:
        known = self._columns[table] - (without or set())
        columns = ", ".join(name if name in known else "NULL" for name in Row._fields)
        return (
            f"SELECT rowid, {columns} FROM {table} "  # noqa: S608 - names of ours
            "WHERE rowid > ? ORDER BY rowid LIMIT ?"
        )

    def _check_order(self, after: int, found: list[_Found]) -> None:
        """Refuse what would go in circles: a damaged file may give a row again."""
        for one in found:
            if one.rowid <= after:
                raise UnreadableError(f"{self._connection.name} is damaged")
            after = one.rowid


@contextmanager
def opened_database(
    path: Path, *, busy_seconds: float = BUSY_SECONDS
) -> Iterator[Fail2BanDatabase]:
    """Open fail2ban's database to be read, waiting so long for others' locks.

    Raises:
        UnreadableError: it is not there, not fail2ban's, or of no known version.
    """
    with connected(path, busy_seconds=busy_seconds) as connection:
        yield Fail2BanDatabase(connection, schema_of(connection))


def _page(found: list[_Found], seen: Seen) -> Page:
    records: list[StoredBan] = []
    unread: Counter[Unread] = Counter()
    repeated = 0
    for one in found:
        if one.row is None:
            unread[Unread.SIZE] += 1
            continue
        core = core_of(one.row)
        if isinstance(core, Unread):
            unread[core] += 1
        elif seen.add(core.key()):
            records.append(ban_of(core, one.row))
        else:
            repeated += 1
    times = [record.at for record in records if record.at]
    tally = Tally(
        rows=len(found),
        bans=len(records),
        repeated=repeated,
        without_data=sum(not record.data_is_read for record in records),
        unread=unread,
        first_at=min(times, default=None),
        last_at=max(times, default=None),
    )
    return Page(records=tuple(records), tally=tally)
