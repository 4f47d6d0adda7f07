"""What the store knows about an address beside the ban that a mail is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.model import History, Tally, read_time, time_text
from f2b_enrich.store import neighbours
from f2b_enrich.store.neighbours import days_after

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.model import Ban

THREAD_DAYS = 30
"""How long after its first ban a thread of mails ends."""


def of(connection: sqlite3.Connection, ban: Ban) -> History:
    """Read the past of a ban that is in the store, itself counted."""
    jails = _by_jail(connection, ban)
    return History(
        nth=sum(jail.bans for jail in jails),
        records_since=_oldest(connection),
        jails=jails,
        first_at=min(jail.first_at for jail in jails),
        previous_at=_previous(connection, ban),
        imported=_imported(connection, ban),
        other_hosts=_by_host(connection, ban),
        neighbours=neighbours.around(
            connection, ban.ip, subnet=ban.subnet, until=ban.banned_at
        ),
        thread_at=_thread_at(connection, ban),
    )


def _by_jail(connection: sqlite3.Connection, ban: Ban) -> tuple[Tally, ...]:
    rows = connection.execute(
        "SELECT jail AS name, count(*) AS bans, min(banned_at) AS first_at FROM bans "
        "WHERE ip = ? AND host = ? AND banned_at <= ? "
        "GROUP BY jail ORDER BY bans DESC, jail",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    )
    return tuple(map(_tally, rows))


def _by_host(connection: sqlite3.Connection, ban: Ban) -> tuple[Tally, ...]:
    rows = connection.execute(
        "SELECT host AS name, count(*) AS bans, min(banned_at) AS first_at FROM bans "
        "WHERE ip = ? AND host != ? AND banned_at <= ? "
        "GROUP BY host ORDER BY bans DESC, host",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    )
    return tuple(map(_tally, rows))


def _oldest(connection: sqlite3.Connection) -> datetime:
    row = connection.execute("SELECT min(banned_at) FROM bans").fetchone()
    return read_time(row[0])


def _previous(connection: sqlite3.Connection, ban: Ban) -> datetime | None:
    row = connection.execute(
        "SELECT banned_at FROM bans "
        "WHERE ip = ? AND host = ? AND banned_at <= ? AND id != ? "
        "ORDER BY banned_at DESC LIMIT 1",
        (ban.ip, ban.host, time_text(ban.banned_at), ban.id),
    ).fetchone()
    return None if row is None else read_time(row["banned_at"])


def _imported(connection: sqlite3.Connection, ban: Ban) -> int:
    """Count the bans that no client ever reported, only a file did."""
    found = connection.execute(
        "SELECT count(*) FROM bans WHERE ip = ? AND host = ? AND banned_at <= ? "
        "AND origin != 'live' AND NOT EXISTS (SELECT 1 FROM other_origins "
        "WHERE ban_id = bans.id AND origin = 'live')",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    )
    count: int = found.fetchone()[0]
    return count


def _thread_at(connection: sqlite3.Connection, ban: Ban) -> datetime:
    """Find the ban that began the thread: the first over 30 days after the last such.

    Each step is one look into the index, so it costs as many as there were threads.
    """
    began, after = ban.banned_at, ""
    while True:
        row = connection.execute(
            "SELECT banned_at FROM bans "
            "WHERE ip = ? AND host = ? AND banned_at > ? AND banned_at <= ? "
            "ORDER BY banned_at LIMIT 1",
            (ban.ip, ban.host, after, time_text(ban.banned_at)),
        ).fetchone()
        if row is None:
            return began
        began = read_time(row["banned_at"])
        after = time_text(days_after(began, THREAD_DAYS))


def _tally(row: sqlite3.Row) -> Tally:
    return Tally(
        name=row["name"], bans=row["bans"], first_at=read_time(row["first_at"])
    )
