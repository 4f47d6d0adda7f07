"""Bans that may still be in place, and what is known of bans that others tell of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import FOR_EVER, read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

_IN_FORCE = f"""
    SELECT id, jail, ip, banned_at, banned_at_source, announced_at FROM bans
    WHERE unbanned_at IS NULL AND banned_at <= :now AND host = :host
    AND (expires_at > :now OR bantime_seconds = {FOR_EVER})
    AND jail IN (SELECT value FROM json_each(:jails))
"""

_KNOWN = """
    SELECT ban_ids.id AS name, bans.id, bans.bantime_seconds, bans.lines_received
    FROM ban_ids JOIN bans ON bans.id = ban_ids.ban_id
    WHERE ban_ids.id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingBan:
    """A ban whose planned end is not passed, and of which no end was seen.

    `at` is its time in Unix seconds, `is_exact` when that is the time of the failure,
    `announced_at` when it was last reported, as the store writes it.
    """

    id: str
    jail: str
    ip: str
    at: int
    is_exact: bool
    announced_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A ban that is in the store, whatever id it was asked for by."""

    id: str
    bantime_seconds: int | None
    lines_received: int


def in_force(
    connection: sqlite3.Connection, host: str, jails: Iterable[str], *, now: datetime
) -> Iterator[StandingBan]:
    """Find the bans of a host, by some of its jails, that may be in place now.

    It reads the whole table: some seconds for millions of bans.
    """
    values = {"host": host, "jails": json.dumps(list(jails)), "now": time_text(now)}
    for row in connection.execute(_IN_FORCE, values):
        yield StandingBan(
            id=row["id"],
            jail=row["jail"],
            ip=row["ip"],
            at=int(read_time(row["banned_at"]).timestamp()),
            is_exact=row["banned_at_source"] == "failure",
            announced_at=row["announced_at"],
        )


def still_stands(connection: sqlite3.Connection, ban: StandingBan) -> bool:
    """Tell whether nobody told of a ban since it was found to stand."""
    row = connection.execute(
        "SELECT unbanned_at, announced_at FROM bans WHERE id = ?", (ban.id,)
    ).fetchone()
    return row is not None and tuple(row) == (None, ban.announced_at)


def known(connection: sqlite3.Connection, ids: Iterable[str]) -> Mapping[str, Known]:
    """Find bans by any ids that they were ever known by."""
    rows = connection.execute(_KNOWN, (json.dumps(list(ids)),))
    return {
        row["name"]: Known(
            id=row["id"],
            bantime_seconds=row["bantime_seconds"],
            lines_received=row["lines_received"],
        )
        for row in rows
    }


def has_near(
    connection: sqlite3.Connection, host: str, jail: str, ip: str, times: Iterable[int]
) -> bool:
    """Tell whether a ban by that jail began within a second of one of these times."""
    rows = connection.execute(
        "SELECT banned_at FROM bans WHERE ip = ? AND host = ? AND jail = ?",
        (ip, host, jail),
    )
    found = {int(read_time(row["banned_at"]).timestamp()) for row in rows}
    return any(at + step in found for at in times for step in (-1, 0, 1))
