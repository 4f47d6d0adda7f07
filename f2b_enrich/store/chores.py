"""When a chore was last done, such as what runs every night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.model import read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


def done_at(connection: sqlite3.Connection, chore: str) -> datetime | None:
    """Tell when a chore was last done; None when it never was."""
    row = connection.execute(
        "SELECT done_at FROM chores WHERE chore = ?", (chore,)
    ).fetchone()
    return None if row is None else read_time(row["done_at"])


def done(connection: sqlite3.Connection, chore: str, *, now: datetime) -> None:
    """Note that a chore is done, even at a time before the last: clocks are set."""
    connection.execute(
        "INSERT INTO chores (chore, done_at) VALUES (?, ?) "
        "ON CONFLICT (chore) DO UPDATE SET done_at = excluded.done_at",
        (chore, time_text(now)),
    )
