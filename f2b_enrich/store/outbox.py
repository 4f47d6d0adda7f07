"""The mails on their way out, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import OutboxRow, OutboxState, read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

UNSORTED = "state = 'due' AND released_at IS NULL"
"""Holds, in SQL, for an alert that policy and brake have not seen."""

RELEASED = "state = 'due' AND released_at IS NOT NULL"

_FINAL = "(ban_count <= 1 OR prolonged_at IS NOT NULL OR bantime_seconds = -1)"
"""`Ban.bantime_is_final` in SQL."""

LATE = "late"
"""What alerts are about that come too late to be mailed singly."""

# No mail waits longer for a look-up, or for its next attempt: whatever is due later was
# queued by another clock, and those that wait rightly need not be read.
_AHEAD = (
    "SELECT id FROM outbox INDEXED BY {index} WHERE {rows} "
    "AND due_at > strftime('%Y-%m-%dT%H:%M:%SZ', :now, '+7 hours') "
    "AND created_at > strftime('%Y-%m-%dT%H:%M:%SZ', :now, '+1 hour')"
)

ALERT = "alert"
"""The kind of the mails about one ban."""

# It names addresses and user names, and is needed no more.
_FORGET = "UPDATE report_mails SET message = NULL WHERE outbox_id = ?"

_READY = f"""
    EXISTS (
        SELECT 1 FROM bans WHERE bans.id = outbox.ban_id
        AND enrichment_id IS NOT NULL AND {_FINAL}
    )
"""

_BEING_FILLED = "(state = 'held' AND kind != 'alert')"
"""A digest that takes up bans yet, in SQL: sent now, it would not name them all."""

IS_DUE = f"{RELEASED} AND due_at <= ?"
"""A mail that may leave at this time, in SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail to queue; one that was `refused` is kept as dead with that reason.

    One that is `held` is not sent as it is, for that reason. An alert is sorted before
    it is sent, one that is `late` into a digest, for that reason; every other mail was
    decided on when it is queued.
    """

    kind: str
    ban_id: str | None
    recipient: str
    sender: str
    message_id: str
    due_at: datetime
    refused: str | None = None
    held: str | None = None
    late: str | None = None
    about: str | None = None

    @property
    def state(self) -> OutboxState:
        """The state that it begins with."""
        if self.refused is not None:
            return OutboxState.DEAD
        return OutboxState.DUE if self.held is None else OutboxState.HELD


def add(connection: sqlite3.Connection, mail: NewMail, *, now: datetime) -> int:
    """Queue one mail; give its number."""
    created_at = time_text(now)
    released_at = None if mail.kind == ALERT else created_at
    row_id: int | None = connection.execute(
        "INSERT INTO outbox (kind, ban_id, recipient, sender, state, about, attempts, "
        "created_at, due_at, released_at, message_id, last_error) "
        "VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
        (
            *(mail.kind, mail.ban_id, mail.recipient, mail.sender, mail.state.value),
            LATE if mail.late else mail.about,
            *(created_at, time_text(mail.due_at), released_at),
            *(mail.message_id, mail.refused or mail.held or mail.late),
        ),
    ).lastrowid
    assert row_id is not None  # noqa: S101 - an INSERT has one
    return row_id


def recipients(connection: sqlite3.Connection, ban_id: str) -> frozenset[str]:
    """Tell to whom a ban's alert is queued, or went."""
    rows = connection.execute(
        f"SELECT recipient FROM outbox WHERE ban_id = ? AND kind = '{ALERT}'", (ban_id,)
    )
    return frozenset(row["recipient"] for row in rows)


def hasten(connection: sqlite3.Connection, ban_id: str) -> None:
    """Let a ban's first attempt start now if there is nothing left to wait for."""
    connection.execute(
        f"UPDATE outbox SET due_at = created_at "
        f"WHERE ban_id = ? AND state = 'due' AND attempts = 0 AND {_READY}",
        (ban_id,),
    )


def stop_waiting(connection: sqlite3.Connection, ip: str) -> None:
    """Let the first attempt for an address start now whose look-up has failed."""
    connection.execute(
        "UPDATE outbox SET due_at = created_at WHERE state = 'due' AND attempts = 0 "
        "AND ban_id IN (SELECT id FROM bans INDEXED BY bans_by_ip "
        f"WHERE ip = ? AND enrichment_id IS NULL AND look_up = 'full' AND {_FINAL})",
        (ip,),
    )


def claim_due(
    connection: sqlite3.Connection, *, now: datetime, limit: int
) -> tuple[OutboxRow, ...]:
    """Take the mails whose time has come, oldest first, marked as being sent.

    What nobody has sorted yet is left.
    """
    rows = connection.execute(
        "UPDATE outbox SET state = 'sending' WHERE id IN ("
        f"SELECT id FROM outbox WHERE {IS_DUE} "
        "ORDER BY due_at, id LIMIT ?) RETURNING *",
        (time_text(now), limit),
    ).fetchall()
    return tuple(sorted(map(read_row, rows), key=lambda row: (row.due_at, row.id)))


def next_due_at(connection: sqlite3.Connection) -> datetime | None:
    """Tell when the next mail is due, to be sorted or sent; None when none is."""
    row = connection.execute(
        f"SELECT min(due_at) FROM (SELECT min(due_at) AS due_at FROM outbox "
        f"WHERE {RELEASED} UNION ALL SELECT min(due_at) FROM outbox WHERE {UNSORTED})"
    ).fetchone()
    return None if row[0] is None else read_time(row[0])


def is_any_ahead(connection: sqlite3.Connection, *, now: datetime) -> bool:
    """Tell whether a mail was queued after now: the clock was set back since."""
    found = connection.execute(
        f"SELECT EXISTS ({_AHEAD.format(index='outbox_unsorted', rows=UNSORTED)}) "
        f"OR EXISTS ({_AHEAD.format(index='outbox_due', rows=RELEASED)})",
        {"now": time_text(now)},
    )
    return bool(found.fetchone()[0])


def bring_back(connection: sqlite3.Connection, *, now: datetime) -> None:
    """Let what was queued after now begin now: nobody would hear of it for as long."""
    for index, rows in (("outbox_unsorted", UNSORTED), ("outbox_due", RELEASED)):
        connection.execute(
            "UPDATE outbox SET created_at = :now, due_at = :now WHERE id IN ("
            f"{_AHEAD.format(index=index, rows=rows)})",
            {"now": time_text(now)},
        )


def sent(connection: sqlite3.Connection, row: OutboxRow, *, now: datetime) -> None:
    """Note that a mail server took the mail.

    Its Message-ID counts, too: a number is given anew when its row was removed.
    """
    connection.execute(
        "UPDATE outbox SET state = 'sent', sent_at = ?, attempts = attempts + 1, "
        "last_error = NULL WHERE id = ? AND message_id = ?",
        (time_text(now), row.id, row.message_id),
    )
    connection.execute(_FORGET, (row.id,))


def failed(
    connection: sqlite3.Connection,
    row: OutboxRow,
    *,
    state: OutboxState,
    due_at: datetime,
    error: str,
) -> None:
    """Note an attempt that failed, and what follows."""
    connection.execute(
        "UPDATE outbox SET state = ?, due_at = ?, attempts = attempts + 1, "
        "last_error = ? WHERE id = ? AND message_id = ?",
        (state.value, time_text(due_at), error, row.id, row.message_id),
    )


def release(connection: sqlite3.Connection, row_ids: Iterable[int]) -> None:
    """Give back mails that were claimed and not tried."""
    connection.executemany(
        "UPDATE outbox SET state = 'due' WHERE id = ? AND state = 'sending'",
        [(row_id,) for row_id in row_ids],
    )


def release_all(connection: sqlite3.Connection) -> int:
    """Give back what a daemon that was killed had claimed; tell how many.

    Such a mail may have been taken: it goes out once more under the same Message-ID,
    rather than perhaps never.
    """
    return connection.execute(
        "UPDATE outbox SET state = 'due' WHERE state = 'sending'"
    ).rowcount


def retry(
    connection: sqlite3.Connection,
    row_id: int | None,
    *,
    sender: str,
    now: datetime,
) -> int:
    """Let one mail, or all that are dead, start anew; tell how many there were.

    One that is named goes out whatever the policy. All of them at once may be more than
    anybody wants to get: their alerts are sorted anew. `sender` is for those whose own
    was refused. A digest that is still being filled is left alone.
    """
    return connection.execute(
        "UPDATE outbox SET state = 'due', due_at = :now, created_at = :now, "
        "released_at = iif(:id IS NULL AND kind = 'alert', NULL, :now), "
        "attempts = 0, sender = iif(sender = '', :sender, sender), "
        # Why it was held is not what hinders it now.
        "last_error = iif(state = 'held', NULL, last_error), "
        "about = iif(kind = 'alert', NULL, about) "
        f"WHERE state IN ('dead', 'due', 'held') AND NOT {_BEING_FILLED} "
        "AND recipient != '' AND (sender != '' OR :sender != '') "
        "AND iif(:id IS NULL, state = 'dead', id = :id)",
        {"now": time_text(now), "id": row_id, "sender": sender},
    ).rowcount


def drop(connection: sqlite3.Connection, row_id: int) -> int:
    """Give a mail up without sending it; tell whether there was one to drop."""
    dropped = connection.execute(
        "UPDATE outbox SET state = 'skipped', last_error = 'dropped by hand' "
        "WHERE id = ? AND state IN ('due', 'dead', 'held', 'unsure') "
        f"AND NOT {_BEING_FILLED}",
        (row_id,),
    ).rowcount
    if dropped:
        connection.execute(_FORGET, (row_id,))
    return dropped


def row(connection: sqlite3.Connection, row_id: int) -> OutboxRow | None:
    """Read one mail's row."""
    found = connection.execute("SELECT * FROM outbox WHERE id = ?", (row_id,))
    values = found.fetchone()
    return None if values is None else read_row(values)


def read_row(values: sqlite3.Row) -> OutboxRow:
    """Turn a row of the table into a value."""
    sent_at, released_at = values["sent_at"], values["released_at"]
    return OutboxRow(
        id=values["id"],
        kind=values["kind"],
        ban_id=values["ban_id"],
        recipient=values["recipient"],
        sender=values["sender"],
        state=OutboxState(values["state"]),
        attempts=values["attempts"],
        created_at=read_time(values["created_at"]),
        due_at=read_time(values["due_at"]),
        message_id=values["message_id"],
        sent_at=None if sent_at is None else read_time(sent_at),
        last_error=values["last_error"],
        about=values["about"],
        released_at=None if released_at is None else read_time(released_at),
        folded_into=values["folded_into"],
    )
