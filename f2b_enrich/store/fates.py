"""What became of the alert about a ban, followed to the mail that tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.figures import Period
from f2b_enrich.model import read_time
from f2b_enrich.store import outbox

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.model import OutboxRow

# UNION and the limit, for a circle of rows must not be gone round for ever. No way is
# longer: an alert, an alert about the same attack, a digest.
_LAST = """
    WITH RECURSIVE way (id, folded_into, steps) AS (
        SELECT id, folded_into, 1 FROM outbox WHERE id = ?
        UNION
        SELECT outbox.id, outbox.folded_into, steps + 1
        FROM way JOIN outbox ON outbox.id = way.folded_into WHERE steps < 3
    )
    SELECT outbox.* FROM way JOIN outbox ON outbox.id = way.id
    ORDER BY steps DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A mail, and whether it came back; of a digest with the time it is about."""

    row: OutboxRow
    came_back: bool = False
    period: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """The alert about a ban, and the mail that tells of it `instead`, if one does."""

    alert: OutboxRow
    came_back: bool = False
    instead: Told | None = None


def of_ban(connection: sqlite3.Connection, ban_id: str) -> tuple[Fate, ...]:
    """Follow the alerts about a ban, one for each recipient."""
    rows = connection.execute(
        "SELECT * FROM outbox WHERE ban_id = ? AND kind = 'alert' ORDER BY id",
        (ban_id,),
    ).fetchall()
    return tuple(
        Fate(
            alert=row,
            came_back=_came_back(connection, row.id),
            instead=instead(connection, row),
        )
        for row in map(outbox.read_row, rows)
    )


def instead(connection: sqlite3.Connection, row: OutboxRow) -> Told | None:
    """Find the mail that tells instead of one that is folded; None: it is not."""
    if row.folded_into is None:
        return None
    last = connection.execute(_LAST, (row.folded_into,)).fetchone()
    return None if last is None else told(connection, outbox.read_row(last))


def told(connection: sqlite3.Connection, row: OutboxRow) -> Told:
    """Read beside a mail what time it is about, if it is a digest."""
    period = None if row.kind == outbox.ALERT else _period(connection, row.id)
    return Told(row=row, came_back=_came_back(connection, row.id), period=period)


def _came_back(connection: sqlite3.Connection, row_id: int) -> bool:
    row = connection.execute("SELECT 1 FROM bounces WHERE outbox_id = ?", (row_id,))
    return row.fetchone() is not None


def _period(connection: sqlite3.Connection, row_id: int) -> Period | None:
    row = connection.execute(
        "SELECT period, since_at, until_at FROM digests WHERE outbox_id = ?", (row_id,)
    ).fetchone()
    if row is None:
        return None
    return Period(
        kind=row["period"],
        since=read_time(row["since_at"]),
        until=read_time(row["until_at"]),
    )
