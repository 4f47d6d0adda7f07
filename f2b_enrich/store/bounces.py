"""Mails of ours that came back, and how far the mailboxes were read for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

MOST_RECIPIENTS = 200
"""Whose bounces are told of: more than anybody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a bounce says of one of our mails, its `message_id` with angle brackets."""

    message_id: str
    recipient: str | None
    status: str | None
    diagnostic: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The row of a mail that came back, and whether that was not known yet."""

    row_id: int
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced:
    """A mail of the outbox that came back; `ip` is that of its ban, if it has one.

    `recipient` is whom we sent it to, `failed` the address that the bounce names,
    which another server may have made of it.
    """

    outbox_id: int
    kind: str
    recipient: str
    ip: str | None
    bounced_at: datetime
    failed: str | None = None
    status: str | None = None
    diagnostic: str | None = None

    @property
    def reason(self) -> str:
        """The reason, in a server's words where it gave some."""
        words = self.diagnostic or ""
        if self.status is None or self.status in words:
            return words or "no reason given"
        return f"{self.status} {words}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """So many mails to one recipient came back, the last of them the `newest`."""

    mails: int
    newest: Bounced


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """How far a mailbox was read; `mark` tells whether it is still the same file.

    `problem` is why it could not be read the last time.
    """

    path: str
    read_at: datetime | None
    position: int = 0
    mark: str = ""
    problem: str | None = None


def note(
    connection: sqlite3.Connection, returned: Returned, *, now: datetime
) -> Noted | None:
    """Note that a mail came back; None if it is none of ours.

    The first bounce of a mail stays: each recipient has a mail of his own.
    """
    row_id = _mail(connection, returned.message_id)
    if row_id is None:
        return None
    added = connection.execute(
        "INSERT INTO bounces (outbox_id, bounced_at, recipient, status, diagnostic) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (outbox_id) DO NOTHING",
        (
            *(row_id, time_text(now), returned.recipient),
            *(returned.status, returned.diagnostic),
        ),
    )
    return Noted(row_id=row_id, is_new=added.rowcount > 0)


def _mail(connection: sqlite3.Connection, message_id: str) -> int | None:
    """Find a mail by its Message-ID, which names its ban.

    An index over it would cost each ban a page; the one over bans is there already.
    """
    ban = message_id.partition("@")[0].rpartition(".")[2].rstrip(">")
    for condition, values in (("ban_id = ?", (ban,)), ("ban_id IS NULL", ())):
        row = connection.execute(
            f"SELECT id FROM outbox WHERE {condition} AND message_id = ? LIMIT 1",
            (*values, message_id),
        ).fetchone()
        if row is not None:
            found: int = row["id"]
            return found
    return None


def count(connection: sqlite3.Connection, *, since: datetime) -> int:
    """Count the mails that came back since then."""
    found = connection.execute(
        "SELECT count(*) FROM bounces WHERE bounced_at >= ?", (time_text(since),)
    )
    number: int = found.fetchone()[0]
    return number


def bounced(
    connection: sqlite3.Connection, *, since: datetime, limit: int = -1
) -> tuple[Bounced, ...]:
    """List mails that came back since then, the newest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE bounces.bounced_at >= ? "
        "ORDER BY bounces.bounced_at DESC, bounces.outbox_id DESC LIMIT ?",
        (time_text(since), limit),
    )
    return tuple(map(_read, rows))


def by_recipient(
    connection: sqlite3.Connection, *, since: datetime, until: datetime
) -> tuple[CameBack, ...]:
    """Count what came back before `until` by whom we sent it to, the last one first.

    All to one recipient fail for a few reasons: only the newest is read.
    """
    # max() alone picks the row that the other values are of.
    rows = connection.execute(
        f"SELECT *, count(*) AS mails, max(bounced_at) FROM ({_SELECT} "
        "WHERE bounces.bounced_at >= ? AND bounces.bounced_at < ?) "
        "GROUP BY wanted ORDER BY bounced_at DESC, outbox_id DESC LIMIT ?",
        (time_text(since), time_text(until), MOST_RECIPIENTS),
    )
    return tuple(CameBack(mails=row["mails"], newest=_read(row)) for row in rows)


def of_mail(connection: sqlite3.Connection, row_id: int) -> Bounced | None:
    """Read how one mail came back; None if it did not."""
    row = connection.execute(
        f"{_SELECT} WHERE bounces.outbox_id = ?", (row_id,)
    ).fetchone()
    return None if row is None else _read(row)


_SELECT = """
    SELECT bounces.*, outbox.kind AS kind, outbox.recipient AS wanted, bans.ip AS ip
    FROM bounces JOIN outbox ON outbox.id = bounces.outbox_id
    LEFT JOIN bans ON bans.id = outbox.ban_id
"""


def _read(row: sqlite3.Row) -> Bounced:
    return Bounced(
        outbox_id=row["outbox_id"],
        kind=row["kind"],
        recipient=row["wanted"],
        ip=row["ip"],
        bounced_at=read_time(row["bounced_at"]),
        failed=row["recipient"],
        status=row["status"],
        diagnostic=row["diagnostic"],
    )


def mailbox(connection: sqlite3.Connection, path: str) -> Mailbox | None:
    """Tell how far a mailbox was read; None if it never was."""
    row = connection.execute(
        "SELECT * FROM mailboxes WHERE path = ?", (path,)
    ).fetchone()
    if row is None:
        return None
    read_at = row["read_at"]
    return Mailbox(
        path=path,
        read_at=None if read_at is None else read_time(read_at),
        position=row["position"],
        mark=row["mark"],
        problem=row["problem"],
    )


def keep(connection: sqlite3.Connection, mailbox: Mailbox) -> None:
    """Keep how far a mailbox was read."""
    read_at = mailbox.read_at
    connection.execute(
        "INSERT OR REPLACE INTO mailboxes (path, read_at, position, mark, problem) "
        "VALUES (?, ?, ?, ?, ?)",
        (
            *(mailbox.path, None if read_at is None else time_text(read_at)),
            *(mailbox.position, mailbox.mark, mailbox.problem),
        ),
    )
