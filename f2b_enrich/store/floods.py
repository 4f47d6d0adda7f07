"""The floods of bans that recipients had, and the mails that tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from f2b_enrich.alerts.floods import Flood
from f2b_enrich.model import read_time, time_text
from f2b_enrich.store import periods
from f2b_enrich.store.sorting import BRAKE

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.figures import Rush

About = Literal["began", "ended"]


BEFORE = timedelta(minutes=1)
"""How far around its beginning those are counted who came."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodRow:
    """A recipient's flood; the mails about it are from `sender`.

    `began_mail` and `ended_mail` tell of it; None is not told.
    """

    id: int
    recipient: str
    sender: str
    flood: Flood
    ended_at: datetime | None = None
    began_mail: int | None = None
    ended_mail: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodFacts:
    """What a mail tells of a flood.

    The mail that it began counts the `rush` from a minute before that, to a minute
    after it or to the mail; the one that it ended counts all of it. `digests` with bans
    for its recipient were sent since, `waiting` alerts are for the next.
    """

    row: FloodRow
    rush: Rush
    counted_over: timedelta
    digests: int
    waiting: int


def begin(
    connection: sqlite3.Connection, recipient: str, sender: str, flood: Flood
) -> FloodRow:
    """Write down that one begins."""
    row = connection.execute(
        "INSERT INTO floods (recipient, sender, began_at, held, window_at, "
        "held_in_window) VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
        (
            *(recipient, sender, time_text(flood.began_at), flood.held),
            *(time_text(flood.window_at), flood.held_in_window),
        ),
    ).fetchone()
    return _read(row)


def ongoing(connection: sqlite3.Connection, recipient: str) -> FloodRow | None:
    """Read the flood that a recipient has now."""
    row = connection.execute(
        "SELECT * FROM floods WHERE recipient = ? AND ended_at IS NULL", (recipient,)
    ).fetchone()
    return None if row is None else _read(row)


def to_judge(
    connection: sqlite3.Connection, *, since: datetime, now: datetime
) -> tuple[FloodRow, ...]:
    """Read the floods whose window began at a time or before it.

    One that begins after now was noted before the clock was set back.
    """
    rows = connection.execute(
        "SELECT * FROM floods INDEXED BY floods_open "
        "WHERE ended_at IS NULL AND (window_at <= ? OR window_at > ?) ORDER BY id",
        (time_text(since), time_text(now)),
    ).fetchall()
    return tuple(map(_read, rows))


def save(connection: sqlite3.Connection, row_id: int, flood: Flood) -> None:
    """Write down how a flood goes on."""
    connection.execute(
        "UPDATE floods SET held = ?, window_at = ?, held_in_window = ? WHERE id = ?",
        (flood.held, time_text(flood.window_at), flood.held_in_window, row_id),
    )


def end(connection: sqlite3.Connection, row_id: int, *, now: datetime) -> None:
    """Write down that a flood is over."""
    connection.execute(
        "UPDATE floods SET ended_at = ? WHERE id = ?", (time_text(now), row_id)
    )


def told(
    connection: sqlite3.Connection, row_id: int, *, about: About, mail: int
) -> None:
    """Tie the mail to a flood that tells of its beginning or its end."""
    connection.execute(
        f"UPDATE floods SET {about}_mail = ? WHERE id = ?", (mail, row_id)
    )


def of_mail(connection: sqlite3.Connection, mail: int) -> FloodRow | None:
    """Read the flood that a mail tells of."""
    row = connection.execute(
        "SELECT * FROM floods WHERE began_mail = ?1 OR ended_mail = ?1", (mail,)
    ).fetchone()
    return None if row is None else _read(row)


def facts(connection: sqlite3.Connection, mail: int) -> FloodFacts | None:
    """Read what a mail about a flood tells; None if it is about none."""
    row = of_mail(connection, mail)
    if row is None:
        return None
    since = row.flood.began_at - BEFORE
    if row.ended_mail == mail:
        until = max(row.ended_at or since, since)
    else:
        until = _told_until(connection, row, mail)
    return FloodFacts(
        row=row,
        # The ban that was the last to count may be of the second it ends with.
        rush=periods.rush(connection, since=since, until=until + _SECOND),
        counted_over=until - since,
        digests=_digests(connection, row),
        waiting=_waiting(connection, row.recipient),
    )


def _told_until(connection: sqlite3.Connection, row: FloodRow, mail: int) -> datetime:
    """Tell when the time ends that the mail knows of: it is sent as a flood begins.

    To divide by what is yet to come would halve the rate.
    """
    queued = connection.execute(
        "SELECT created_at FROM outbox WHERE id = ?", (mail,)
    ).fetchone()
    began_at = row.flood.began_at
    # A clock that was set back queued it before.
    return min(began_at + BEFORE, max(read_time(queued["created_at"]), began_at))


def _digests(connection: sqlite3.Connection, row: FloodRow) -> int:
    """Count the digests of floods with bans for a recipient that were sent since.

    All may go to one address: whose alerts are in them says whose they are.
    """
    found = connection.execute(
        "SELECT count(*) FROM digests CROSS JOIN outbox ON outbox.id = outbox_id "
        "WHERE period = 'flood' AND until_at >= ? AND outbox.state = 'sent' "
        "AND EXISTS (SELECT 1 FROM outbox AS alerts INDEXED BY outbox_folded "
        "WHERE alerts.folded_into = outbox_id AND alerts.recipient = ?)",
        (time_text(row.flood.began_at), row.recipient),
    ).fetchone()
    count: int = found[0]
    return count


def _waiting(connection: sqlite3.Connection, recipient: str) -> int:
    row = connection.execute(
        "SELECT count(*) FROM outbox INDEXED BY outbox_held WHERE state = 'held' "
        "AND kind = 'alert' AND recipient = ? AND about = ?",
        (recipient, BRAKE),
    ).fetchone()
    found: int = row[0]
    return found


def _read(row: sqlite3.Row) -> FloodRow:
    ended_at = row["ended_at"]
    return FloodRow(
        id=row["id"],
        recipient=row["recipient"],
        sender=row["sender"],
        flood=Flood(
            began_at=read_time(row["began_at"]),
            held=row["held"],
            window_at=read_time(row["window_at"]),
            held_in_window=row["held_in_window"],
        ),
        ended_at=None if ended_at is None else read_time(ended_at),
        began_mail=row["began_mail"],
        ended_mail=row["ended_mail"],
    )
