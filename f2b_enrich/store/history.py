"""What the store knows about an address beside the ban that a mail is about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.model import History, Tally, days_after, read_time, time_text
from f2b_enrich.store import neighbours
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from f2b_enrich.model import Ban

THREAD_DAYS = 30
"""How long after its first ban a thread of mails ends."""


def of(connection: sqlite3.Connection, ban: Ban) -> History:
    """Read the past of a ban that is in the store, itself counted.

    One that only repeats another is not, nor is any such ban but in `repeats`.
    """
    tallies = _tallies(connection, ban)
    here = [row for row in tallies if row["host"] == ban.host]
    jails = _by("jail", here)
    return History(
        nth=sum(jail.bans for jail in jails),
        records_since=_oldest(connection),
        jails=jails,
        first_at=min((jail.first_at for jail in jails), default=ban.banned_at),
        previous_at=_previous(connection, ban),
        imported=sum(row["imported"] for row in here),
        repeats=_repeats(connection, ban),
        other_hosts=_by("host", (row for row in tallies if row["host"] != ban.host)),
        neighbours=neighbours.around(
            connection, ban.ip, subnet=ban.subnet, until=ban.banned_at
        ),
        thread_at=_thread_at(connection, ban),
    )


def _tallies(connection: sqlite3.Connection, ban: Ban) -> list[sqlite3.Row]:
    """Count the bans of the address by host and jail, all at once: there may be many.

    `imported` are those that no client ever reported, only a file did.
    """
    return connection.execute(
        "SELECT host, jail, count(*) AS bans, min(banned_at) AS first_at, "
        "sum(iif(origin = 'live', 0, NOT EXISTS (SELECT 1 FROM other_origins "
        "WHERE ban_id = (SELECT id FROM bans AS b WHERE b.rowid = bans.rowid) "
        "AND origin = 'live'))) AS imported FROM bans INDEXED BY bans_by_ip "
        f"WHERE ip = ? AND banned_at <= ? AND {IS_REAL} GROUP BY host, jail",
        (ban.ip, time_text(ban.banned_at)),
    ).fetchall()


def _repeats(connection: sqlite3.Connection, ban: Ban) -> int:
    row = connection.execute(
        "SELECT count(*) FROM bans INDEXED BY bans_by_ip "
        f"WHERE ip = ? AND host = ? AND banned_at <= ? AND NOT ({IS_REAL})",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    ).fetchone()
    count: int = row[0]
    return count


def _by(column: str, rows: Iterable[sqlite3.Row]) -> tuple[Tally, ...]:
    """Add rows up, the busiest first."""
    bans: Counter[str] = Counter()
    first: dict[str, str] = {}
    for row in rows:
        name = row[column]
        bans[name] += row["bans"]
        first[name] = min(row["first_at"], first.get(name, row["first_at"]))
    tallies = (
        Tally(name=name, bans=count, first_at=read_time(first[name]))
        for name, count in bans.items()
    )
    return tuple(sorted(tallies, key=lambda each: (-each.bans, each.name)))


def _oldest(connection: sqlite3.Connection) -> datetime:
    row = connection.execute("SELECT min(banned_at) FROM bans").fetchone()
    return read_time(row[0])


def _previous(connection: sqlite3.Connection, ban: Ban) -> datetime | None:
    row = connection.execute(
        "SELECT banned_at FROM bans "
        "WHERE ip = ? AND host = ? AND banned_at <= ? "
        f"AND rowid != (SELECT rowid FROM bans WHERE id = ?) AND {IS_REAL} "
        "ORDER BY banned_at DESC LIMIT 1",
        (ban.ip, ban.host, time_text(ban.banned_at), ban.id),
    ).fetchone()
    return None if row is None else read_time(row["banned_at"])


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
