"""Bans by the million as a report reads them: a few columns of each, part by part."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from f2b_enrich.model import time_text
from f2b_enrich.selection import WHOLE, Selection
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from f2b_enrich.selection import Share

Place: TypeAlias = "tuple[str, float | None, float | None]"
"""Country code, country, region and city (`read_names`), latitude and longitude."""

LookUp: TypeAlias = "tuple[str, Place, tuple[int, str], tuple[str, str]]"
"""An address, its place, its network as AS number, name and scanner (`read_names`),
and the source of that and its time."""

Who: TypeAlias = "int | str"
"""An address by the look-up that its ban has, else by itself: numbers are read faster,
and a look-up is of one address."""

Row: TypeAlias = "tuple[Who, str, str, str | None, int, int, int, int]"
"""Who; jail, host and leading class or none (`read_names`); what its lines show
(`read_shown`), what names were tried (`read_tried`), quarter-hour since 1970, failures,
ban count and ban time; -2 is not known, as fail2ban's own database writes it."""

BriefRow: TypeAlias = "tuple[Who, str, int]"
"""Who, jail, and quarter-hour since 1970."""

FEW = 4
"""One in so many bans is looked up faster than all of them are gone over."""

_AT_ONCE = 2000
"""Rows read at a time: what fits a processor's cache."""

_ASKED_AT_ONCE = 20_000
"""Look-ups asked for at a time: the list of them all would be long as a text."""

WHO = "ifnull(bans.enrichment_id, bans.ip)"

# Most bans show one class and name nobody: few texts that differ, read once each. No
# text in the store holds a NUL.
_OF_LINES = """
    ifnull((SELECT group_concat(attack || ' ' || lines, ',') FROM ban_attacks
        WHERE ban_id = bans.id), ''),
    (SELECT group_concat(value, char(0)) FROM observed
        WHERE ban_id = bans.id AND kind = 'username')
"""

_QUARTER = "CAST(strftime('%s', banned_at) AS INTEGER) / 900"

# Each column costs as much as the scan, so what is alike in many bans is in one.
_ROWS = f"""
    SELECT {WHO}, jail || char(0) || host || char(0) || ifnull(attack, ''),
    {_OF_LINES}, {_QUARTER}, failures, ban_count, ifnull(bantime_seconds, -2)
"""

_BRIEF_ROWS = f"SELECT {WHO}, jail, {_QUARTER}"

_LOOK_UPS = """
    SELECT ifnull(ip, wanted.value),
    ifnull(country_code, '') || char(0) || ifnull(country, '') || char(0)
        || ifnull(region, '') || char(0) || ifnull(city, ''), latitude, longitude,
    ifnull(asn, 0), ifnull(as_name, '') || char(0) || ifnull(scanner, ''),
    ifnull(source, ''), ifnull(looked_up_at, '')
    FROM json_each(?) AS wanted LEFT JOIN enrichments AS e ON e.id = wanted.value
"""

# What was written later may have been made earlier: stores are merged.
_OLDEST_FIRST = """
    SELECT value FROM json_each(?) LEFT JOIN enrichments AS e ON e.id = value
    ORDER BY ifnull(looked_up_at, ''), value
"""

_WITHOUT_LOOK_UP = """
    SELECT DISTINCT enrichment_id, ip FROM bans
    WHERE enrichment_id NOT NULL AND enrichment_id NOT IN (SELECT id FROM enrichments)
"""


@contextmanager
def unchanging(connection: sqlite3.Connection) -> Iterator[None]:
    """Show the store as it is now, whatever others write or purge meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        # SQLite has ended it already where memory or the disk failed.
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def newest(connection: sqlite3.Connection) -> int:
    """Give the last row there is."""
    found = connection.execute("SELECT ifnull(max(rowid), 0) FROM bans").fetchone()
    last: int = found[0]
    return last


def chosen(connection: sqlite3.Connection, wanted: Selection) -> tuple[Selection, int]:
    """Note of a selection whether its time is short, and count the bans of that."""
    found: int = connection.execute(
        "SELECT count(*) FROM bans WHERE banned_at >= ? AND banned_at < ?",
        (time_text(wanted.since), time_text(wanted.until)),
    ).fetchone()[0]
    return replace(wanted, is_short=found * FEW < wanted.newest), found


def _by_time(wanted: Selection) -> str:
    return "INDEXED BY bans_by_time" if wanted.is_short else "NOT INDEXED"


def rows(
    connection: sqlite3.Connection, wanted: Selection, share: Share
) -> Iterator[list[Row]]:
    """Read bans, some thousand at a time, in any order."""
    return _rows(connection, _ROWS, wanted, share)


def brief_rows(
    connection: sqlite3.Connection, wanted: Selection
) -> Iterator[list[BriefRow]]:
    """Read of bans who, by which jail and when, in the same way."""
    return _rows(connection, _BRIEF_ROWS, wanted, WHOLE)


def _rows(
    connection: sqlite3.Connection, columns: str, wanted: Selection, share: Share
) -> Iterator[list[Any]]:
    where, values = matching(wanted, share)
    sql = f"{columns} FROM bans {_by_time(wanted)} WHERE {where}"
    return _batches(connection, sql, values)


def read_names(text: str, count: int) -> tuple[str, ...]:
    """Read so many names that are in one column; empty text is none."""
    return tuple(text.split("\0", count - 1))


def read_shown(text: str) -> tuple[tuple[str, int], ...]:
    """Read which classes a ban's lines show, and how many lines."""
    pairs = (each.rpartition(" ") for each in text.split(",") if each)
    return tuple((attack, int(lines)) for attack, _, lines in pairs)


def read_tried(text: str | None) -> tuple[str, ...]:
    """Read the user names of a ban."""
    return () if text is None else tuple(text.split("\0"))


def look_ups(
    connection: sqlite3.Connection, ids: Sequence[int]
) -> Iterator[list[LookUp]]:
    """Read look-ups by their numbers, in that order, some thousand at a time.

    Address; place, network, and look-up, of which empty text is not known. One that
    somebody deleted tells the address alone, by its bans.
    """
    deleted: dict[Who, str] = {}
    for batch in _listed(connection, _LOOK_UPS, ids):
        if not deleted and any(isinstance(row[0], int) for row in batch):
            deleted = dict(map(tuple, connection.execute(_WITHOUT_LOOK_UP)))
        yield [
            (deleted.get(row[0], row[0]), row[1:4], row[4:6], row[6:]) for row in batch
        ]


def _listed(
    connection: sqlite3.Connection, sql: str, ids: Sequence[int]
) -> Iterator[list[Any]]:
    for begun in range(0, len(ids), _ASKED_AT_ONCE):
        asked = ids[begun : begun + _ASKED_AT_ONCE]
        yield from _batches(connection, sql, (json.dumps(asked),))


def oldest_first(connection: sqlite3.Connection, ids: Sequence[int]) -> list[int]:
    """Order look-ups by when they were made; of the same time, by their numbers."""
    return [row[0] for row in connection.execute(_OLDEST_FIRST, (json.dumps(ids),))]


def services(connection: sqlite3.Connection) -> dict[str, str]:
    """Tell what each known jail guards."""
    return dict(map(tuple, connection.execute("SELECT jail, service FROM jails")))


def named_jails(connection: sqlite3.Connection) -> frozenset[str]:
    """Name the jails of which the program or the configuration says what they guard."""
    rows = connection.execute("SELECT jail FROM jails WHERE origin != 'unknown'")
    return frozenset(row["jail"] for row in rows)


def host_countries(connection: sqlite3.Connection) -> dict[str, str]:
    """Tell in which countries hosts stand, of those where that is known."""
    rows = connection.execute("SELECT host, country_code FROM hosts")
    return {row["host"]: row["country_code"] for row in rows if row["country_code"]}


def bans_of(
    connection: sqlite3.Connection,
    wanted: Selection,
    ip: str,
    without_jails: tuple[str, ...],
) -> list[tuple[str, str, str, int, int]]:
    """Read an address's bans but for those by some jails, the oldest first.

    Host, jail, when as the store writes it, failures and ban time; -2 is not known.
    """
    where, values = matching(wanted, WHOLE)
    cursor = connection.execute(
        "SELECT host, jail, banned_at, failures, ifnull(bantime_seconds, -2) "
        f"FROM bans INDEXED BY bans_by_ip WHERE ip = ? AND {where} AND {IS_REAL} "
        f"AND NOT {_one_of('jail')} ORDER BY banned_at, id",
        (ip, *values, json.dumps(without_jails)),
    )
    return [tuple(row) for row in cursor]


def count_hosts(connection: sqlite3.Connection) -> int:
    """Count the hosts there are."""
    found: int = connection.execute("SELECT count(*) FROM hosts").fetchone()[0]
    return found


def recorded(
    connection: sqlite3.Connection,
    wanted: Selection,
    *,
    by_host: bool,
    by_quarter: bool = False,
) -> dict[tuple[str, int], int]:
    """Count all that a selection's hosts recorded, by the hour or its quarters.

    Hours are told by their first quarter since 1970. Whatever else a selection leaves
    out was recorded, too. Where the hosts are not told apart, which is faster, they are
    one without a name.
    """
    everything = Selection(
        since=wanted.since,
        until=wanted.until,
        newest=wanted.newest,
        hosts=wanted.hosts,
        is_short=wanted.is_short,
    )
    where, values = matching(everything, WHOLE)
    host = "host" if by_host else "''"
    quarter = "substr(banned_at, 15, 2) / 15" if by_quarter else "0"
    # A group by what is the same everywhere costs time nevertheless.
    groups = ["hour", *by_host * ["host"], *by_quarter * ["quarter"]]
    # The hour as the text has it: to reckon with two million times takes seconds.
    cursor = connection.execute(
        f"SELECT {host}, substr(banned_at, 1, 13) AS hour, {quarter} AS quarter, "
        f"count(*) FROM bans {_by_time(everything)} WHERE {where} "
        f"GROUP BY {', '.join(groups)}",
        values,
    )
    return {
        (host, _hour(hour) * 4 + quarter): bans for host, hour, quarter, bans in cursor
    }


def _hour(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}:00+00:00").timestamp()) // 3600


def span(
    connection: sqlite3.Connection, hosts: tuple[str, ...]
) -> tuple[str, str] | None:
    """Tell when the records of hosts begin and end; no hosts are all of them."""
    where = f"WHERE {_one_of('bans.host')}" if hosts else ""
    # Asked for each by itself the index has it; both at once go over all bans.
    first, last = connection.execute(
        f"SELECT (SELECT min(banned_at) FROM bans {where}), "
        f"(SELECT max(banned_at) FROM bans {where})",
        2 * _list(hosts),
    ).fetchone()
    return None if first is None else (first, last)


def _batches(
    connection: sqlite3.Connection, sql: str, values: tuple[object, ...]
) -> Iterator[list[Any]]:
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(sql, values)
    while batch := cursor.fetchmany(_AT_ONCE):
        yield batch


def matching(wanted: Selection, share: Share) -> tuple[str, tuple[object, ...]]:
    """Ask for a selection's bans of some addresses, in SQL."""
    given: list[tuple[str, tuple[object, ...]]] = [
        (
            "bans.banned_at >= ? AND bans.banned_at < ? AND bans.rowid <= ?",
            (time_text(wanted.since), time_text(wanted.until), wanted.newest),
        ),
        (_one_of("bans.host"), _list(wanted.hosts)),
        (_one_of("bans.jail"), _list(wanted.jails)),
        (_one_of("ifnull(bans.attack, '')"), _list(wanted.attacks)),
        (_one_of(_SERVICE), _list(wanted.services)),
        (_SHARE, (share.of, share.number) if share.of > 1 else ()),
    ]
    asked = [(text, values) for text, values in given if values]
    return (
        " AND ".join(text for text, _ in asked),
        tuple(value for _, values in asked for value in values),
    )


_SERVICE = (
    """ifnull((SELECT service FROM jails WHERE jails.jail = bans.jail), 'other')"""
)

# The last letter of a subnet before its ".0/24" or "::/64"; of what has none, another.
_SHARE = "ifnull(unicode(substr(ifnull(bans.subnet, bans.ip), -6, 1)), 0) % ? = ?"


def _one_of(column: str) -> str:
    return f"{column} IN (SELECT value FROM json_each(?))"


def _list(names: tuple[str, ...]) -> tuple[str, ...]:
    return (json.dumps(names),) if names else ()
