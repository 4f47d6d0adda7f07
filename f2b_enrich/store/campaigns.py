"""Campaigns: who may be walking through user names, what was found, who goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from f2b_enrich.model import Campaign, days_after, read_time, time_text
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

T = TypeVar("T")
Make: TypeAlias = "Callable[[str, datetime, str, str], T]"

DAYS = 30
"""How far back a walk is looked for, and how long after its last ban it goes on."""

MOST_BANS = 500_000
"""The newest bans that are looked at; of more, the older ones are left out."""

MOST_CANDIDATES = 1000
"""Of each scope; those of the most names come first."""

MOST_TRIES_OF_ONE = 20_000
"""The newest tries of one address, subnet or network that are read."""

MOST_TRIES = 200_000
"""Of one scope; a candidate whose tries no longer fit is left for another night."""

_TRIES = """
    FROM bans {join} CROSS JOIN observed ON ban_id = bans.id AND kind = 'username'
"""

_SEEN = f"""
    bans.banned_at BETWEEN :since AND :until AND bans.{IS_REAL}
"""

_CANDIDATES = f"""
    WITH busy AS MATERIALIZED (
        SELECT {{who}} AS who FROM bans {{join}} WHERE {_SEEN} AND {{who}} IS NOT NULL
        GROUP BY 1 HAVING count(*) >= :bans AND (:split = 0 OR min({{part}}) != max({{part}}))
    ),
    tried AS (
        SELECT {{who}} AS who, count(*) AS bans, min({{part}}) = max({{part}}) AS alone
        {_TRIES} WHERE {_SEEN} AND {{who}} IN (SELECT who FROM busy) GROUP BY 1, value
    )
    SELECT who, min(sum(bans), {MOST_TRIES_OF_ONE}) AS tries FROM tried GROUP BY who
    HAVING sum(bans <= :few) >= :names
    AND sum(iif(bans <= :few, bans, 0)) >= :mostly * sum(bans)
    AND sum(alone) >= :split * count(*)
    ORDER BY count(*) DESC, who LIMIT {MOST_CANDIDATES}
"""

_TRIES_OF = f"""
    SELECT * FROM (
        SELECT {{who}} AS who, value, banned_at, bans.id AS id, ip,
        row_number() OVER (PARTITION BY {{who}} ORDER BY banned_at DESC) AS nth
        {_TRIES} WHERE {_SEEN} AND {{who}} IN (SELECT value FROM json_each(:whose))
    )
    WHERE nth <= {MOST_TRIES_OF_ONE} ORDER BY who
"""
