"""What became of a ban that was made to try the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import OutboxState, time_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedMail:
    """A mail about it, and what its last attempt met."""

    recipient: str
    state: OutboxState
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedBan:
    """The ban and all of its mails; `has_ended` by an unban."""

    id: str
    has_ended: bool
    mails: tuple[TriedMail, ...]


def tried_ban(connection: sqlite3.Connection, jail: str, ip: str) -> TriedBan | None:
    """Read the newest ban of an address by one jail, with its mails."""
    row = connection.execute(
        "SELECT id, unbanned_at FROM bans WHERE ip = ? AND jail = ? "
        "ORDER BY banned_at DESC, id LIMIT 1",
        (ip, jail),
    ).fetchone()
    if row is None:
        return None
    mails = connection.execute(
        "SELECT recipient, state, last_error FROM outbox WHERE ban_id = ? ORDER BY id",
        (row["id"],),
    )
    return TriedBan(
        id=row["id"],
        has_ended=row["unbanned_at"] is not None,
        mails=tuple(map(_read, mails)),
    )


def _read(mail: sqlite3.Row) -> TriedMail:
    return TriedMail(
        recipient=mail["recipient"],
        state=OutboxState(mail["state"]),
        last_error=mail["last_error"],
    )


def release(
    connection: sqlite3.Connection, ban_id: str, *, now: datetime
) -> tuple[TriedMail, ...]:
    """Let the mails about a ban leave that were sorted out; give them as they were.

    Inside the caller's transaction.
    """
    kept = connection.execute(
        "SELECT id, recipient, state, last_error FROM outbox WHERE ban_id = ? "
        "AND state IN ('held', 'folded', 'skipped') ORDER BY id",
        (ban_id,),
    ).fetchall()
    connection.executemany(
        "UPDATE outbox SET state = 'due', due_at = :now, released_at = :now, "
        "about = NULL, folded_into = NULL, last_error = NULL WHERE id = :id",
        [{"now": time_text(now), "id": row["id"]} for row in kept],
    )
    return tuple(map(_read, kept))


def has_bans(connection: sqlite3.Connection, ip: str) -> bool:
    """Tell whether any ban of an address is recorded."""
    found = connection.execute("SELECT 1 FROM bans WHERE ip = ? LIMIT 1", (ip,))
    return found.fetchone() is not None


def banned_by(connection: sqlite3.Connection, jail: str) -> tuple[str, ...]:
    """Name the addresses that one jail has banned."""
    found = connection.execute(
        "SELECT DISTINCT ip FROM bans WHERE jail = ? ORDER BY ip", (jail,)
    )
    return tuple(row["ip"] for row in found)
