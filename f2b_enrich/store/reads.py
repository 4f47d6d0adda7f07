"""What commands and loops ask of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import Ban, LogLine, read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How much there is; bans and addresses are two different numbers.

    `repeats` are the bans that only repeat one of those, and are none of them.
    """

    bans: int
    addresses: int
    repeats: int = 0


def lines(connection: sqlite3.Connection, ban_id: str) -> tuple[LogLine, ...]:
    """Read a ban's log lines in their order."""
    rows = connection.execute(
        "SELECT position, line FROM log_lines WHERE ban_id = ? ORDER BY position",
        (ban_id,),
    )
    return tuple(LogLine(position=row["position"], line=row["line"]) for row in rows)


def newest_ban(connection: sqlite3.Connection, *, before: datetime) -> Ban | None:
    """Read the ban with the latest time that is before another."""
    row = connection.execute(
        "SELECT * FROM bans WHERE banned_at < ? ORDER BY banned_at DESC LIMIT 1",
        (time_text(before),),
    ).fetchone()
    return None if row is None else read_ban(row)


def oldest_ban_at(connection: sqlite3.Connection) -> datetime | None:
    """Tell when the records begin."""
    row = connection.execute("SELECT min(banned_at) FROM bans").fetchone()
    return None if row[0] is None else read_time(row[0])


def read_ban(row: sqlite3.Row) -> Ban:
    """Turn a row of `bans` into a value."""
    return Ban(
        id=row["id"],
        host=row["host"],
        jail=row["jail"],
        ip=row["ip"],
        ip_version=row["ip_version"],
        subnet=row["subnet"],
        banned_at=read_time(row["banned_at"]),
        banned_at_source=row["banned_at_source"],
        bantime_seconds=row["bantime_seconds"],
        expires_at=_time(row["expires_at"]),
        unbanned_at=_time(row["unbanned_at"]),
        prolonged_at=_time(row["prolonged_at"]),
        failures=row["failures"],
        ban_count=row["ban_count"],
        received_at=read_time(row["received_at"]),
        lines_received=row["lines_received"],
        enrichment_id=row["enrichment_id"],
        attack=row["attack"],
        repeat_of=row["repeat_of"],
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)
