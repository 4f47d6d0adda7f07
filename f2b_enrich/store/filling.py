"""Digests on their way from held alerts to a mail that is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time, time_text
from f2b_enrich.store import chores, digests, outbox
from f2b_enrich.store.periods import REAL, span
from f2b_enrich.store.sorting import BRAKE

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.figures import DigestKind, Period

DIGEST = "digest"
"""The kind of the mails that many alerts are folded into."""

FILLING = "is being filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The alerts to a recipient that wait for a digest: how many, since when.

    Those `by_brake` are told of apart.
    """

    recipient: str
    by_brake: bool
    count: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfilled:
    """A digest's row that was begun and is not whole."""

    id: int
    recipient: str
    kind: DigestKind


def held(connection: sqlite3.Connection) -> tuple[Held, ...]:
    """Count what waits, by recipient and reason."""
    rows = connection.execute(
        "SELECT recipient, about IS 'brake' AS by_brake, count(*) AS mails, "
        "min(due_at) AS since FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert' GROUP BY recipient, by_brake "
        "ORDER BY recipient, by_brake"
    ).fetchall()
    return tuple(
        Held(
            recipient=row["recipient"],
            by_brake=bool(row["by_brake"]),
            count=row["mails"],
            since=read_time(row["since"]),
        )
        for row in rows
    )


def sender(connection: sqlite3.Connection, recipient: str) -> str:
    """Tell who would have written one of the alerts that wait; else nobody."""
    row = connection.execute(
        "SELECT sender FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert' AND recipient = ? LIMIT 1",
        (recipient,),
    ).fetchone()
    return row["sender"] if row is not None else ""


def is_another_unsent(connection: sqlite3.Connection, recipient: str) -> bool:
    """Tell whether a digest to a recipient is on its way: they go one at a time."""
    row = connection.execute(
        "SELECT 1 FROM outbox WHERE kind = 'digest' AND recipient = ? "
        f"AND ({outbox.RELEASED} OR state = 'sending') "
        "UNION ALL SELECT 1 FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'digest' AND recipient = ? LIMIT 1",
        (recipient, recipient),
    )
    return row.fetchone() is not None


def has_bans(connection: sqlite3.Connection, period: Period) -> bool:
    """Tell whether a period has bans that do not only repeat others."""
    row = connection.execute(
        f"SELECT 1 FROM bans WHERE {REAL} LIMIT 1", span(period.since, period.until)
    )
    return row.fetchone() is not None


def begin(
    connection: sqlite3.Connection,
    mail: outbox.NewMail,
    period: Period,
    *,
    now: datetime,
) -> int:
    """Queue a digest that is to be filled; give its row."""
    row_id = outbox.add(connection, mail, now=now)
    digests.note_period(connection, row_id, period)
    return row_id


def unfilled(connection: sqlite3.Connection) -> tuple[Unfilled, ...]:
    """Read the digests that are not whole, the oldest first."""
    rows = connection.execute(
        "SELECT id, recipient, period FROM outbox INDEXED BY outbox_held "
        "JOIN digests ON outbox_id = id WHERE state = 'held' AND kind = 'digest' "
        "ORDER BY id"
    )
    return tuple(
        Unfilled(id=row["id"], recipient=row["recipient"], kind=row["period"])
        for row in rows
    )


def fold_some(
    connection: sqlite3.Connection,
    into: int,
    *,
    recipient: str | None,
    only_braked: bool,
    limit: int,
) -> int:
    """Fold held alerts, those to anybody without a recipient; tell how many."""
    held = (
        "SELECT id FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert'"
    )
    if recipient is not None:
        held += " AND recipient = :recipient"
    if only_braked:
        held += " AND about = :about"
    return connection.execute(
        "UPDATE outbox SET state = 'folded', folded_into = :into "
        f"WHERE id IN ({held} LIMIT :limit)",
        {"into": into, "recipient": recipient, "about": BRAKE, "limit": limit},
    ).rowcount


def count(connection: sqlite3.Connection, into: int) -> int:
    """Count the alerts that a digest stands for."""
    row = connection.execute(
        "SELECT count(*) FROM outbox WHERE folded_into = ?", (into,)
    ).fetchone()
    found: int = row[0]
    return found


def finish(connection: sqlite3.Connection, row_id: int, *, now: datetime) -> None:
    """Let a digest leave that is whole."""
    connection.execute(
        "UPDATE outbox SET state = 'due', created_at = :now, due_at = :now, "
        "released_at = :now, last_error = NULL WHERE id = :id AND state = 'held'",
        {"now": time_text(now), "id": row_id},
    )


def leave_out(connection: sqlite3.Connection, *, limit: int) -> int:
    """Give up held alerts that no digest will ever tell of; tell how many."""
    return connection.execute(
        "UPDATE outbox SET state = 'skipped', "
        "last_error = last_error || '; no digest is configured' WHERE id IN ("
        "SELECT id FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert' AND about IS NOT 'brake' LIMIT ?)",
        (limit,),
    ).rowcount


def last(
    connection: sqlite3.Connection, kind: DigestKind, recipient: str
) -> datetime | None:
    """Tell when it was last decided whether a recipient gets such a digest."""
    return chores.done_at(connection, _chore(kind, recipient))


def decided(
    connection: sqlite3.Connection, kind: DigestKind, recipient: str, *, now: datetime
) -> None:
    """Note that it was decided, for the digest that was due last."""
    chores.done(connection, _chore(kind, recipient), now=now)


def _chore(kind: DigestKind, recipient: str) -> str:
    return f"{kind} digest to {recipient}"
