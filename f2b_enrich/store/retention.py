"""What is older than it may get, and up to when such things were purged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from f2b_enrich.model import days_after, read_time, time_text
from f2b_enrich.store import chores

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

CHORE = "purge"
_DOUBT = "purge-doubt"

LONGEST_GAP = timedelta(days=30)
"""Between two purges; after a longer one the clock may be wrong, which deletes all."""

_SLEPT_OVER = timedelta(hours=20)

TO_BE_CLASSED = timedelta(days=1)
"""How long a ban that was not classed yet keeps its lines, whatever its age: it may
have waited in the spool."""

STRIPPED = """
    banned_at < :before AND (rule_set IS NOT NULL OR received_at < :to_be_classed)
    AND (
        captures IS NOT NULL
        OR EXISTS (SELECT 1 FROM log_lines WHERE ban_id = bans.id)
        OR EXISTS (SELECT 1 FROM observed WHERE ban_id = bans.id)
    )
"""
"""Holds, in SQL, for a ban that loses something."""

RENAMED = "last_at >= :before AND first_at < :before AND first_name != ''"
"""Holds, in SQL, for a campaign that goes on, and whose first name is too old."""

_COUNTED = f"""
    SELECT count(*),
    ifnull(sum((SELECT count(*) FROM log_lines WHERE ban_id = bans.id)), 0),
    ifnull(sum((SELECT count(*) FROM observed WHERE ban_id = bans.id)), 0)
    FROM bans WHERE {STRIPPED}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Before which times nothing is kept; None is for ever.

    `lines` is for log lines, what was found in them, and user names kept elsewhere.
    """

    lines: datetime | None
    bans: datetime | None

    @classmethod
    def of_days(cls, *, lines: int, bans: int, now: datetime) -> Self:
        """Count days back, 0 for ever; a ban goes with its lines."""
        lines_before = days_after(now, -lines) if lines else None
        bans_before = days_after(now, -bans) if bans else None
        both = [each for each in (lines_before, bans_before) if each is not None]
        return cls(lines=max(both, default=None), bans=bans_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """Before which times lines, and bans, were purged; None where none ever were."""

    lines: datetime | None
    bans: datetime | None


@dataclass(slots=True, kw_only=True)
class Removed:
    """How much: `lines` and `values` are those of `stripped` bans.

    `campaigns` went, or only their first name did; `events` are unbans and prolonged
    bans that waited for their ban. `bans` went whole, with mails and look-ups.
    """

    stripped: int = 0
    lines: int = 0
    values: int = 0
    campaigns: int = 0
    events: int = 0
    bans: int = 0


def purged(connection: sqlite3.Connection) -> Purged:
    """Tell what was purged, so that nothing of it is brought back.

    It is noted before the first row goes: what is going to be purged counts, too.
    """
    rows = connection.execute("SELECT what, before_at FROM purged")
    before = {row["what"]: read_time(row["before_at"]) for row in rows}
    return Purged(lines=before.get("lines"), bans=before.get("bans"))


def note(connection: sqlite3.Connection, limits: Limits, *, now: datetime) -> bool:
    """Note what is going to be purged; tell whether the last purge came to its end."""
    found = connection.execute("SELECT count(*) FROM purged WHERE NOT is_finished")
    unfinished = found.fetchone()[0]
    before = purged(connection)
    _note(connection, "lines", before.lines, limits.lines, now=now)
    _note(connection, "bans", before.bans, limits.bans, now=now)
    return not unfinished


def _note(
    connection: sqlite3.Connection,
    what: str,
    before: datetime | None,
    limit: datetime | None,
    *,
    now: datetime,
) -> None:
    if limit is None:
        return
    # What is noted of the future was so by a clock that was wrong.
    latest = limit if before is None or before > now else max(before, limit)
    connection.execute(
        "INSERT INTO purged (what, before_at, is_finished) VALUES (?, ?, FALSE) "
        "ON CONFLICT (what) DO UPDATE "
        "SET before_at = excluded.before_at, is_finished = FALSE",
        (what, time_text(latest)),
    )


def doubts_clock(connection: sqlite3.Connection, *, now: datetime) -> datetime | None:
    """Give the time of the last purge if it is strangely long ago, and note the doubt.

    Inside the caller's transaction. A day later the same clock is believed: the server
    was off for so long.
    """
    last, doubted = last_purge(connection), chores.done_at(connection, _DOUBT)
    if last is None or now - last <= LONGEST_GAP:
        return None
    if doubted is not None and _SLEPT_OVER <= now - doubted <= LONGEST_GAP:
        return None
    if doubted is None or not timedelta(0) <= now - doubted < _SLEPT_OVER:
        chores.done(connection, _DOUBT, now=now)
    return last


def finish(connection: sqlite3.Connection, *, now: datetime) -> None:
    """Note that a purge came to its end."""
    connection.execute("UPDATE purged SET is_finished = TRUE")
    chores.done(connection, CHORE, now=now)


def last_purge(connection: sqlite3.Connection) -> datetime | None:
    """Tell when a purge last came to its end; None when none ever did."""
    return chores.done_at(connection, CHORE)


def times(before: datetime, *, now: datetime) -> dict[str, str]:
    """Give the values that `STRIPPED` and `RENAMED` take."""
    to_be_classed = time_text(now - TO_BE_CLASSED)
    return {"before": time_text(before), "to_be_classed": to_be_classed}


def would_remove(
    connection: sqlite3.Connection, limits: Limits, *, now: datetime
) -> Removed:
    """Count what a purge would remove now."""
    counts = Removed()
    if limits.lines is not None:
        values = times(limits.lines, now=now)
        row = connection.execute(_COUNTED, values).fetchone()
        counts.stripped, counts.lines, counts.values = row
        gone = f"campaigns WHERE last_at < :before OR ({RENAMED})"
        counts.campaigns = _count(connection, gone, values)
        counts.events = _count(connection, "waiting_events WHERE at < :before", values)
    if limits.bans is not None:
        values = times(limits.bans, now=now)
        counts.bans = _count(connection, "bans WHERE banned_at < :before", values)
    return counts


def _count(connection: sqlite3.Connection, what: str, values: Mapping[str, str]) -> int:
    count: int = connection.execute(f"SELECT count(*) FROM {what}", values).fetchone()[
        0
    ]
    return count
