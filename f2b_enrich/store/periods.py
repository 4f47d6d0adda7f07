"""What was in a period: who came, against what, and what became of the alerts.

Every figure is one pass over the bans of the period, or over an index of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from f2b_enrich.figures import (
    Count,
    NameCount,
    NetworkCount,
    Rush,
    ServiceCount,
    SourceCount,
)
from f2b_enrich.model import time_text
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

MOST_SOURCES = 10
MOST_NETWORKS = 5
MOST_NAMES = 12
MOST_JAILS = 5

IN = "bans.banned_at >= :since AND bans.banned_at < :until"
REAL = f"{IN} AND bans.{IS_REAL}"
_SERVICE = "ifnull(jails.service, 'other')"
_WITH_SERVICE = "LEFT JOIN jails ON jails.jail = bans.jail"

_SOURCE = "iif(bans.ip_version = 6, ifnull(bans.subnet, bans.ip), bans.ip)"
"""Whoever has one address of IPv6 has its /64."""

_COUNTS = (
    "count(*) AS bans, count(DISTINCT bans.ip) AS addresses, "
    "ifnull(sum(bans.failures), 0) AS failures"
)


def span(since: datetime, until: datetime) -> dict[str, str]:
    """Give the parameters that all queries here take."""
    return {"since": time_text(since), "until": time_text(until)}


def count(connection: sqlite3.Connection, within: dict[str, str]) -> Count:
    """Count bans, addresses and failures."""
    return _count(
        connection.execute(f"SELECT {_COUNTS} FROM bans WHERE {REAL}", within)
    )


def _count(rows: sqlite3.Cursor) -> Count:
    row = rows.fetchone()
    return Count(bans=row["bans"], addresses=row["addresses"], failures=row["failures"])


def repeats(
    connection: sqlite3.Connection, within: dict[str, str]
) -> tuple[NameCount, ...]:
    """Count, by jail, the bans that only repeat others."""
    rows = connection.execute(
        f"SELECT jail, count(*) AS bans FROM bans WHERE {IN} AND NOT ({IS_REAL}) "
        "GROUP BY jail ORDER BY 2 DESC, 1",
        within,
    )
    return tuple(NameCount(name=row["jail"], count=row["bans"]) for row in rows)


def hosts(connection: sqlite3.Connection, within: dict[str, str]) -> tuple[str, ...]:
    """Name the hosts that had bans."""
    rows = connection.execute(
        f"SELECT DISTINCT host FROM bans WHERE {REAL} ORDER BY 1", within
    )
    return tuple(row["host"] for row in rows)


def services(
    connection: sqlite3.Connection, within: dict[str, str]
) -> tuple[ServiceCount, ...]:
    """Count by what the jails guard, the most bans first."""
    most: dict[str, tuple[str, int]] = {}
    for row in connection.execute(
        f"SELECT {_SERVICE} AS service, host, count(*) AS bans "
        f"FROM bans {_WITH_SERVICE} WHERE {REAL} GROUP BY 1, 2 ORDER BY 3 DESC, 2",
        within,
    ):
        most.setdefault(row["service"], (row["host"], row["bans"]))
    rows = connection.execute(
        f"SELECT {_SERVICE} AS service, {_COUNTS} FROM bans {_WITH_SERVICE} "
        f"WHERE {REAL} GROUP BY 1 ORDER BY 2 DESC, 1",
        within,
    )
    return tuple(
        ServiceCount(
            service=row["service"],
            count=Count(
                bans=row["bans"], addresses=row["addresses"], failures=row["failures"]
            ),
            most_hit=most[row["service"]][0],
            most_hit_bans=most[row["service"]][1],
        )
        for row in rows
    )


def in_several(connection: sqlite3.Connection, within: dict[str, str]) -> int:
    """Count the addresses that were banned for more than one service."""
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM bans {_WITH_SERVICE} WHERE {REAL} "
        f"GROUP BY bans.ip HAVING min({_SERVICE}) != max({_SERVICE}))",
        within,
    ).fetchone()
    found: int = row[0]
    return found


def sources(
    connection: sqlite3.Connection, within: dict[str, str]
) -> tuple[tuple[SourceCount, ...], int]:
    """Count by address, of IPv6 by /64: the busiest, and how many there are at all."""
    rows = connection.execute(
        f"SELECT {_SOURCE} AS name, {_COUNTS}, count(DISTINCT bans.host) AS hosts, "
        "max(enrichment_id) AS enrichment_id, count(*) OVER () AS sources "
        f"FROM bans WHERE {REAL} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_SOURCES}",
        within,
    ).fetchall()
    jails = _jails(connection, within, [row["name"] for row in rows])
    found = tuple(
        SourceCount(
            name=row["name"],
            bans=row["bans"],
            addresses=row["addresses"],
            hosts=row["hosts"],
            jails=tuple(jails[row["name"]]),
            **_network_of(connection, row["enrichment_id"]),
        )
        for row in rows
    )
    return found, rows[0]["sources"] if rows else 0


def _jails(
    connection: sqlite3.Connection, within: dict[str, str], names: list[str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in connection.execute(
        f"SELECT {_SOURCE} AS name, jail, count(*) FROM bans WHERE {REAL} "
        "AND name IN (SELECT value FROM json_each(:names)) "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 2",
        {**within, "names": json.dumps(names)},
    ):
        found.setdefault(row["name"], []).append(row["jail"])
    return found


def _network_of(
    connection: sqlite3.Connection, enrichment_id: int | None
) -> dict[str, Any]:
    row = connection.execute(
        "SELECT country_code, asn, as_name FROM enrichments WHERE id = ?",
        (enrichment_id,),
    ).fetchone()
    return dict(row) if row else dict.fromkeys(("country_code", "asn", "as_name"))


def networks(
    connection: sqlite3.Connection, within: dict[str, str], *, by: str = "addresses"
) -> tuple[tuple[NetworkCount, ...], int]:
    """Count by AS number: those of the most addresses (or `bans`), and how many."""
    rows = connection.execute(
        "SELECT e.asn AS asn, max(e.as_name) AS as_name, max(e.scanner) AS scanner, "
        f"{_COUNTS}, count(*) OVER () AS networks "
        "FROM bans JOIN enrichments AS e ON e.id = bans.enrichment_id "
        f"WHERE {REAL} AND e.asn IS NOT NULL GROUP BY e.asn "
        f"ORDER BY {'bans' if by == 'bans' else 'addresses'} DESC, 1 "
        f"LIMIT {MOST_NETWORKS}",
        within,
    ).fetchall()
    found = tuple(
        NetworkCount(
            asn=row["asn"],
            as_name=row["as_name"],
            scanner=row["scanner"],
            addresses=row["addresses"],
            bans=row["bans"],
        )
        for row in rows
    )
    return found, rows[0]["networks"] if rows else 0


def unplaced(connection: sqlite3.Connection, within: dict[str, str]) -> Count:
    """Count what came from no known network."""
    return _count(
        connection.execute(
            f"SELECT {_COUNTS} FROM bans "
            "LEFT JOIN enrichments AS e ON e.id = bans.enrichment_id "
            f"WHERE {REAL} AND e.asn IS NULL",
            within,
        )
    )


def names(
    connection: sqlite3.Connection, within: dict[str, str]
) -> tuple[NameCount, ...]:
    """Count the user names that two addresses tried at least, by their addresses.

    What one address alone tried may be a password that its owner typed there.
    """
    rows = connection.execute(
        "SELECT value, count(DISTINCT bans.ip) AS addresses FROM bans "
        "CROSS JOIN observed ON ban_id = bans.id AND kind = 'username' "
        f"WHERE {REAL} GROUP BY value HAVING min(bans.ip) != max(bans.ip) "
        f"ORDER BY 2 DESC, 1 LIMIT {MOST_NAMES}",
        within,
    )
    return tuple(NameCount(name=row["value"], count=row["addresses"]) for row in rows)


def rush(connection: sqlite3.Connection, *, since: datetime, until: datetime) -> Rush:
    """Count who came in a short while, for the mail that says that a flood began."""
    within = span(since, until)
    jails = connection.execute(
        f"SELECT jail, count(*) AS bans FROM bans WHERE {REAL} "
        f"GROUP BY jail ORDER BY 2 DESC, 1 LIMIT {MOST_JAILS}",
        within,
    )
    busiest, _ = networks(connection, within, by="bans")
    return Rush(
        count=count(connection, within),
        jails=tuple(NameCount(name=row["jail"], count=row["bans"]) for row in jails),
        networks=busiest,
        unplaced=unplaced(connection, within).bans,
    )
