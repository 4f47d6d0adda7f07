"""What a digest speaks of: the bans folded into it, and the figures of its period."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from f2b_enrich.figures import AskedLine, FoldedBan, Period, PeriodFigures, Refusal
from f2b_enrich.model import read_time, time_text
from f2b_enrich.store import bounces, campaigns, figures, outbox, periods, reads

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from f2b_enrich.figures import Count, Fate
    from f2b_enrich.model import Campaign

MOST_BANS = 50_000
"""Bans that one digest should speak of; it holds them all in memory."""

MOST_WALKS = 5
MOST_ASKED = 500
_LONGEST_LINE = 4096
MOST_REFUSALS = 3

# Rows that a digest speaks of through another one are its own, too. UNION, for a circle
# of rows must not be gone round for ever.
FOLDED = """
    WITH RECURSIVE folded (id, ban_id, recipient) AS (
        SELECT id, ban_id, recipient FROM outbox WHERE folded_into = :row
        UNION
        SELECT outbox.id, outbox.ban_id, outbox.recipient
        FROM folded JOIN outbox ON outbox.folded_into = folded.id
    )
"""

_BANS = f"""
    {FOLDED}
    SELECT bans.id, bans.host, bans.jail, bans.ip, bans.banned_at, bans.received_at,
    bans.bantime_seconds, bans.failures, bans.attack,
    ifnull(jails.service, 'other') AS service,
    ifnull(jails.attack = 'repeat-offender', 0) AS is_repeat,
    e.country_code, e.asn, e.as_name, e.hostname, e.hostname_confirmed
    FROM (SELECT DISTINCT ban_id FROM folded WHERE ban_id IS NOT NULL) AS each
    CROSS JOIN bans ON bans.id = each.ban_id
    LEFT JOIN enrichments AS e ON e.id = bans.enrichment_id
    LEFT JOIN jails ON jails.jail = bans.jail
    ORDER BY bans.banned_at, bans.id
"""

# An alert ends where what it was folded into ends; of several recipients that one
# counts whose alert is here.
_FATES = f"""
    SELECT ifnull(fate, 'none') AS fate, count(*) AS bans FROM (
        SELECT (
            SELECT CASE
                WHEN last_kind = 'digest' THEN iif(last_id = :row, 'here', 'elsewhere')
                WHEN last_state = 'sent' THEN 'mailed'
                WHEN last_state IN ('skipped', 'dead') THEN last_state
                ELSE 'waiting' END
            FROM (
                SELECT one.id, ifnull(third.id, ifnull(other.id, one.id)) AS last_id,
                ifnull(third.kind, ifnull(other.kind, one.kind)) AS last_kind,
                ifnull(third.state, ifnull(other.state, one.state)) AS last_state
                FROM outbox AS one
                LEFT JOIN outbox AS other ON other.id = one.folded_into
                LEFT JOIN outbox AS third ON third.id = other.folded_into
                WHERE one.ban_id = bans.id AND one.kind = 'alert'
                AND one.recipient IN (SELECT value FROM json_each(:recipients))
            ) ORDER BY last_id = :row DESC, id LIMIT 1
        ) AS fate
        FROM bans WHERE {periods.REAL}
    ) GROUP BY fate
"""

# What a server answered, and to which request, only the line's own form tells.
_ASKED = f"""
    SELECT bans.host, bans.jail, bans.ip, substr(line, 1, {_LONGEST_LINE}) AS line
    FROM bans CROSS JOIN log_lines ON log_lines.ban_id = bans.id
    WHERE {periods.REAL} AND EXISTS (
        SELECT 1 FROM ban_attacks WHERE ban_id = bans.id AND cves IS NOT NULL
    ) AND instr(line, '" 200 ') ORDER BY bans.banned_at, log_lines.id
    LIMIT {MOST_ASKED}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """What one digest tells: all of its bans in their order, the figures, who walks.

    The lines `asked` may show that a server gave what a known hole opens.
    """

    period: Period
    bans: tuple[FoldedBan, ...]
    figures: PeriodFigures
    campaigns: tuple[Campaign, ...]
    asked: tuple[AskedLine, ...]


def note_period(connection: sqlite3.Connection, row_id: int, period: Period) -> None:
    """Keep what time a digest is about, so that every attempt tells the same."""
    before = None if period.before is None else time_text(period.before)
    queued = connection.execute(
        "SELECT recipient, created_at FROM outbox WHERE id = ?", (row_id,)
    ).fetchone()
    now = read_time(queued["created_at"])
    since = bounces_since(connection, queued["recipient"], period, now=now)
    connection.execute(
        "INSERT INTO digests (outbox_id, period, since_at, until_at, before_at, "
        "bounces_since_at, bounces_until_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(row_id, period.kind),
            *(time_text(period.since), time_text(period.until), before),
            *(time_text(since), time_text(now)),
        ),
    )


def bounces_since(
    connection: sqlite3.Connection, recipient: str, period: Period, *, now: datetime
) -> datetime:
    """Tell since when a recipient has not been told of bounces.

    That is the digest before, of whatever kind, or else as long as the period is. What
    that one noted after now, it noted before the clock was set back.
    """
    row = connection.execute(
        "SELECT bounces_until_at FROM digests CROSS JOIN outbox ON id = outbox_id "
        "WHERE recipient = ? ORDER BY outbox_id DESC LIMIT 1",
        (recipient,),
    ).fetchone()
    told_until = None if row is None else read_time(row["bounces_until_at"])
    if told_until is None or told_until > now:
        return now - (period.until - period.since)
    return told_until


def came_back(
    connection: sqlite3.Connection, row_id: int
) -> tuple[bounces.CameBack, ...]:
    """Read whose mails came back in the time that a digest is to tell of."""
    row = connection.execute(
        "SELECT bounces_since_at, bounces_until_at FROM digests WHERE outbox_id = ?",
        (row_id,),
    ).fetchone()
    if row is None:
        return ()
    since, until = map(read_time, (row["bounces_since_at"], row["bounces_until_at"]))
    return bounces.by_recipient(connection, since=since, until=until)


def of(connection: sqlite3.Connection, row_id: int) -> DigestFacts | None:
    """Read what a digest's row speaks of, all as it was at one moment.

    None if there is no such digest.
    """
    connection.execute("SAVEPOINT digest")  # it keeps the counts from disagreeing
    try:
        period = _period(connection, row_id)
        return None if period is None else _facts(connection, row_id, period)
    finally:
        connection.execute("RELEASE digest")


def _period(connection: sqlite3.Connection, row_id: int) -> Period | None:
    row = connection.execute(
        "SELECT period, since_at, until_at, before_at FROM digests WHERE outbox_id = ?",
        (row_id,),
    ).fetchone()
    return None if row is None else read_period(row)


def read_period(row: sqlite3.Row) -> Period:
    """Turn a row of the table into a value."""
    before = row["before_at"]
    return Period(
        kind=row["period"],
        since=read_time(row["since_at"]),
        until=read_time(row["until_at"]),
        before=None if before is None else read_time(before),
    )


def _facts(connection: sqlite3.Connection, row_id: int, period: Period) -> DigestFacts:
    within = periods.span(period.since, period.until)
    walks = connection.execute(
        "SELECT * FROM campaigns WHERE last_at >= :since AND last_at < :until "
        f"ORDER BY names DESC, id LIMIT {MOST_WALKS}",
        within,
    )
    return DigestFacts(
        period=period,
        bans=folded(connection, row_id),
        figures=_figures(connection, row_id, period),
        campaigns=tuple(map(campaigns.read, walks)),
        asked=tuple(
            AskedLine(**dict(row)) for row in connection.execute(_ASKED, within)
        ),
    )


def folded(connection: sqlite3.Connection, row_id: int) -> tuple[FoldedBan, ...]:
    """Read the bans that a digest speaks of, each once, the oldest first."""
    return tuple(map(_folded_ban, connection.execute(_BANS, {"row": row_id})))


def _folded_ban(row: sqlite3.Row) -> FoldedBan:
    confirmed = row["hostname_confirmed"]
    return FoldedBan(
        id=row["id"],
        host=row["host"],
        jail=row["jail"],
        service=row["service"],
        ip=row["ip"],
        banned_at=read_time(row["banned_at"]),
        received_at=read_time(row["received_at"]),
        bantime_seconds=row["bantime_seconds"],
        failures=row["failures"],
        attack=row["attack"],
        is_repeat=bool(row["is_repeat"]),
        country_code=row["country_code"],
        asn=row["asn"],
        as_name=row["as_name"],
        hostname=row["hostname"],
        hostname_confirmed=None if confirmed is None else bool(confirmed),
    )


def _figures(
    connection: sqlite3.Connection, row_id: int, period: Period
) -> PeriodFigures:
    within = periods.span(period.since, period.until)
    services = periods.services(connection, within)
    sources, all_sources = periods.sources(connection, within)
    networks, all_networks = periods.networks(connection, within)
    asked = figures.look_ups(
        connection,
        since=period.since,
        # Its end counts there, and times are whole seconds.
        until=period.until - timedelta(seconds=1),
    )
    return PeriodFigures(
        count=periods.count(connection, within),
        before=_before(connection, period),
        records_since=reads.oldest_ban_at(connection),
        repeats=periods.repeats(connection, within),
        hosts=periods.hosts(connection, within),
        known_hosts=figures.hosts(connection),
        fates=_fates(connection, row_id, within),
        services=services,
        in_services=sum(each.count.addresses for each in services),
        in_several=periods.in_several(connection, within),
        sources=sources,
        all_sources=all_sources,
        networks=networks,
        all_networks=all_networks,
        unplaced=periods.unplaced(connection, within).addresses,
        names=periods.names(connection, within),
        mails_due=_mails_due(connection, row_id),
        **_refused(connection, within),
        look_ups=asked.look_ups,
        incomplete=asked.incomplete,
    )


def _before(connection: sqlite3.Connection, period: Period) -> Count | None:
    if period.before is None:
        return None
    return periods.count(connection, periods.span(period.before, period.since))


def _fates(
    connection: sqlite3.Connection, row_id: int, within: dict[str, str]
) -> Mapping[Fate, int]:
    recipients = connection.execute(
        f"{FOLDED} SELECT recipient FROM folded "
        "UNION SELECT recipient FROM outbox WHERE id = :row",
        {"row": row_id},
    )
    values = {
        **within,
        "row": row_id,
        "recipients": json.dumps([row["recipient"] for row in recipients]),
    }
    return {row["fate"]: row["bans"] for row in connection.execute(_FATES, values)}


def _mails_due(connection: sqlite3.Connection, row_id: int) -> int:
    """Count the other mails that are to go, each by the index that it stands in."""
    row = connection.execute(
        "SELECT count(*) FROM ("
        f"SELECT id FROM outbox INDEXED BY outbox_unsorted WHERE {outbox.UNSORTED} "
        "UNION ALL "
        f"SELECT id FROM outbox INDEXED BY outbox_due WHERE {outbox.RELEASED} "
        "UNION ALL "
        "SELECT id FROM outbox INDEXED BY outbox_sending WHERE state = 'sending'"
        ") WHERE id != ?",
        (row_id,),
    ).fetchone()
    due: int = row[0]
    return due


def _refused(connection: sqlite3.Connection, within: dict[str, str]) -> dict[str, Any]:
    """Count the mails given up in the period; a row keeps when that was as due."""
    rows = connection.execute(
        "SELECT recipient, last_error, max(due_at), count(*) AS mails, "
        "sum(count(*)) OVER () AS all_mails FROM outbox "
        "WHERE state = 'dead' AND due_at >= :since AND due_at < :until "
        f"GROUP BY recipient ORDER BY 4 DESC, 1 LIMIT {MOST_REFUSALS}",
        within,
    ).fetchall()
    found = tuple(
        Refusal(
            recipient=row["recipient"],
            mails=row["mails"],
            reason=row["last_error"] or "",
        )
        for row in rows
    )
    return {"refused": found, "mails_refused": rows[0]["all_mails"] if rows else 0}
