"""Bans of jails that watch fail2ban itself: each repeats what another jail saw."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.model import days_after, read_time, time_text

if TYPE_CHECKING:
    import sqlite3

LONGEST_DAYS = 1
"""How long before its repetition a ban may have been; recidive's own findtime.

The ban that sets such a jail off is the last line it read, so it is seconds old, but
for one whose failures were old when fail2ban read them.
"""

IS_REAL = f"jail NOT IN (SELECT jail FROM jails WHERE attack = '{REPEAT_OFFENDER}')"
"""Holds, in SQL, for a ban that repeats no other; counts leave the others out."""

_OF_ADDRESS = "ip = :ip AND host = :host"

_LAST_REAL = f"""
    SELECT max(banned_at) FROM bans WHERE {_OF_ADDRESS}
    AND banned_at BETWEEN :since AND :first AND {IS_REAL}
"""

# Of several in the same second that of the least id counts, whichever came first.
_IN_ORDER = f"""
    SELECT id, banned_at, repeat_of, {IS_REAL} AS is_real FROM bans
    WHERE {_OF_ADDRESS} AND banned_at BETWEEN :begin AND :until ORDER BY banned_at, id
"""


def jails(connection: sqlite3.Connection) -> frozenset[str]:
    """Name the jails whose bans repeat others."""
    rows = connection.execute(
        "SELECT jail FROM jails WHERE attack = ?", (REPEAT_OFFENDER,)
    )
    return frozenset(row["jail"] for row in rows)


def settle(connection: sqlite3.Connection, ban_id: str) -> None:
    """Point a ban at the one it repeats, or those at it that repeat it.

    Whichever arrives first: once both are there it ends alike.
    """
    row = connection.execute(
        "SELECT ip, host, banned_at FROM bans WHERE id = ?", (ban_id,)
    ).fetchone()
    at = row["banned_at"]
    settle_between(connection, row["host"], row["ip"], at, at)


def settle_between(
    connection: sqlite3.Connection, host: str, ip: str, first: str, last: str
) -> None:
    """Do so for an address whose bans began, or ended up elsewhere, from first to last.

    Both are times as the store writes them. What is later than the next ban that
    repeats none cannot point back over it, so nothing beyond is read.
    """
    span = {"ip": ip, "host": host, "first": first}
    since, until = _days_from(first, -LONGEST_DAYS), _days_from(last, LONGEST_DAYS)
    (begin,) = connection.execute(_LAST_REAL, {**span, "since": since}).fetchone()
    span |= {"begin": begin or first, "until": until}
    changes: list[tuple[str | None, str]] = []
    repeated: str | None = None
    reach = ""
    for at, of_second in groupby(
        connection.execute(_IN_ORDER, span), key=itemgetter("banned_at")
    ):
        bans = list(of_second)
        real = next((ban["id"] for ban in bans if ban["is_real"]), None)
        if real is not None:
            if at > last:
                break
            repeated, reach = real, _days_from(at, LONGEST_DAYS)
        if at > reach:
            repeated = None
        for ban in bans:
            wanted = None if ban["is_real"] else repeated
            if ban["repeat_of"] != wanted:
                changes.append((wanted, ban["id"]))
    connection.executemany("UPDATE bans SET repeat_of = ? WHERE id = ?", changes)


def _days_from(at: str, days: int) -> str:
    return time_text(days_after(read_time(at), days))
