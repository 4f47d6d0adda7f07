"""The records that a ban was told by, as the store keeps them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.joining.sightings import NEVER, Joined, Sighting
from f2b_enrich.model import FOR_EVER, read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from typing import Any

    Row: TypeAlias = sqlite3.Row | Mapping[str, Any]

TABLES = (
    # Of a ban with a single record, and at most one unban of the same origin, nothing
    # stands here: its own row tells all of it. What has no ban yet has no ban_id.
    """
    CREATE TABLE ban_records (
        ip TEXT NOT NULL,
        host TEXT NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        precision TEXT NOT NULL,
        origin TEXT NOT NULL,
        jail TEXT NOT NULL,
        ends_at INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        failed_at INTEGER NOT NULL,
        alert_of TEXT NOT NULL,
        ban_id TEXT REFERENCES bans (id),
        PRIMARY KEY (ip, host, at, kind, precision, origin, jail, ends_at, message_id,
            failed_at, alert_of)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX ban_records_by_ban ON ban_records (ban_id) WHERE ban_id NOTNULL",
    "CREATE INDEX ban_records_loose ON ban_records (at) WHERE ban_id IS NULL",
)
"""For a migration."""

Beside: TypeAlias = "tuple[str | int | None, ...]"
"""A row of the table."""

LETTERS = ("mail", "bounce")
"""Origins whose reference is a Message-ID."""

NOT_TOLD = -1
"""What the columns hold for None: NULL would let a record in twice."""

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Of the calendar: the years 1 and 9999."""


_DAY = 24 * 3600

_OF_ADDRESS = "ip = ? AND host = ?"

LOOSE_AT_ONCE = 1000

_SOME_LOOSE = f"""
    DELETE FROM ban_records WHERE ban_id IS NULL AND (ip, host, at, kind) IN (
        SELECT ip, host, at, kind FROM ban_records
        WHERE ban_id IS NULL AND at < ? LIMIT {LOOSE_AT_ONCE}
    )
"""

_KEPT = f"INSERT OR REPLACE INTO ban_records VALUES ({', '.join('?' * 12)})"


def told_by_row(row: Row) -> frozenset[Sighting]:
    """Give the records of a ban of which nothing stands elsewhere."""
    at, is_exact = seconds_of(row["banned_at"]), row["banned_at_source"] == "failure"
    expires_at = row["expires_at"]
    ends_at = None if expires_at is None else seconds_of(expires_at)
    jail, origin = row["jail"] or None, row["origin"]
    first = Sighting(
        kind="ban",
        precision=row["banned_at_source"],
        origin=origin,
        at=at,
        jail=jail,
        ends_at=NEVER if row["bantime_seconds"] == FOR_EVER else ends_at,
        message_id=(row["reference"] or None) if origin in LETTERS else None,
    )
    if row["unbanned_at"] is None:
        return frozenset((first,))
    unban = Sighting(
        kind="unban",
        precision="logged",
        origin=origin,
        at=seconds_of(row["unbanned_at"]),
        jail=jail,
        failed_at=at if is_exact else None,
    )
    return frozenset((first, unban))


def is_plain(told: Sighting) -> bool:
    """Tell whether a row alone certainly tells all of a record."""
    ends_at, at = told.ends_at, told.at
    return bool(
        told.kind == "ban"
        and told.failed_at is None
        and told.alert_of is None
        and told.jail != ""
        and (told.message_id is None or (told.message_id and told.origin in LETTERS))
        and _FIRST_SECOND <= at <= _LAST_SECOND
        and (ends_at is None or ends_at == NEVER or at < ends_at <= _LAST_SECOND)
    )


def is_told_by_row(ban: Joined) -> bool:
    """Tell whether its row alone tells all records of a ban, as of most old ones."""
    best, *others = ban.sightings
    if not is_plain(best) or (ban.jail, ban.ends_at) != (best.jail, best.ends_at):
        return False
    if ban.unbanned_at is None:
        return not others
    unban = Sighting(
        kind="unban",
        precision="logged",
        origin=best.origin,
        at=ban.unbanned_at,
        jail=best.jail,
        failed_at=best.at if best.precision == "failure" else None,
    )
    return others == [unban] and _FIRST_SECOND <= unban.at <= _LAST_SECOND


def columns_of(ban: Joined) -> dict[str, str | int | None]:
    """Give what the records of a ban make of the columns of its row."""
    ends_at = ban.ends_at
    bantime = None if ends_at is None else ends_at - ban.at
    if ends_at == NEVER:
        bantime, ends_at = FOR_EVER, None
    return {
        "jail": ban.jail or "",
        "banned_at": text_of(ban.at),
        "banned_at_source": ban.precision,
        "bantime_seconds": bantime,
        "expires_at": None if ends_at is None else text_of(ends_at),
        "unbanned_at": None if ban.unbanned_at is None else text_of(ban.unbanned_at),
        "origin": ban.best.origin,
        "reference": ban.best.message_id or "",
    }


def text_of(seconds: int) -> str:
    """Write Unix seconds as the store writes times, as far as the calendar goes."""
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        return time_text(datetime.max.replace(tzinfo=UTC))
    days, second = divmod(seconds, _DAY)
    return f"{_date_of(days)}T{_clock_of(second)}Z"


@lru_cache(maxsize=4096)
def _date_of(days: int) -> str:
    year, month, day, *_ = time.gmtime(days * _DAY)
    return f"{year:04}-{month:02}-{day:02}"


@lru_cache(maxsize=_DAY)
def _clock_of(second: int) -> str:
    minutes, second = divmod(second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"


def seconds_of(text: str) -> int:
    """Read a time that `text_of` wrote."""
    return int(read_time(text).timestamp())


def read_sighting(row: sqlite3.Row) -> Sighting:
    """Make a row of the table a record again."""
    return Sighting(
        kind=row["kind"],
        precision=row["precision"],
        origin=row["origin"],
        at=row["at"],
        jail=row["jail"] or None,
        ends_at=_told(row["ends_at"]),
        message_id=row["message_id"] or None,
        failed_at=_told(row["failed_at"]),
        alert_of=row["alert_of"] or None,
    )


def _told(number: int) -> int | None:
    return None if number == NOT_TOLD else number


def beside_of(
    host: str, ip: str, ban_id: str | None, sightings: Iterable[Sighting]
) -> list[Beside]:
    """Give the rows of records that are kept beside their ban, or of no ban."""
    return [
        (
            *(ip, host, each.at, each.kind, each.precision, each.origin),
            each.jail or "",
            NOT_TOLD if each.ends_at is None else each.ends_at,
            each.message_id or "",
            NOT_TOLD if each.failed_at is None else each.failed_at,
            each.alert_of or "",
            ban_id,
        )
        for each in sightings
    ]


def keep(connection: sqlite3.Connection, rows: Iterable[Beside]) -> None:
    """Keep records."""
    connection.executemany(_KEPT, rows)


def let_go(connection: sqlite3.Connection, ban_id: str) -> None:
    """Keep nothing beside a ban: its row tells all again, or it is no more."""
    connection.execute("DELETE FROM ban_records WHERE ban_id = ?", (ban_id,))


def let_go_loose(connection: sqlite3.Connection, host: str, ip: str) -> None:
    """Keep nothing of an address that has no ban."""
    connection.execute(
        f"DELETE FROM ban_records WHERE {_OF_ADDRESS} AND ban_id IS NULL", (ip, host)
    )


def remove_some_loose(connection: sqlite3.Connection, before: datetime) -> int:
    """Remove some records that have no ban and are older than that; tell how many."""
    return connection.execute(_SOME_LOOSE, (int(before.timestamp()),)).rowcount


def may_change_others(
    connection: sqlite3.Connection,
    host: str,
    ip: str,
    failed_at: int,
    *,
    now: datetime,
) -> bool:
    """Tell whether a new ban of that failure can take a record from another ban.

    Only what is later can tell of it. The index is read where the ban's own entry will
    stand: for the newest ban of an address there is nothing behind it. What tells of a
    time after `now` is forged, or of a wrong clock, and waits for an import.
    """
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM bans WHERE ip = ?1 "
        "AND banned_at BETWEEN ?2 AND ?4 "
        "AND host = ?3 AND origin NOT IN ('live', 'fail2ban-db')) "
        "OR EXISTS (SELECT 1 FROM ban_records "
        "WHERE ip = ?1 AND host = ?3 AND at BETWEEN ?5 AND ?6)",
        (
            *(ip, text_of(failed_at - 2), host, time_text(now)),
            *(failed_at - 2, int(now.timestamp())),
        ),
    ).fetchone()
    return bool(row[0])


def is_told_by_others(connection: sqlite3.Connection, ban_id: str) -> bool:
    """Tell whether a ban has records of other origins than our own live reports."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM ban_records WHERE ban_id = ?1) "
        "OR EXISTS (SELECT 1 FROM bans WHERE id = ?1 AND origin != 'live')",
        (ban_id,),
    ).fetchone()
    return bool(row[0])


def own_id(connection: sqlite3.Connection, name: str) -> str:
    """Give the id of the row of a ban that is known by some id."""
    row = connection.execute(
        "SELECT ban_id FROM ban_ids WHERE id = ?", (name,)
    ).fetchone()
    found: str = row[0]
    return found
