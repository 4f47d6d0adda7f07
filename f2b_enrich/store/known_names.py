"""The names that bans are selected by, as far as the store has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def jails(connection: sqlite3.Connection) -> dict[str, str]:
    """Name every jail that ever had a ban, that fail2ban ships, or that is configured.

    With the class of its bans whose lines tell none.
    """
    return dict(connection.execute("SELECT jail, attack FROM jails ORDER BY jail"))


def hosts(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Name every host that ever had a ban."""
    found = connection.execute("SELECT host FROM hosts ORDER BY host")
    return tuple(name for (name,) in found)


def has_bans(connection: sqlite3.Connection, jail: str) -> bool:
    """Tell whether a jail ever had a ban."""
    found = connection.execute("SELECT 1 FROM bans WHERE jail = ? LIMIT 1", (jail,))
    return found.fetchone() is not None
