"""The other banned addresses of a subnet."""

from __future__ import annotations

import json
from ipaddress import IPv6Network
from itertools import pairwise
from typing import TYPE_CHECKING

from f2b_enrich.model import Neighbours, Tally, days_after, read_time, time_text
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

DAYS = 30
MOST = 3

MOST_ADDRESSES = 500
MOST_BANS = 10_000
"""What is counted, some 6 ms at most: an attacker may own a whole subnet."""

_SUBNET_BITS = 64

_ADDRESSES = """
    WITH RECURSIVE spans (first, past) AS (VALUES (?, ?), (?, ?)),
    names (ip, past) AS (
        SELECT (SELECT min(ip) FROM bans WHERE ip >= first AND ip < past), past
        FROM spans
        UNION ALL
        SELECT (SELECT min(ip) FROM bans WHERE ip > names.ip AND ip < names.past), past
        FROM names WHERE ip IS NOT NULL
        LIMIT ?
    )
    SELECT ip, ip != ? AND instr(ip, '/') = 0
    AND (SELECT subnet FROM bans WHERE bans.ip = names.ip LIMIT 1) = ? AS is_near
    FROM names WHERE ip IS NOT NULL
"""

_BANS = f"""
    SELECT name, count(*) AS bans, min(banned_at) AS first_at,
    count(*) OVER () AS addresses, sum(count(*)) OVER () AS all_bans
    FROM (
        SELECT bans.ip AS name, banned_at FROM json_each(?) AS near
        CROSS JOIN bans INDEXED BY bans_by_ip
        WHERE bans.ip = near.value AND banned_at BETWEEN ? AND ?
        AND {IS_REAL} LIMIT ?
    )
    GROUP BY name ORDER BY bans DESC, name LIMIT ?
"""


def around(
    connection: sqlite3.Connection, ip: str, *, subnet: str | None, until: datetime
) -> Neighbours | None:
    """Count the other addresses of a subnet, banned in the 30 days up to `until`.

    A network wider than /24 or /64 has none, and a banned network is no address.

    No index knows subnets: one more random key would cost every ban a page. But the
    names of a subnet's addresses begin alike, and the index by address leads from each
    to the next, however often they were banned and whatever was banned elsewhere. A /24
    is always counted whole, but for its bans over 10,000.
    """
    spans = _names_of(subnet) if subnet is not None else ()
    if subnet is None or not spans:
        return None
    near, is_cut = _addresses(connection, ip, subnet, spans, MOST_ADDRESSES)
    since = days_after(until, -DAYS)
    rows = connection.execute(
        _BANS, (json.dumps(near), time_text(since), time_text(until), MOST_BANS, MOST)
    ).fetchall()
    bans = rows[0]["all_bans"] if rows else 0
    return Neighbours(
        subnet=subnet,
        days=DAYS,
        addresses=rows[0]["addresses"] if rows else 0,
        bans=bans,
        most=tuple(
            Tally(
                name=row["name"], bans=row["bans"], first_at=read_time(row["first_at"])
            )
            for row in rows
        ),
        at_least=is_cut or bans >= MOST_BANS,
    )


def addresses(
    connection: sqlite3.Connection, ip: str, *, subnet: str, most: int
) -> tuple[list[str], bool]:
    """Name the other addresses of a subnet ever banned; tell if there may be more."""
    spans = _names_of(subnet)
    return _addresses(connection, ip, subnet, spans, most) if spans else ([], False)


def _addresses(
    connection: sqlite3.Connection,
    ip: str,
    subnet: str,
    spans: tuple[str, ...],
    most: int,
) -> tuple[list[str], bool]:
    """Name the other addresses ever banned, and tell whether there may be more.

    Each of the two ranges has one row more, which says that it has ended.
    """
    rows = connection.execute(_ADDRESSES, (*spans, most + 2, ip, subnet)).fetchall()
    near = [row["ip"] for row in rows[:most] if row["is_near"]]
    return near, len(rows) > most


def _names_of(subnet: str) -> tuple[str, ...]:
    """Give two ranges of text, first and past, that hold all addresses of a subnet.

    In the first the subnet is written out, in the other its zeros are `::`. None for
    what is wider than a /24 or /64, and for what begins with a zero: nobody has such
    addresses (RFC 4291, 2.4).
    """
    if ":" not in subnet:
        whole = subnet.removesuffix("0/24") if subnet.endswith(".0/24") else ""
        return (*_range(whole), "", "") if whole else ()
    network = IPv6Network(subnet)
    groups = [
        f"{int(part, 16):x}" for part in network.network_address.exploded.split(":")
    ]
    if network.prefixlen != _SUBNET_BITS or groups[0] == "0":
        return ()
    return (*_range(":".join(groups[:4]) + ":"), *_range(_shortest(groups[:4])))


def _shortest(groups: list[str]) -> str:
    """Write the beginning of a subnet as far as the `::` that may stand in it.

    That is at its first two zeros, or at a zero that ends it. Other subnets may begin
    so, too.
    """
    for number, (one, following) in enumerate(pairwise((*groups, "0"))):
        if one == following == "0":
            return ":".join(groups[:number]) + "::"
    return ""


def _range(beginning: str) -> tuple[str, str]:
    """Give the first text that begins so, and the first behind all that do."""
    if not beginning:
        return "", ""
    return beginning, beginning[:-1] + chr(ord(beginning[-1]) + 1)
