"""Very many bans of logs written at once: gathered apart, then put in order."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.errors import StoreError
from f2b_enrich.joining.sightings import id_of_line
from f2b_enrich.store import found, wishes
from f2b_enrich.store.connection import hold_many_pages, sort_many_rows, transaction
from f2b_enrich.store.sighted import seconds_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from f2b_enrich.joining.plain_lines import PlainLine
    from f2b_enrich.joining.running_bans import LoggedBan
    from f2b_enrich.store.wishes import LookUp

    FoundRow: TypeAlias = tuple[int, str, str, str, str, int]
    """Number of the log, day, address, host, jail, lines."""

# In SQLite's own temporary file: it has no name, and goes with this process.
_TABLES = {
    "loaded_bans": """(
        number INTEGER PRIMARY KEY, id TEXT, host TEXT, jail TEXT, ip TEXT,
        ip_version INTEGER, subnet TEXT, banned_at TEXT, unbanned_at TEXT,
        reference TEXT
    )""",
    "loaded_found": """(
        log INTEGER, day TEXT, ip TEXT, host TEXT, jail TEXT, lines INTEGER,
        PRIMARY KEY (log, day, ip, host, jail)
    ) WITHOUT ROWID""",
    "loaded_steps": "(number INTEGER PRIMARY KEY, step BLOB)",
}

_ADD = """
    INSERT INTO loaded_bans (
        id, host, jail, ip, ip_version, subnet, banned_at, unbanned_at, reference
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_ADD_FOUND = """
    INSERT INTO loaded_found (log, day, ip, host, jail, lines)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET lines = lines + excluded.lines
"""

_WRITE = """
    INSERT INTO bans (
        id, host, jail, ip, ip_version, subnet, banned_at, unbanned_at, reference,
        banned_at_source, origin, announced_at, received_at,
        failures, ban_count, lines_received, look_up
    )
    SELECT id, host, jail, ip, ip_version, subnet, banned_at, unbanned_at, reference,
    'logged', 'log', banned_at, :now, 0, 1, 0, :look_up
    FROM loaded_bans
"""

# Rows are in the order of time, nearly: a report reads those of its time one after the
# other.
_ALL = f"{_WRITE} ORDER BY number"

# In that of the index with the longest entries.
_SOME = f"{_WRITE} WHERE number > :after AND number <= :after + :count ORDER BY ip"

_TAKE_FOUND = """
    INSERT INTO found_counts (day, ip, host, jail, import_id, lines)
    SELECT day, ip, host, jail, :import_id, lines FROM loaded_found
    WHERE log = :log AND day >= :first ORDER BY day, ip, host, jail
    ON CONFLICT DO UPDATE SET lines = lines + excluded.lines
"""

_SPAN = """
    SELECT min(day), max(day) FROM loaded_found WHERE log = :log AND day >= :first
"""

ADDRESSES_GIVEN = 500
"""Addresses whose lines are given back at once."""

_BY_ADDRESS = """
    CREATE INDEX IF NOT EXISTS temp.loaded_bans_by_address ON loaded_bans (ip, host)
"""

_NEXT_ADDRESSES = """
    SELECT DISTINCT ip FROM loaded_bans WHERE ip > ? ORDER BY ip LIMIT ?
"""

_OF_ADDRESSES = """
    SELECT host, ip, jail, banned_at, unbanned_at, reference FROM loaded_bans
    WHERE ip > :after AND ip <= :last ORDER BY ip, host
"""

# The others are of few rows, or in the order in which rows come.
_INDEXES = """
    SELECT printf('"%w"', listed.name), sql
    FROM pragma_index_list('bans', 'main') AS listed
    JOIN main.sqlite_schema AS made ON made.name = listed.name
    WHERE listed.origin = 'c' AND NOT listed.partial
"""

AT_ONCE = 200_000
"""Bans written in one transaction to a store that has many."""


_TEMPORARY_FOLDER = "in SQLITE_TMPDIR, else TMPDIR, else /var/tmp"
"""Where SQLite puts what does not fit into memory."""


class Load:
    """Bans, finds and places of logs, gathered for a store on which no daemon works.

    Nothing of it is in the store until it is written there. What gathers raises a
    StoreError where the temporary file has no room.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Begin with nothing; it ends with the next one, or its connection."""
        self.bans = self.found = 0
        self._connection = connection
        self._version = self._data_version()
        with _temporary_transaction(connection):
            for table, columns in _TABLES.items():
                connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
                connection.execute(f"CREATE TEMP TABLE {table} {columns}")

    @property
    def is_disturbed(self) -> bool:
        """Tell whether another process has written to the store since it was begun."""
        return self._data_version() != self._version

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def add(self, host: str, log: str, bans: Iterable[LoggedBan]) -> None:
        """Gather bans that nothing else tells of, in any order."""
        rows = list(_rows(host, log, bans))
        self.bans += len(rows)
        self._gather(_ADD, rows)

    def add_found(self, rows: Sequence[FoundRow]) -> None:
        """Gather what was found, each in addition to what was."""
        self.found += len(rows)
        self._gather(_ADD_FOUND, rows)

    def keep_steps(self, steps: Iterable[bytes]) -> None:
        """Keep what tells the same of places and their finds one by one."""
        self._gather(
            "INSERT INTO loaded_steps (step) VALUES (?)", [(step,) for step in steps]
        )

    def _gather(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with _temporary_transaction(self._connection):
            self._connection.executemany(statement, rows)

    @property
    def parts(self) -> Sequence[int | None]:
        """Name the parts to be written, each in a transaction; None is all at once.

        It is all where the store has less than twice as many: then its indexes are made
        anew afterwards, in order, which takes a third of the time in an empty store.
        """
        there = self._connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM bans LIMIT ?)", (2 * self.bans,)
        ).fetchone()[0]
        if not self.bans or there >= 2 * self.bans:
            return range(0, self.bans, AT_ONCE)
        return (None,)

    def write(self, part: int | None, *, now: str, look_up: LookUp) -> int:
        """Write a part of the bans, inside the caller's transaction; tell how many."""
        with _rows_sorted():
            return self._write(part, now=now, look_up=look_up)

    def _write(self, part: int | None, *, now: str, look_up: LookUp) -> int:
        values: dict[str, str | int]
        values = {"now": now, "look_up": wishes.kept(look_up)}
        if part is not None:
            values |= {"after": part, "count": AT_ONCE}
            return self._connection.execute(_SOME, values).rowcount
        indexes = self._connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            self._connection.execute(f"DROP INDEX main.{name}")
        hold_many_pages(self._connection)
        written = self._connection.execute(_ALL, values).rowcount
        sort_many_rows(self._connection)
        for _, index in indexes:
            self._connection.execute(index)
        return written

    def raise_wishes(self, look_up: LookUp) -> None:
        """Have other bans of the same addresses and hosts looked up like these."""
        wishes.raise_listed(self._connection, "temp.loaded_bans", look_up)

    def write_found(self, log: int, import_id: int) -> None:
        """Write what a log has found, inside the caller's transaction."""
        which = {"log": log, "first": found.first_day(self._connection)}
        first, last = self._connection.execute(_SPAN, which).fetchone()
        if first is not None:
            self._connection.execute(_TAKE_FOUND, which | {"import_id": import_id})
            found.widen(self._connection, import_id, first, last)

    def told(self) -> Iterator[tuple[str, str, list[PlainLine]]]:
        """Give back the lines that tell of the bans, by host and address."""
        with _temporary_transaction(self._connection):
            self._connection.execute(_BY_ADDRESS)
        last = ""
        # A query that goes on would keep all transactions meanwhile at what the store
        # was before the first of them: none could be begun once another process wrote.
        while ips := self._connection.execute(
            _NEXT_ADDRESSES, (last, ADDRESSES_GIVEN)
        ).fetchall():
            rows = self._connection.execute(
                _OF_ADDRESSES, {"after": last, "last": ips[-1]["ip"]}
            ).fetchall()
            last = ips[-1]["ip"]
            for (host, ip), of_address in groupby(rows, key=_host_and_address):
                yield host, ip, [line for row in of_address for line in _lines_of(row)]

    def steps(self) -> Iterator[bytes]:
        """Give back the places, in their order."""
        for row in self._connection.execute(
            "SELECT step FROM loaded_steps ORDER BY number"
        ):
            yield row["step"]


@contextmanager
def _temporary_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write to what is temporary alone.

    Raises:
        StoreError: it does not fit there.
    """
    try:
        with transaction(connection, is_temporary=True):
            yield
    except sqlite3.OperationalError as exc:
        raise StoreError(
            f"SQLite's temporary file, {_TEMPORARY_FOLDER}: {exc}"
        ) from exc


@contextmanager
def _rows_sorted() -> Iterator[None]:
    """Tell of the other place that may be full: rows are sorted in temporary files.

    Raises:
        sqlite3.OperationalError: as SQLite does.
    """
    try:
        yield
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise sqlite3.OperationalError(
            f"{exc}, here or where SQLite's temporary files are, {_TEMPORARY_FOLDER}"
        ) from exc


def _rows(
    host: str, log: str, bans: Iterable[LoggedBan]
) -> Iterator[tuple[object, ...]]:
    addresses: dict[str, tuple[str, int | None, str | None]] = {}
    for ip, jail, at, ended_at in bans:
        address = addresses.get(ip)
        if address is None:
            read = read_address(ip)
            address = addresses[ip] = ip, read.version, read.subnet
        yield (
            *(id_of_line(host, jail, ip, at), host, jail, *address, text_of(at)),
            *(None if ended_at is None else text_of(ended_at), log),
        )


def _host_and_address(row: sqlite3.Row) -> tuple[str, str]:
    return row["host"], row["ip"]


def _lines_of(row: sqlite3.Row) -> Iterator[PlainLine]:
    jail, log = row["jail"], row["reference"]
    yield seconds_of(row["banned_at"]), "ban", jail, log
    if row["unbanned_at"] is not None:
        yield seconds_of(row["unbanned_at"]), "unban", jail, log
