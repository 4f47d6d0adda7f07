"""How many mails wait, left or were given up, counted without reading them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time, time_text
from f2b_enrich.store import filling, floods, outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from f2b_enrich.figures import DigestKind
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.filling import Held
    from f2b_enrich.store.floods import FloodRow

# Each part from the index that holds nothing else: of what was sent or folded there may
# be a million rows.
_DUE = f"""
    SELECT count(*) AS mails, min(created_at) AS oldest_at FROM (
        SELECT created_at FROM outbox INDEXED BY outbox_unsorted
        WHERE {outbox.UNSORTED}
        UNION ALL SELECT created_at FROM outbox INDEXED BY outbox_due
        WHERE {outbox.RELEASED}
        UNION ALL SELECT created_at FROM outbox INDEXED BY outbox_sending
        WHERE state = 'sending'
    )
"""

# The recipients one after the other: each is one step down the index.
_RECIPIENTS = """
    WITH RECURSIVE each (recipient) AS (
        SELECT min(recipient) FROM outbox INDEXED BY outbox_sent
        WHERE sent_at IS NOT NULL
        UNION ALL
        SELECT (
            SELECT min(recipient) FROM outbox INDEXED BY outbox_sent
            WHERE sent_at IS NOT NULL AND recipient > each.recipient
        ) FROM each WHERE each.recipient IS NOT NULL
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Mails of one kind that a server took for one recipient."""

    recipient: str
    kind: str
    mails: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFigures:
    """What became of mails: those `sent` since some time, all others ever.

    `oldest_due_at` is when the oldest that is still to go was queued; `newest_dead` is
    the one that was given up last. `bans_held` counts a ban once that is `held` for
    several recipients.
    """

    due: int
    oldest_due_at: datetime | None
    dead: int
    newest_dead: OutboxRow | None
    sent: tuple[Sent, ...]
    last_taken_at: datetime | None
    held: tuple[Held, ...]
    bans_held: int

    @property
    def sent_by_kind(self) -> Mapping[str, int]:
        """Count what was sent by kind, in the order of their names."""
        kinds = sorted({each.kind for each in self.sent})
        return {
            kind: sum(each.mails for each in self.sent if each.kind == kind)
            for kind in kinds
        }


def mails(connection: sqlite3.Connection, *, since: datetime) -> MailFigures:
    """Count the mails, of those that were sent the ones since then."""
    due = connection.execute(_DUE).fetchone()
    return MailFigures(
        due=due["mails"],
        oldest_due_at=_time(due["oldest_at"]),
        dead=_dead(connection),
        newest_dead=_newest_dead(connection),
        sent=_sent(connection, since),
        last_taken_at=_last_taken_at(connection),
        held=filling.held(connection),
        bans_held=_bans_held(connection),
    )


def dead_digests(
    connection: sqlite3.Connection, *, limit: int
) -> tuple[OutboxRow, ...]:
    """Read the digests that were given up, the newest first."""
    rows = connection.execute(
        "SELECT * FROM outbox INDEXED BY outbox_dead "
        "WHERE state = 'dead' AND kind = 'digest' ORDER BY due_at DESC, id DESC "
        "LIMIT ?",
        (limit,),
    ).fetchall()
    return tuple(map(outbox.read_row, rows))


def floods_now(connection: sqlite3.Connection) -> tuple[FloodRow, ...]:
    """Read the floods that go on, the oldest first."""
    rows = connection.execute(
        "SELECT recipient FROM floods INDEXED BY floods_open WHERE ended_at IS NULL "
        "ORDER BY began_at, id"
    ).fetchall()
    found = (floods.ongoing(connection, row["recipient"]) for row in rows)
    return tuple(row for row in found if row is not None)


def last_digest_at(
    connection: sqlite3.Connection, period: DigestKind
) -> datetime | None:
    """Tell when a server last took a digest of some kind."""
    row = connection.execute(
        "SELECT outbox.sent_at FROM digests JOIN outbox ON outbox.id = outbox_id "
        "WHERE period = ? AND outbox.sent_at IS NOT NULL ORDER BY outbox_id DESC "
        "LIMIT 1",
        (period,),
    ).fetchone()
    return None if row is None else read_time(row["sent_at"])


def _bans_held(connection: sqlite3.Connection) -> int:
    found = connection.execute(
        "SELECT count(DISTINCT ban_id) FROM outbox INDEXED BY outbox_held "
        "WHERE state = 'held' AND kind = 'alert'"
    )
    count: int = found.fetchone()[0]
    return count


def _dead(connection: sqlite3.Connection) -> int:
    found = connection.execute(
        "SELECT count(*) FROM outbox INDEXED BY outbox_dead WHERE state = 'dead'"
    )
    count: int = found.fetchone()[0]
    return count


def _newest_dead(connection: sqlite3.Connection) -> OutboxRow | None:
    row = connection.execute(
        "SELECT * FROM outbox INDEXED BY outbox_dead WHERE state = 'dead' "
        "ORDER BY due_at DESC, id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else outbox.read_row(row)


def _sent(connection: sqlite3.Connection, since: datetime) -> tuple[Sent, ...]:
    rows = connection.execute(
        f"{_RECIPIENTS} SELECT outbox.recipient, kind, count(*) AS mails "
        "FROM each CROSS JOIN outbox INDEXED BY outbox_sent "
        "WHERE outbox.recipient = each.recipient AND sent_at >= ? "
        "GROUP BY outbox.recipient, kind ORDER BY outbox.recipient, kind",
        (time_text(since),),
    )
    return tuple(Sent(**dict(row)) for row in rows)


def _last_taken_at(connection: sqlite3.Connection) -> datetime | None:
    row = connection.execute(
        f"{_RECIPIENTS} SELECT max((SELECT max(sent_at) FROM outbox "
        "INDEXED BY outbox_sent WHERE recipient = each.recipient "
        "AND sent_at IS NOT NULL)) FROM each"
    ).fetchone()
    return _time(row[0])


def _time(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)
