"""What `status` counts: mails, look-ups, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import OutboxState, read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

_NOT_ASKED = "iif(json_valid(raw), json_extract(raw, '$.\"not looked up\"'), NULL)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFigures:
    """What became of mails, by state: of those queued since some time, and of all.

    `oldest_due_at` is when the oldest that is still to go was queued.
    """

    recent: Mapping[str, int]
    sent_recently: int
    last_taken_at: datetime | None
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpFigures:
    """How often sources were asked about an address in some time, and for what.

    `incomplete` of them lack a source that gave no answer. Of the `served` bans that
    have a look-up, `from_store` got one that was there before them.
    """

    look_ups: int
    incomplete: int
    served: int
    from_store: int


def mails(connection: sqlite3.Connection, *, since: datetime) -> MailFigures:
    """Count mails queued since then, and see when a server last took one."""
    recent = connection.execute(
        "SELECT state, count(*) FROM outbox WHERE created_at >= ? GROUP BY state",
        (time_text(since),),
    )
    sent, last = connection.execute(
        "SELECT count(iif(sent_at >= ?, 1, NULL)), max(sent_at) FROM outbox "
        "WHERE state = ?",
        (time_text(since), OutboxState.SENT.value),
    ).fetchone()
    (oldest,) = connection.execute(
        "SELECT min(created_at) FROM outbox WHERE state IN ('due', 'sending')"
    ).fetchone()
    return MailFigures(
        recent={row[0]: row[1] for row in recent},
        sent_recently=sent,
        last_taken_at=_time(last),
        oldest_due_at=_time(oldest),
    )


def look_ups(
    connection: sqlite3.Connection, *, since: datetime, until: datetime
) -> LookUpFigures:
    """Count what sources were asked in that time, its end too, and the bans served."""
    between = (time_text(since), time_text(until))
    asked, complete = connection.execute(
        "SELECT count(*), ifnull(sum(complete), 0) FROM enrichments "
        f"WHERE looked_up_at BETWEEN ? AND ? AND {_NOT_ASKED} IS NULL",
        between,
    ).fetchone()
    served, from_store = connection.execute(
        "SELECT count(*), ifnull(sum(e.looked_up_at < bans.received_at), 0) "
        "FROM bans JOIN enrichments AS e ON e.id = bans.enrichment_id "
        f"WHERE bans.banned_at BETWEEN ? AND ? AND {_NOT_ASKED} IS NULL",
        between,
    ).fetchone()
    return LookUpFigures(
        look_ups=asked,
        incomplete=asked - complete,
        served=served,
        from_store=from_store,
    )


def bans_waiting(connection: sqlite3.Connection, *, since: datetime) -> int:
    """Count the bans received since then that have no look-up yet."""
    found = connection.execute(
        "SELECT count(*) FROM bans INDEXED BY bans_not_enriched "
        "WHERE enrichment_id IS NULL AND received_at >= ?",
        (time_text(since),),
    )
    count: int = found.fetchone()[0]
    return count


def hosts(connection: sqlite3.Connection) -> int:
    """Count the hosts that bans came from."""
    count: int = connection.execute("SELECT count(*) FROM hosts").fetchone()[0]
    return count


def _time(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)
