"""What is recorded about one address, without reading each of its bans."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.model import Observed, read_time
from f2b_enrich.store.reads import read_ban
from f2b_enrich.store.repeats import IS_REAL

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.model import Ban


@dataclass(frozen=True, slots=True, kw_only=True)
class JailRecord:
    """The bans of an address by one jail of one host, of which `newest` is the last.

    `is_repeat` tells that the jail watches fail2ban itself: its bans repeat others.
    """

    host: str
    jail: str
    bans: int
    failures: int
    first_at: datetime
    newest: Ban
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackRecord:
    """A class of attack that bans of an address show, in how many bans and lines."""

    attack: str
    bans: int
    lines: int
    cves: tuple[str, ...]


def records(connection: sqlite3.Connection, ip: str) -> tuple[JailRecord, ...]:
    """Count the bans of an address, the jail that banned last coming first."""
    rows = connection.execute(
        "SELECT bans.*, of_jail.bans, of_jail.all_failures, of_jail.first_at, "
        f"NOT bans.{IS_REAL} AS is_repeat FROM ("
        "SELECT host, jail, count(*) AS bans, sum(failures) AS all_failures, "
        "min(banned_at) AS first_at, max(banned_at) AS last_at "
        "FROM bans WHERE ip = :ip GROUP BY host, jail) AS of_jail "
        "JOIN bans ON bans.ip = :ip AND bans.banned_at = of_jail.last_at "
        "AND bans.host = of_jail.host AND bans.jail = of_jail.jail "
        "ORDER BY of_jail.last_at DESC, of_jail.host, of_jail.jail",
        {"ip": ip},
    )
    return tuple(
        JailRecord(
            host=row["host"],
            jail=row["jail"],
            bans=row["bans"],
            failures=row["all_failures"],
            first_at=read_time(row["first_at"]),
            newest=read_ban(row),
            is_repeat=bool(row["is_repeat"]),
        )
        for row in rows
    )


def attacks(connection: sqlite3.Connection, ip: str) -> tuple[AttackRecord, ...]:
    """Add up the classes over the bans of an address that repeat none, most first."""
    rows = connection.execute(
        "SELECT ban_attacks.attack, count(*) AS bans, sum(ban_attacks.lines) AS lines, "
        "group_concat(cves, ', ') AS cves FROM bans "
        f"JOIN ban_attacks ON ban_id = bans.id WHERE ip = ? AND bans.{IS_REAL} "
        "GROUP BY ban_attacks.attack "
        "ORDER BY bans DESC, lines DESC, ban_attacks.attack",
        (ip,),
    )
    return tuple(
        AttackRecord(
            attack=row["attack"],
            bans=row["bans"],
            lines=row["lines"],
            cves=tuple(sorted(set(row["cves"].split(", ")))) if row["cves"] else (),
        )
        for row in rows
    )


def observed(connection: sqlite3.Connection, ip: str) -> tuple[Observed, ...]:
    """Add up the values over all bans of an address, most lines first."""
    rows = connection.execute(
        "SELECT kind, value, sum(lines) AS lines FROM bans "
        "JOIN observed ON ban_id = bans.id WHERE ip = ? "
        "GROUP BY kind, value ORDER BY sum(lines) DESC, kind, value",
        (ip,),
    )
    return tuple(Observed(**dict(row)) for row in rows)


def networks_around(connection: sqlite3.Connection, ip: str) -> tuple[Ban, ...]:
    """Find the banned networks that hold an address or network, narrowest first.

    Of each the newest ban by every jail of every host.
    """
    names = _holding(ip)
    marks = ", ".join("?" * len(names))
    rows = connection.execute(
        f"SELECT *, max(banned_at) FROM bans WHERE ip IN ({marks}) "
        "GROUP BY ip, host, jail ORDER BY banned_at DESC, host, jail",
        names,
    )
    return tuple(sorted(map(read_ban, rows), key=lambda ban: names.index(ban.ip)))


def _holding(ip: str) -> tuple[str, ...]:
    """Name all networks that hold an address or network: at most 129, narrowest first.

    As fail2ban names them, by their first address.
    """
    address = read_address(ip)
    if address.version is None:
        return ()
    # A network in a zone of its own (`fe80::%eth0/64`) is none that fail2ban bans.
    text = address.text if address.is_network else address.text.partition("%")[0]
    whole = ip_network(text, strict=False)
    narrowest = whole.prefixlen - address.is_network
    return tuple(
        str(whole.supernet(new_prefix=length)) for length in range(narrowest, -1, -1)
    )
