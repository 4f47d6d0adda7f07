"""What the command of [notify] is still to be told, and what became of it.

A table of its own, not rows of the outbox: whoever counts, lists, brakes or retries
mails must not have to know of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from f2b_enrich.model import OutboxRow, read_time, time_text
from f2b_enrich.store import outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

_MOST_JAILS = 20


class NotificationState(StrEnum):
    """Where one stands."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a command is told; `attempts` counts those made."""

    id: int
    event: str
    mail: OutboxRow
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """The bans that a digest speaks of; of their jails those with the most bans."""

    bans: int
    addresses: int
    first_at: datetime | None
    last_at: datetime | None
    jails: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many wait or were given up, and how the last one that failed did."""

    due: int
    dead: int
    oldest_due_at: datetime | None
    last_error: str | None


def queue(
    connection: sqlite3.Connection,
    mails: Iterable[OutboxRow],
    *,
    events: Collection[str],
    now: datetime,
) -> int:
    """Have the command told of these mails; count those it was not to be told of yet.

    A ban is told of once, however many it is mailed to, and however often.
    """
    added = 0
    for mail in mails:
        if mail.kind not in events:
            continue
        added += connection.execute(
            "INSERT OR IGNORE INTO notifications "
            "(outbox_id, ban_id, event, state, attempts, created_at, due_at) "
            "VALUES (?, ?, ?, 'due', 0, ?, ?)",
            (mail.id, mail.ban_id, mail.kind, time_text(now), time_text(now)),
        ).rowcount
    return added


def sweep(
    connection: sqlite3.Connection,
    *,
    events: Collection[str],
    now: datetime,
    limit: int,
) -> int:
    """Have the command told of mails that are due, taken by a mail server or not.

    Count them; as many as the `limit` means that there may be more.
    """
    rows = connection.execute(
        f"SELECT * FROM outbox WHERE {outbox.IS_DUE} "
        f"AND kind IN ({', '.join('?' * len(events))}) "
        "AND NOT EXISTS (SELECT 1 FROM notifications WHERE outbox_id = outbox.id) "
        "AND NOT EXISTS (SELECT 1 FROM notifications AS other "
        "WHERE other.ban_id = outbox.ban_id AND other.event = outbox.kind) "
        "ORDER BY due_at, id LIMIT ?",
        (time_text(now), *events, limit),
    ).fetchall()
    queue(connection, map(outbox.read_row, rows), events=events, now=now)
    return len(rows)


def claim(
    connection: sqlite3.Connection, *, now: datetime, limit: int
) -> tuple[Notification, ...]:
    """Take those whose time has come, the oldest first, marked as running."""
    rows = connection.execute(
        "UPDATE notifications SET state = 'running' WHERE id IN ("
        "SELECT id FROM notifications WHERE state = 'due' AND due_at <= ? "
        "ORDER BY due_at, id LIMIT ?) RETURNING id",
        (time_text(now), limit),
    ).fetchall()
    return tuple(_read(connection, row["id"]) for row in sorted(rows, key=tuple))


def _read(connection: sqlite3.Connection, number: int) -> Notification:
    row = connection.execute(
        "SELECT * FROM notifications WHERE id = ?", (number,)
    ).fetchone()
    mail = connection.execute(
        "SELECT * FROM outbox WHERE id = ?", (row["outbox_id"],)
    ).fetchone()
    return Notification(
        id=row["id"],
        event=row["event"],
        mail=outbox.read_row(mail),
        attempts=row["attempts"],
        created_at=read_time(row["created_at"]),
    )


def expire(
    connection: sqlite3.Connection, *, before: datetime, now: datetime, error: str
) -> int:
    """Give up what was queued before then and not told; tell how many."""
    return connection.execute(
        "UPDATE notifications SET state = 'dead', due_at = ?, "
        "last_error = ifnull(last_error, ?) WHERE state = 'due' AND created_at < ?",
        (time_text(now), error, time_text(before)),
    ).rowcount


def next_due_at(connection: sqlite3.Connection) -> datetime | None:
    """Tell when the next is due; None when none is."""
    row = connection.execute(
        "SELECT min(due_at) FROM notifications WHERE state = 'due'"
    ).fetchone()
    return None if row[0] is None else read_time(row[0])


def done(connection: sqlite3.Connection, number: int, *, now: datetime) -> None:
    """Note that the command has heard it."""
    connection.execute(
        "UPDATE notifications SET state = 'done', done_at = ?, "
        "attempts = attempts + 1, last_error = NULL WHERE id = ?",
        (time_text(now), number),
    )


def failed(
    connection: sqlite3.Connection,
    number: int,
    *,
    due_at: datetime | None,
    error: str,
) -> None:
    """Note that the command failed; without a time to try again it is given up."""
    state = NotificationState.DEAD if due_at is None else NotificationState.DUE
    connection.execute(
        "UPDATE notifications SET state = ?, due_at = ifnull(?, due_at), "
        "attempts = attempts + 1, last_error = ? WHERE id = ?",
        (state.value, None if due_at is None else time_text(due_at), error, number),
    )


def release_all(connection: sqlite3.Connection) -> int:
    """Give back what a daemon that ended had claimed; tell how many.

    The command may have heard it: it hears it again, rather than perhaps never.
    """
    return connection.execute(
        "UPDATE notifications SET state = 'due' WHERE state = 'running'"
    ).rowcount


def backlog(connection: sqlite3.Connection, *, since: datetime) -> Backlog:
    """Count what was queued since then and waits, and what was given up since then.

    What was queued earlier and was not told is told no more, command or not.
    """
    due, oldest = connection.execute(
        "SELECT count(*), min(created_at) FROM notifications "
        "WHERE state IN ('due', 'running') AND created_at >= ?",
        (time_text(since),),
    ).fetchone()
    # What is dead was due for the last time when it was given up.
    (dead,) = connection.execute(
        "SELECT count(*) FROM notifications WHERE state = 'dead' AND due_at >= ?",
        (time_text(since),),
    ).fetchone()
    last = connection.execute(
        "SELECT last_error FROM notifications WHERE state IN ('due', 'running', 'dead')"
        " AND due_at >= ? AND last_error IS NOT NULL ORDER BY id DESC LIMIT 1",
        (time_text(since),),
    ).fetchone()
    return Backlog(
        due=due,
        dead=dead,
        oldest_due_at=None if oldest is None else read_time(oldest),
        last_error=None if last is None else last["last_error"],
    )


def folded(connection: sqlite3.Connection, mail_id: int) -> Folded:
    """Count the bans of the mails that were folded into this one."""
    bans = (
        "FROM bans WHERE id IN (SELECT ban_id FROM outbox "
        "WHERE folded_into = ? AND ban_id IS NOT NULL)"
    )
    row = connection.execute(
        "SELECT count(*) AS bans, count(DISTINCT ip) AS addresses, "
        f"min(banned_at) AS first, max(banned_at) AS last {bans}",
        (mail_id,),
    ).fetchone()
    jails = connection.execute(
        f"SELECT jail, count(*) AS bans {bans} GROUP BY jail "
        "ORDER BY bans DESC, jail LIMIT ?",
        (mail_id, _MOST_JAILS),
    )
    return Folded(
        bans=row["bans"],
        addresses=row["addresses"],
        first_at=None if row["first"] is None else read_time(row["first"]),
        last_at=None if row["last"] is None else read_time(row["last"]),
        jails={jail["jail"]: jail["bans"] for jail in jails},
    )
