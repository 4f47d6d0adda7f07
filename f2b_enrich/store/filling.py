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
    """The alerts to a recipient that wait for a digest: how many, from when to when.

    Those `by_brake` are told of apart.
    """

    recipient: str
    by_brake: bool
    count: int
    since: datetime
    newest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfilled:
    """A digest's row that was begun and is not whole.

    It `takes_all` that is held, to whomever, or what is held for its recipient.
    """

    id: int
    recipient: str
    period: Period
    takes_all: bool


def held(connection: sqlite3.Connection) -> tuple[Held, ...]:
    """Count what waits, by recipient and reason."""
    rows = connection.execute(
        "SELECT recipient, about, count(*) AS mails, min(due_at) AS since, "
        "max(due_at) AS newest FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert' GROUP BY recipient, about "
        "ORDER BY recipient, about"
    ).fetchall()
    return tuple(
        Held(
            recipient=row["recipient"],
            by_brake=row["about"] == BRAKE,
            count=row["mails"],
            since=read_time(row["since"]),
            newest=read_time(row["newest"]),
        )
        for row in rows
    )


def bring_back(connection: sqlite3.Connection, *, now: datetime) -> None:
    """Let what was held after now have been held now: the clock was set back since."""
    connection.execute(
        "UPDATE outbox SET due_at = :now WHERE id IN ("
        "SELECT id FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert' AND due_at > :now)",
        {"now": time_text(now)},
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
        "SELECT 1 FROM outbox INDEXED BY outbox_due "
        f"WHERE {outbox.RELEASED} AND kind = 'digest' AND recipient = :to "
        "UNION ALL SELECT 1 FROM outbox INDEXED BY outbox_sending "
        "WHERE state = 'sending' AND kind = 'digest' AND recipient = :to "
        "UNION ALL SELECT 1 FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'digest' AND recipient = :to LIMIT 1",
        {"to": recipient},
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
    takes_all: bool,
    now: datetime,
) -> Unfilled:
    """Queue a digest that is to be filled."""
    row_id = outbox.add(connection, mail, now=now)
    digests.note_period(connection, row_id, period)
    connection.execute(
        "UPDATE digests SET takes_all = ? WHERE outbox_id = ?", (takes_all, row_id)
    )
    return Unfilled(
        id=row_id, recipient=mail.recipient, period=period, takes_all=takes_all
    )


def unfilled(connection: sqlite3.Connection) -> tuple[Unfilled, ...]:
    """Read the digests that are not whole, the oldest first."""
    rows = connection.execute(
        "SELECT id, recipient, period, since_at, until_at, before_at, takes_all "
        "FROM outbox INDEXED BY outbox_held JOIN digests ON outbox_id = id "
        "WHERE state = 'held' AND kind = 'digest' ORDER BY id"
    )
    return tuple(
        Unfilled(
            id=row["id"],
            recipient=row["recipient"],
            period=digests.read_period(row),
            takes_all=bool(row["takes_all"]),
        )
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
        f"WHERE id IN ({held} LIMIT :limit) "
        "AND EXISTS (SELECT 1 FROM outbox WHERE id = :into AND state = 'held')",
        {"into": into, "recipient": recipient, "about": BRAKE, "limit": limit},
    ).rowcount


def count(connection: sqlite3.Connection, into: int) -> int:
    """Count the bans that a digest stands for, as its mail does.

    A ban has an alert for each recipient, and all may be folded into one digest.
    """
    row = connection.execute(
        f"{digests.FOLDED} SELECT count(DISTINCT ban_id) FROM folded", {"row": into}
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


def give_up(connection: sqlite3.Connection, row_id: int) -> None:
    """Send no digest that turned out to have nothing to tell."""
    connection.execute(
        "UPDATE outbox SET state = 'skipped', last_error = 'nothing to tell' "
        "WHERE id = ? AND state = 'held'",
        (row_id,),
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
