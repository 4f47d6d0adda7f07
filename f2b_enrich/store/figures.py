"""What `status` counts: look-ups, services, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import time_text
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

_NOT_ASKED = "iif(json_valid(raw), json_extract(raw, '$.\"not looked up\"'), NULL)"

MOST_OLDER = 10_000
"""Bans of older rules that are counted: `status` is not to read all bans for it."""


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


def look_ups(
    connection: sqlite3.Connection, *, since: datetime, until: datetime
) -> LookUpFigures:
    """Count what sources were asked in that time, its end too, and the bans served."""
    between = (time_text(since), time_text(until))
    asked, complete = connection.execute(
        "SELECT count(*), ifnull(sum(complete), 0) FROM enrichments "
        f"WHERE looked_up_at BETWEEN ? AND ? AND NOT local_only "
        f"AND {_NOT_ASKED} IS NULL",
        between,
    ).fetchone()
    served, from_store = connection.execute(
        "SELECT count(*), ifnull(sum(e.looked_up_at < bans.received_at), 0) "
        "FROM bans JOIN enrichments AS e ON e.id = bans.enrichment_id "
        f"WHERE bans.banned_at BETWEEN ? AND ? AND {_NOT_ASKED} IS NULL "
        f"AND NOT local_only AND bans.{IS_REAL}",
        between,
    ).fetchone()
    return LookUpFigures(
        look_ups=asked,
        incomplete=asked - complete,
        served=served,
        from_store=from_store,
    )


def bans_waiting(connection: sqlite3.Connection, *, since: datetime) -> int:
    """Count the live bans received since then that have no look-up yet."""
    found = connection.execute(
        "SELECT count(*) FROM bans INDEXED BY bans_not_enriched "
        "WHERE enrichment_id IS NULL AND look_up = 'full' "
        f"AND received_at >= ? AND {IS_REAL}",
        (time_text(since),),
    )
    count: int = found.fetchone()[0]
    return count


def services(
    connection: sqlite3.Connection, *, since: datetime, until: datetime
) -> Mapping[str, int]:
    """Count the bans of that time by what their jails guard, the most first."""
    rows = connection.execute(
        "SELECT ifnull(service, 'other') AS service, sum(of_jail.bans) AS bans FROM ("
        "SELECT jail, count(*) AS bans FROM bans "
        f"WHERE banned_at >= ? AND banned_at < ? AND {IS_REAL} GROUP BY jail"
        ") AS of_jail LEFT JOIN jails ON jails.jail = of_jail.jail "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
        (time_text(since), time_text(until)),
    )
    return {row["service"]: row["bans"] for row in rows}


def bans_not_classed(connection: sqlite3.Connection) -> int:
    """Count the bans whose lines nobody has read yet."""
    found = connection.execute(
        "SELECT count(*) FROM bans INDEXED BY bans_not_classed WHERE rule_set IS NULL"
    )
    count: int = found.fetchone()[0]
    return count


def bans_of_older_rules(connection: sqlite3.Connection) -> int:
    """Count the bans classed by other rules than today's; `MOST_OLDER` and no more.

    They are looked for only where there ever were other rules.
    """
    sets = connection.execute(
        "SELECT id FROM rule_sets ORDER BY used_at DESC, id DESC LIMIT 2"
    ).fetchall()
    if len(sets) < 2:
        return 0
    found = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM bans WHERE rule_set != ? LIMIT ?)",
        (sets[0]["id"], MOST_OLDER),
    )
    count: int = found.fetchone()[0]
    return count


def hosts(connection: sqlite3.Connection) -> int:
    """Count the hosts that bans came from."""
    count: int = connection.execute("SELECT count(*) FROM hosts").fetchone()[0]
    return count
