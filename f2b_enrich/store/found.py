"""How often jails found addresses, by day: `Found` lines of logs, which are no bans."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from f2b_enrich.store.retention import purged

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import date, datetime

AT_ONCE = 1000
"""Counts that one transaction of a purge removes, some 5 ms."""

_ADD = """
    INSERT INTO found_counts (day, ip, host, jail, import_id, lines)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET lines = lines + excluded.lines
"""

_SPAN = """
    UPDATE imports SET first_day = min(ifnull(first_day, :first), :first),
    last_day = max(ifnull(last_day, :last), :last) WHERE id = :id
"""

_FORGET = """
    DELETE FROM found_counts WHERE import_id = :id
    AND day BETWEEN (SELECT first_day FROM imports WHERE id = :id)
    AND (SELECT last_day FROM imports WHERE id = :id)
"""
_NO_SPAN = "UPDATE imports SET first_day = NULL, last_day = NULL WHERE id = :id"

_SOME_OLD = f"""
    DELETE FROM found_counts WHERE (day, ip, host, jail, import_id) IN (
        SELECT day, ip, host, jail, import_id FROM found_counts WHERE day < ?
        LIMIT {AT_ONCE}
    )
"""


class FoundOn(NamedTuple):
    """A jail of a host, an address, and a day by that host's clock.

    Host and jail are folded by the aliases, the address is as `read_address` writes it.
    """

    host: str
    jail: str
    ip: str
    day: date


def add(
    connection: sqlite3.Connection, import_id: int, lines: Mapping[FoundOn, int]
) -> None:
    """Add what a log has found in its lines since the place up to which it was read.

    In the transaction that notes its new place. Days that were purged stay away.
    """
    first = first_day(connection)
    days = {each: each.isoformat() for each in {found.day for found in lines}}
    days = {each: day for each, day in days.items() if day >= first}
    connection.executemany(
        _ADD,
        sorted(
            (days[found.day], found.ip, found.host, found.jail, import_id, count)
            for found, count in lines.items()
            if found.day in days
        ),
    )
    if days:
        widen(connection, import_id, min(days.values()), max(days.values()))


def first_day(connection: sqlite3.Connection) -> str:
    """Name the first day that was not purged."""
    before = purged(connection).bans
    return "" if before is None else before.date().isoformat()


def widen(
    connection: sqlite3.Connection, import_id: int, first: str, last: str
) -> None:
    """Note the days that a log has found something on."""
    connection.execute(_SPAN, {"first": first, "last": last, "id": import_id})


def forget(connection: sqlite3.Connection, import_id: int) -> None:
    """Remove what a log has found, to count it anew in the same transaction."""
    connection.execute(_FORGET, {"id": import_id})
    connection.execute(_NO_SPAN, {"id": import_id})


def remove_some(connection: sqlite3.Connection, before: datetime) -> int:
    """Remove some of the counts of days before that one; tell how many."""
    return connection.execute(_SOME_OLD, (before.date().isoformat(),)).rowcount
