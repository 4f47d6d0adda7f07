"""Bans of jails that watch fail2ban itself: each repeats what another jail saw."""

from __future__ import annotations

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

# Of several in the same second that of the least id counts, whichever came first.
_NEWEST_REAL = f"""
    SELECT id, banned_at FROM bans WHERE {_OF_ADDRESS}
    AND banned_at BETWEEN :since AND :at AND {IS_REAL}
    ORDER BY banned_at DESC, id LIMIT 1
"""

_NEXT_REAL = f"""
    SELECT min(banned_at) FROM bans WHERE {_OF_ADDRESS}
    AND banned_at > :at AND banned_at <= :until AND {IS_REAL}
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
        f"SELECT ip, host, banned_at, repeat_of, {IS_REAL} AS is_real "
        "FROM bans WHERE id = ?",
        (ban_id,),
    ).fetchone()
    at = read_time(row["banned_at"])
    span = {
        "ban": ban_id,
        "ip": row["ip"],
        "host": row["host"],
        "at": row["banned_at"],
        "since": time_text(days_after(at, -LONGEST_DAYS)),
        "until": time_text(days_after(at, LONGEST_DAYS)),
    }
    newest = connection.execute(_NEWEST_REAL, span).fetchone()
    repeated = None if row["is_real"] or newest is None else newest["id"]
    if row["repeat_of"] != repeated:
        connection.execute(
            "UPDATE bans SET repeat_of = ? WHERE id = ?", (repeated, ban_id)
        )
    if not row["is_real"]:
        _pass_on(connection, span, newest)
    elif newest["id"] == ban_id:
        _take(connection, span)


def _take(connection: sqlite3.Connection, span: dict[str, str]) -> None:
    """Point at a ban what repeats it: all up to the next that is real."""
    (following,) = connection.execute(_NEXT_REAL, span).fetchone()
    connection.execute(
        f"UPDATE bans SET repeat_of = :ban WHERE {_OF_ADDRESS} "
        "AND banned_at BETWEEN :at AND :until "
        "AND (:following IS NULL OR banned_at < :following) "
        f"AND NOT ({IS_REAL}) AND repeat_of IS NOT :ban",
        {**span, "following": following},
    )


def _pass_on(
    connection: sqlite3.Connection, span: dict[str, str], newest: sqlite3.Row | None
) -> None:
    """Take from a ban what points at it, for its jail only repeats others now."""
    reach = ""
    if newest is not None:
        reach = time_text(days_after(read_time(newest["banned_at"]), LONGEST_DAYS))
    connection.execute(
        "UPDATE bans SET repeat_of = iif(banned_at <= :reach, :newest, NULL) "
        f"WHERE {_OF_ADDRESS} AND banned_at BETWEEN :at AND :until "
        f"AND NOT ({IS_REAL}) AND repeat_of = :ban",
        {**span, "reach": reach, "newest": newest["id"] if newest else None},
    )
