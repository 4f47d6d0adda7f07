"""What the store knows of one ban, for the mail about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.store import campaigns, classes, enrichments, history, reads

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.attacks import Attack
    from f2b_enrich.model import (
        Ban,
        Campaign,
        Enrichment,
        History,
        LogLine,
        Observed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BanFacts:
    """One ban with all that a mail tells of it.

    `attacks` are empty until it was classed. `repeated` is the ban that it repeats.
    """

    ban: Ban
    enrichment: Enrichment | None
    lines: tuple[LogLine, ...]
    past: History
    attacks: tuple[Attack, ...] = ()
    observed: tuple[Observed, ...] = ()
    repeated: Ban | None = None
    campaigns: tuple[Campaign, ...] = ()


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
    known = None if found is None else enrichments.get(connection, found)
    return BanFacts(
        ban=ban,
        enrichment=known,
        lines=reads.lines(connection, ban.id),
        past=history.of(connection, ban),
        attacks=classes.attacks(connection, ban.id),
        observed=classes.observed(connection, ban.id),
        repeated=_repeated(connection, ban),
        campaigns=campaigns.of(
            connection,
            ip=ban.ip,
            subnet=ban.subnet,
            asn=None if known is None else known.asn,
            at=ban.banned_at,
        ),
    )


def _repeated(connection: sqlite3.Connection, ban: Ban) -> Ban | None:
    row = connection.execute(
        "SELECT bans.* FROM ban_log JOIN bans ON bans.id = ban_log.repeat_of "
        "WHERE ban_log.id = ?",
        (ban.id,),
    ).fetchone()
    return None if row is None else reads.read_ban(row)
