"""Reports on their way by mail: what they are about, and the mails themselves.

Every other mail is written when it is sent. A report takes long to count and to draw,
and its figures are those of its hour, so it is kept whole until it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import OutboxState, time_text
from f2b_enrich.store import outbox

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.model import OutboxRow

REPORT = "report"
"""The kind of these mails."""

DROPPED = OutboxState.SKIPPED
"""The state of a mail that nobody is to get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The time that a report is about, and what `filters` confine it to, as text."""

    since: datetime
    until: datetime
    filters: str


def queued(
    connection: sqlite3.Connection, about: About, recipient: str
) -> OutboxRow | None:
    """Find the newest mail about the same to a recipient, unless it was dropped."""
    row = connection.execute(
        "SELECT outbox.* FROM report_mails JOIN outbox ON id = outbox_id "
        "WHERE since_at = ? AND until_at = ? AND filters = ? AND recipient = ? "
        "AND state != ? ORDER BY id DESC LIMIT 1",
        (
            *(time_text(about.since), time_text(about.until)),
            *(about.filters, recipient, DROPPED.value),
        ),
    ).fetchone()
    return None if row is None else outbox.read_row(row)


def add(
    connection: sqlite3.Connection,
    mail: outbox.NewMail,
    about: About,
    message: bytes,
    *,
    now: datetime,
) -> int:
    """Queue a report, whole; give its number."""
    row_id = outbox.add(connection, mail, now=now)
    connection.execute(
        "INSERT INTO report_mails (outbox_id, since_at, until_at, filters, message) "
        "VALUES (?, ?, ?, ?, ?)",
        (
            *(row_id, time_text(about.since), time_text(about.until)),
            *(about.filters, message),
        ),
    )
    return row_id


def message(connection: sqlite3.Connection, row_id: int) -> bytes | None:
    """Read a report's mail; None when it is not kept any more."""
    row = connection.execute(
        "SELECT message FROM report_mails WHERE outbox_id = ?", (row_id,)
    ).fetchone()
    return None if row is None else row["message"]


def last(connection: sqlite3.Connection) -> OutboxRow | None:
    """Read the row of the report that was queued last."""
    row = connection.execute(
        "SELECT outbox.* FROM report_mails JOIN outbox ON id = outbox_id "
        "ORDER BY outbox_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else outbox.read_row(row)


def forget_old(connection: sqlite3.Connection, *, before: datetime) -> None:
    """Keep no mail about a time that ended so long ago, sent or not."""
    connection.execute(
        "UPDATE report_mails SET message = NULL "
        "WHERE until_at < ? AND message IS NOT NULL",
        (time_text(before),),
    )
