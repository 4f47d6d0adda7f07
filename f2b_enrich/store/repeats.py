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

_SETTLE = f"""
    UPDATE bans SET repeat_of = (
        SELECT id FROM bans AS seen WHERE seen.ip = bans.ip AND seen.host = bans.host
        AND seen.banned_at <= bans.banned_at
        AND seen.banned_at >= strftime('%Y-%m-%dT%H:%M:%SZ', bans.banned_at, :longest)
        AND seen.{IS_REAL}
        ORDER BY seen.banned_at DESC, seen.id LIMIT 1
    )
    WHERE ip = :ip AND host = :host AND banned_at BETWEEN :at AND :until
    AND NOT ({IS_REAL})
"""


def settle(connection: sqlite3.Connection, ban_id: str) -> None:
    """Point a ban at the one it repeats, and those at it that repeat it.

    Whichever arrives first: once both are there it ends alike.
    """
    row = connection.execute(
        "SELECT ip, host, banned_at FROM bans WHERE id = ?", (ban_id,)
    ).fetchone()
    connection.execute(
        "UPDATE bans SET repeat_of = NULL "
        f"WHERE id = ? AND repeat_of IS NOT NULL AND {IS_REAL}",
        (ban_id,),
    )
    until = days_after(read_time(row["banned_at"]), LONGEST_DAYS)
    connection.execute(
        _SETTLE,
        {
            "ip": row["ip"],
            "host": row["host"],
            "at": row["banned_at"],
            "until": time_text(until),
            "longest": f"-{LONGEST_DAYS} days",
        },
    )
