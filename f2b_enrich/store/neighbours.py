"""The other banned addresses of a subnet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Network
from typing import TYPE_CHECKING

from f2b_enrich.model import Neighbours, Tally, read_time, time_text

if TYPE_CHECKING:
    import sqlite3

DAYS = 30
MOST = 3

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def around(
    connection: sqlite3.Connection, ip: str, *, subnet: str | None, until: datetime
) -> Neighbours | None:
    """Count the other addresses of a subnet, banned in the 30 days up to `until`.

    A network wider than /24 or /64 has none, and a banned network is no address.

    No index knows subnets, but the names of their addresses begin alike: the index by
    address gives few rows more than are wanted, however much was banned elsewhere.
    """
    first, end = _names_of(subnet) if subnet is not None else ("", "")
    if subnet is None or not first:
        return None
    since = days_after(until, -DAYS)
    rows = connection.execute(
        "SELECT ip AS name, count(*) AS bans, min(banned_at) AS first_at, "
        "count(*) OVER () AS addresses, sum(count(*)) OVER () AS all_bans "
        "FROM bans INDEXED BY bans_by_ip "
        "WHERE ip >= ? AND ip < ? AND banned_at BETWEEN ? AND ? "
        "AND subnet = ? AND ip != ? AND instr(ip, '/') = 0 "
        "GROUP BY ip ORDER BY bans DESC, ip LIMIT ?",
        (first, end, time_text(since), time_text(until), subnet, ip, MOST),
    ).fetchall()
    return Neighbours(
        subnet=subnet,
        days=DAYS,
        addresses=rows[0]["addresses"] if rows else 0,
        bans=rows[0]["all_bans"] if rows else 0,
        most=tuple(
            Tally(
                name=row["name"], bans=row["bans"], first_at=read_time(row["first_at"])
            )
            for row in rows
        ),
    )


def _names_of(subnet: str) -> tuple[str, str]:
    """Give the range of text in which all names of a subnet's addresses lie.

    Empty for what is wider than a /24 or /64, and for what begins with a zero: nobody
    has such addresses (RFC 4291, 2.4), and their names begin in two ways.
    """
    if ":" not in subnet:
        beginning = subnet.removesuffix("0/24") if subnet.endswith(".0/24") else ""
    elif subnet.endswith("/64"):
        # From its first zero on, an address can be written shorter than its subnet.
        groups = IPv6Network(subnet).network_address.exploded.split(":")[:4]
        numbers = [int(group, 16) for group in groups]
        before_zero = numbers.index(0) if 0 in numbers else len(numbers)
        beginning = "".join(f"{number:x}:" for number in numbers[:before_zero])
    else:
        beginning = ""
    if not beginning:
        return "", ""
    return beginning, beginning[:-1] + chr(ord(beginning[-1]) + 1)


def days_after(when: datetime, days: int) -> datetime:
    """Add days, as far as the calendar goes."""
    try:
        return when + timedelta(days=days)
    except OverflowError:
        return _LAST if days > 0 else _FIRST
