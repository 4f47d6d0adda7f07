"""Campaigns: who may be walking through user names, what was found, who goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from f2b_enrich.model import Campaign, days_after, read_time, time_text
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

T = TypeVar("T")

DAYS = 30
"""How far back a walk is looked for, and how long after its last ban it goes on."""

MOST_BANS = 500_000
"""The newest bans that are looked at; of more, the older ones are left out."""

MOST_CANDIDATES = 1000
"""Of each scope; those of the most names come first."""

MOST_TRIES = 10_000
"""The newest tries of one address, subnet or network that are read."""

_COLUMNS = tuple(field.name for field in fields(Campaign))

_SCOPES = MappingProxyType(
    {
        "address": {"who": "bans.ip", "part": "bans.ip", "join": ""},
        "subnet": {"who": "bans.subnet", "part": "bans.ip", "join": ""},
        "network": {
            "who": "'AS' || e.asn",
            "part": "ifnull(bans.subnet, bans.ip)",
            "join": "JOIN enrichments AS e ON e.id = bans.enrichment_id",
        },
    }
)
"""What each scope is in SQL, what it is made of, and where that stands."""

_SEEN = f"bans.banned_at BETWEEN :since AND :until AND bans.{IS_REAL}"

_TRIES = """
    FROM bans {join} CROSS JOIN observed ON ban_id = bans.id AND kind = 'username'
"""

# The first pass reads no names: most of those who were banned never come into question.
_CANDIDATES = f"""
    WITH busy AS MATERIALIZED (
        SELECT {{who}} AS who FROM bans {{join}} WHERE {_SEEN} AND {{who}} IS NOT NULL
        GROUP BY 1 HAVING count(*) >= :bans
        AND (:split = 0 OR min({{part}}) != max({{part}}))
    ),
    tried AS (
        SELECT {{who}} AS who, count(*) AS bans, min({{part}}) = max({{part}}) AS alone
        {_TRIES} WHERE {_SEEN} AND {{who}} IN (SELECT who FROM busy) GROUP BY 1, value
    )
    SELECT who, min(sum(bans), {MOST_TRIES}) AS tries FROM tried GROUP BY who
    HAVING sum(bans <= :few) >= :names
    AND sum(iif(bans <= :few, bans, 0)) >= :mostly * sum(bans)
    AND sum(alone) >= :split * count(*)
    ORDER BY count(*) DESC, who LIMIT {MOST_CANDIDATES}
"""

_TRIES_OF = f"""
    SELECT * FROM (
        SELECT {{who}} AS who, value, banned_at, ban_id, bans.ip AS ip,
        row_number() OVER (PARTITION BY {{who}} ORDER BY banned_at DESC) AS nth
        {_TRIES} WHERE {_SEEN}
        AND {{who}} IN (SELECT json_each.value FROM json_each(:whose))
    )
    WHERE nth <= {MOST_TRIES} ORDER BY who
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What must show of whoever is a candidate, or no rule would find a walk.

    So many `names` in `few` bans each, which have the share `mostly` of all tries, over
    at least so many `bans`. The share `split` of all names, unless it is 0, is tried by
    one part of it only, and there are at least two.
    """

    bans: int
    names: int
    few: int
    mostly: float
    split: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address, subnet or network (`AS64500`), and how many tries of it are read."""

    who: str
    tries: int


def begins(
    connection: sqlite3.Connection, *, until: datetime, most: int = MOST_BANS
) -> datetime:
    """Tell since when bans are looked at: 30 days, or less where there are too many."""
    since = days_after(until, -DAYS)
    row = connection.execute(
        "SELECT banned_at FROM bans WHERE banned_at BETWEEN ? AND ? "
        "ORDER BY banned_at DESC LIMIT 1 OFFSET ?",
        (time_text(since), time_text(until), most - 1),
    ).fetchone()
    return since if row is None else read_time(row["banned_at"])


def candidates(
    connection: sqlite3.Connection,
    scope: str,
    signs: Signs,
    *,
    since: datetime,
    until: datetime,
) -> tuple[Candidate, ...]:
    """List who may walk through user names, those of the most names first.

    Half a minute for 500,000 bans of five names each, in which SQLite holds nobody up.
    """
    rows = connection.execute(
        _CANDIDATES.format(**_SCOPES[scope]),
        {
            **_between(since, until),
            "bans": signs.bans,
            "names": signs.names,
            "few": signs.few,
            "mostly": signs.mostly,
            "split": signs.split,
        },
    )
    return tuple(Candidate(who=row["who"], tries=row["tries"]) for row in rows)


def tries(
    connection: sqlite3.Connection,
    scope: str,
    whose: Collection[str],
    make: Callable[[str, datetime, str, str], T],
    *,
    since: datetime,
    until: datetime,
) -> Iterator[tuple[str, tuple[T, ...]]]:
    """Read the tries of each of them, made of name, time and id of the ban, address."""
    rows = connection.execute(
        _TRIES_OF.format(**_SCOPES[scope]),
        {**_between(since, until), "whose": json.dumps(list(whose))},
    )
    for who, group in groupby(rows, key=lambda row: str(row["who"])):
        yield (
            who,
            tuple(
                make(
                    row["value"], read_time(row["banned_at"]), row["ban_id"], row["ip"]
                )
                for row in group
            ),
        )


def _between(since: datetime, until: datetime) -> dict[str, object]:
    return {"since": time_text(since), "until": time_text(until)}


def save(connection: sqlite3.Connection, found: Campaign, *, now: datetime) -> None:
    """Write a campaign, or let the one go on that it is the rest of.

    The counts of one that goes on for longer are those of its busiest 30 days.
    """
    known = connection.execute(
        "SELECT * FROM campaigns WHERE kind = ? AND scope = ? AND who = ? "
        "AND last_at >= ? AND first_at <= ? ORDER BY last_at DESC LIMIT 1",
        (
            *(found.kind, found.scope, found.who),
            time_text(days_after(found.first_at, -DAYS)),
            time_text(days_after(found.last_at, DAYS)),
        ),
    ).fetchone()
    row = {**_row(found), "noted_at": time_text(now)}
    if known is None:
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(
            f"INSERT INTO campaigns ({', '.join(row)}) VALUES ({marks})", row
        )
        return
    connection.execute(
        "UPDATE campaigns SET "
        "first_name = iif(first_at <= :first_at, first_name, :first_name), "
        "last_name = iif(last_at > :last_at, last_name, :last_name), "
        "first_at = min(first_at, :first_at), last_at = max(last_at, :last_at), "
        "bans = max(bans, :bans), addresses = max(addresses, :addresses), "
        "names = max(names, :names), in_order = :in_order, noted_at = :noted_at "
        "WHERE id = :id",
        {**row, "id": known["id"]},
    )


def of(
    connection: sqlite3.Connection,
    *,
    ip: str,
    subnet: str | None,
    asn: int | None,
    at: datetime,
) -> tuple[Campaign, ...]:
    """Find the campaigns that an address is part of, itself first, its network last.

    Those that were going on at most 30 days before `at`.
    """
    found = {
        "address": ip,
        "subnet": subnet,
        "network": None if asn is None else f"AS{asn}",
    }
    campaigns: list[Campaign] = []
    for scope, who in found.items():
        rows = connection.execute(
            "SELECT * FROM campaigns WHERE who = ? AND last_at >= ? AND scope = ? "
            "AND first_at <= ? ORDER BY last_at DESC",
            (who, time_text(days_after(at, -DAYS)), scope, time_text(at)),
        )
        campaigns.extend(read(row) for row in rows)
    return tuple(campaigns)


def _row(found: Campaign) -> dict[str, Any]:
    values = {name: getattr(found, name) for name in _COLUMNS}
    times = {name: time_text(values[name]) for name in ("first_at", "last_at")}
    return {**values, **times}


def read(row: sqlite3.Row) -> Campaign:
    """Turn a row of the table into a value."""
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    times = {name: read_time(row[name]) for name in ("first_at", "last_at")}
    return Campaign(**values | times | {"in_order": bool(row["in_order"])})
