"""What the store knows of one ban, for the mail about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.store import enrichments, history, reads

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.model import Ban, Enrichment, History, LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class BanFacts:
    """One ban with all that a mail tells of it."""

    ban: Ban
    enrichment: Enrichment | None
    lines: tuple[LogLine, ...]
    past: History


def of(connection: sqlite3.Connection, ban_id: str) -> BanFacts | None:
    """Read a ban by any id it was ever known by, all as it was at one moment."""
    connection.execute("SAVEPOINT facts")  # it keeps the counts from disagreeing
    try:
        return _facts(connection, ban_id)
    finally:
        connection.execute("RELEASE facts")


def _facts(connection: sqlite3.Connection, ban_id: str) -> BanFacts | None:
    row = connection.execute(
        "SELECT bans.* FROM ban_ids JOIN bans ON bans.id = ban_ids.ban_id "
        "WHERE ban_ids.id = ?",
        (ban_id,),
    ).fetchone()
    if row is None:
        return None
    ban = reads.read_ban(row)
    found = ban.enrichment_id
    return BanFacts(
        ban=ban,
        enrichment=None if found is None else enrichments.get(connection, found),
        lines=reads.lines(connection, ban.id),
        past=history.of(connection, ban),
    )
