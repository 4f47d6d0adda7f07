"""Whether the store's file is whole and takes writes; nothing is changed."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_STEPS = 1000
"""Steps of SQLite's machine between two looks at the clock, some 50 microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BannedAddress:
    """An address of recent bans, its newest jail, and its name where one is known."""

    ip: str
    jail: str
    hostname: str | None
    hostname_confirmed: bool | None


def first_fault(connection: sqlite3.Connection, *, seconds: float) -> str | None:
    """Look through the whole file; give the first thing that is wrong with it.

    Raises:
        TimeoutError: it takes longer than so many seconds.
        StoreError: it cannot be read to its end.
    """
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as exc:
        if time.monotonic() > until:
            raise TimeoutError from exc
        raise StoreError(str(exc)) from exc
    except sqlite3.DatabaseError as exc:
        raise StoreError(str(exc)) from exc
    finally:
        connection.set_progress_handler(None, 0)
    return None if found == "ok" else " ".join(str(found).split())


def refusal(path: Path, *, busy_seconds: float) -> str | None:
    """Take the lock for writing and let go of it; give SQLite's words if it refuses."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(
            sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as exc:
        return str(exc)
    return None


def banned_since(
    connection: sqlite3.Connection,
    since: datetime,
    *,
    in_force: datetime,
    limit: int,
) -> tuple[BannedAddress, ...]:
    """List the addresses of recent bans, the newest first, so many at most.

    Those that ended before `in_force` are left out.
    """
    # The bare columns are those of the row with the maximum (SQLite, quirks of min()
    # and max()).
    rows = connection.execute(
        "SELECT bans.ip, bans.jail, e.hostname, e.hostname_confirmed, "
        "max(bans.banned_at) AS newest "
        "FROM bans LEFT JOIN enrichments AS e ON e.id = bans.enrichment_id "
        "WHERE bans.banned_at >= :since "
        "AND (bans.unbanned_at IS NULL OR bans.unbanned_at >= :in_force) "
        "AND (bans.expires_at IS NULL OR bans.expires_at >= :in_force) "
        "GROUP BY bans.ip ORDER BY newest DESC LIMIT :limit",
        {
            "since": time_text(since),
            "in_force": time_text(in_force),
            "limit": limit,
        },
    )
    return tuple(
        BannedAddress(
            ip=row["ip"],
            jail=row["jail"],
            hostname=row["hostname"],
            hostname_confirmed=_truth(row["hostname_confirmed"]),
        )
        for row in rows
    )


def _truth(number: int | None) -> bool | None:
    return None if number is None else bool(number)
