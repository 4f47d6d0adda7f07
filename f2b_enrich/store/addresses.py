"""What is recorded about one address, without reading each of its bans."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from f2b_enrich.model import read_address, read_time
from f2b_enrich.store import outbox
from f2b_enrich.store.reads import read_ban

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from f2b_enrich.model import Ban, OutboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class JailRecord:
    """The bans of an address by one jail of one host, of which `newest` is the last."""

    host: str
    jail: str
    bans: int
    failures: int
    first_at: datetime
    newest: Ban


def records(connection: sqlite3.Connection, ip: str) -> tuple[JailRecord, ...]:
    """Count the bans of an address, the jail that banned last coming first."""
    rows = connection.execute(
        "SELECT bans.*, of_jail.bans, of_jail.all_failures, of_jail.first_at FROM ("
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
        )
        for row in rows
    )


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


def alerts(connection: sqlite3.Connection, ban_id: str) -> tuple[OutboxRow, ...]:
    """List the alerts about a ban, one for each recipient."""
    rows = connection.execute(
        "SELECT * FROM outbox WHERE ban_id = ? AND kind = 'alert' ORDER BY id",
        (ban_id,),
    )
    return tuple(map(outbox.read_row, rows))


def log(connection: sqlite3.Connection, ip: str, *, bans: int) -> Iterator[str]:
    """Read the log lines of the newest so many bans of an address, as they are asked.

    They come in no order.
    """
    rows = connection.execute(
        "SELECT line FROM (SELECT id FROM bans WHERE ip = ? "
        "ORDER BY banned_at DESC LIMIT ?) AS newest "
        "JOIN log_lines ON log_lines.ban_id = newest.id",
        (ip, bans),
    )
    return (row["line"] for row in rows)
