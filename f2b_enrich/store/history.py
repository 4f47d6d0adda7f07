"""What the store knows about an address beside the ban that a mail is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Network
from typing import TYPE_CHECKING

from f2b_enrich.model import History, Neighbours, Tally, read_time, time_text

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.model import Ban

THREAD_DAYS = 30
"""How long after its first ban a thread of mails ends."""

NEIGHBOUR_DAYS = 30
MOST_NEIGHBOURS = 3

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def of(connection: sqlite3.Connection, ban: Ban) -> History:
    """Read the past of a ban that is in the store, itself counted."""
    jails = _by_jail(connection, ban)
    return History(
        nth=sum(jail.bans for jail in jails),
        records_since=_oldest(connection),
        jails=jails,
        first_at=min(jail.first_at for jail in jails),
        previous_at=_previous(connection, ban),
        imported=_imported(connection, ban),
        other_hosts=_by_host(connection, ban),
        neighbours=_neighbours(connection, ban),
        thread_at=_thread_at(connection, ban),
    )


def _by_jail(connection: sqlite3.Connection, ban: Ban) -> tuple[Tally, ...]:
    rows = connection.execute(
        "SELECT jail AS name, count(*) AS bans, min(banned_at) AS first_at FROM bans "
        "WHERE ip = ? AND host = ? AND banned_at <= ? "
        "GROUP BY jail ORDER BY bans DESC, jail",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    )
    return tuple(map(_tally, rows))


def _by_host(connection: sqlite3.Connection, ban: Ban) -> tuple[Tally, ...]:
    rows = connection.execute(
        "SELECT host AS name, count(*) AS bans, min(banned_at) AS first_at FROM bans "
        "WHERE ip = ? AND host != ? AND banned_at <= ? "
        "GROUP BY host ORDER BY bans DESC, host",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    )
    return tuple(map(_tally, rows))


def _oldest(connection: sqlite3.Connection) -> datetime:
    row = connection.execute("SELECT min(banned_at) FROM bans").fetchone()
    return read_time(row[0])


def _previous(connection: sqlite3.Connection, ban: Ban) -> datetime | None:
    row = connection.execute(
        "SELECT banned_at FROM bans "
        "WHERE ip = ? AND host = ? AND banned_at <= ? AND id != ? "
        "ORDER BY banned_at DESC LIMIT 1",
        (ban.ip, ban.host, time_text(ban.banned_at), ban.id),
    ).fetchone()
    return None if row is None else read_time(row["banned_at"])


def _imported(connection: sqlite3.Connection, ban: Ban) -> int:
    """Count the bans that no client ever reported, only a file did."""
    found = connection.execute(
        "SELECT count(*) FROM bans WHERE ip = ? AND host = ? AND banned_at <= ? "
        "AND origin != 'live' AND NOT EXISTS (SELECT 1 FROM other_origins "
        "WHERE ban_id = bans.id AND origin = 'live')",
        (ban.ip, ban.host, time_text(ban.banned_at)),
    )
    count: int = found.fetchone()[0]
    return count


def _neighbours(connection: sqlite3.Connection, ban: Ban) -> Neighbours | None:
    """Count the other addresses around an address; a wide network has none.

    No index knows subnets, but the names of their addresses begin alike: the index by
    address gives few rows more than are wanted, however much was banned elsewhere.
    """
    if ban.subnet is None or not ban.subnet.endswith(("/24", "/64")):
        return None
    first, end = _names_of(ban.subnet)
    if not first:
        return None
    since = _days_after(ban.banned_at, -NEIGHBOUR_DAYS)
    rows = connection.execute(
        "SELECT ip AS name, count(*) AS bans, min(banned_at) AS first_at, "
        "count(*) OVER () AS addresses, sum(count(*)) OVER () AS all_bans "
        "FROM bans INDEXED BY bans_by_ip "
        "WHERE ip >= ? AND ip < ? AND banned_at BETWEEN ? AND ? "
        "AND subnet = ? AND ip != ? GROUP BY ip ORDER BY bans DESC, ip LIMIT ?",
        (
            *(first, end, time_text(since), time_text(ban.banned_at)),
            *(ban.subnet, ban.ip, MOST_NEIGHBOURS),
        ),
    ).fetchall()
    return Neighbours(
        subnet=ban.subnet,
        days=NEIGHBOUR_DAYS,
        addresses=rows[0]["addresses"] if rows else 0,
        bans=rows[0]["all_bans"] if rows else 0,
        most=tuple(map(_tally, rows)),
    )


def _names_of(subnet: str) -> tuple[str, str]:
    """Give the range of text in which all names of a subnet's addresses lie.

    Empty for what begins with a zero: nobody has such addresses (RFC 4291, 2.4), and
    their names begin in two ways.
    """
    if subnet.endswith("/24"):
        beginning = subnet.removesuffix("0/24")
    else:
        # From its first zero on, an address can be written shorter than its subnet.
        groups = IPv6Network(subnet).network_address.exploded.split(":")[:4]
        numbers = [int(group, 16) for group in groups]
        before_zero = numbers.index(0) if 0 in numbers else len(numbers)
        beginning = "".join(f"{number:x}:" for number in numbers[:before_zero])
    if not beginning:
        return "", ""
    return beginning, beginning[:-1] + chr(ord(beginning[-1]) + 1)


def _days_after(when: datetime, days: int) -> datetime:
    try:
        return when + timedelta(days=days)
    except OverflowError:
        return _LAST if days > 0 else _FIRST


def _thread_at(connection: sqlite3.Connection, ban: Ban) -> datetime:
    """Find the ban that began the thread: the first over 30 days after the last such.

    Each step is one look into the index, so it costs as many as there were threads.
    """
    began, after = ban.banned_at, ""
    while True:
        row = connection.execute(
            "SELECT banned_at FROM bans "
            "WHERE ip = ? AND host = ? AND banned_at > ? AND banned_at <= ? "
            "ORDER BY banned_at LIMIT 1",
            (ban.ip, ban.host, after, time_text(ban.banned_at)),
        ).fetchone()
        if row is None:
            return began
        began = read_time(row["banned_at"])
        after = time_text(_days_after(began, THREAD_DAYS))


def _tally(row: sqlite3.Row) -> Tally:
    return Tally(
        name=row["name"], bans=row["bans"], first_at=read_time(row["first_at"])
    )
