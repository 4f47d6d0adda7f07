"""Which service each jail guards, as its bans find it by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from f2b_enrich.model import Service, Tally, read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJail:
    """A jail by the very name that bans have, its service, and where that is from.

    `attack` is the class of its bans whose lines tell none. `unknown` are those that
    neither the program nor the configuration names.
    """

    jail: str
    service: Service
    attack: str
    origin: Literal["shipped", "configured", "unknown"]


def note(connection: sqlite3.Connection, known: KnownJail) -> None:
    """Write a row, so that a ban finds its jail by name; one that is there is kept."""
    connection.execute(
        "INSERT INTO jails (jail, service, attack, origin) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (jail) DO NOTHING",
        _row(known),
    )


def _row(known: KnownJail) -> tuple[str, str, str, str]:
    """Give the columns; `astuple` copies each deeply, and every ban notes its jail."""
    return known.jail, known.service, known.attack, known.origin


def refresh(
    connection: sqlite3.Connection,
    names: Iterable[str],
    know: Callable[[str], KnownJail],
) -> None:
    """Write these jails, and what is known by now of all that are there."""
    there = connection.execute("SELECT jail FROM jails").fetchall()
    every = dict.fromkeys((*names, *(row["jail"] for row in there)))
    connection.executemany(
        "INSERT INTO jails (jail, service, attack, origin) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (jail) DO UPDATE SET service = excluded.service, "
        "attack = excluded.attack, origin = excluded.origin",
        [_row(know(name)) for name in every],
    )


def unknown(
    connection: sqlite3.Connection, *, since: datetime, until: datetime
) -> tuple[Tally, ...]:
    """Count the bans of that time by jails that nobody named, the busiest first."""
    rows = connection.execute(
        "SELECT bans.jail AS name, count(*) AS bans, min(banned_at) AS first_at "
        "FROM bans JOIN jails ON jails.jail = bans.jail "
        "WHERE banned_at >= ? AND banned_at < ? AND jails.origin = 'unknown' "
        "GROUP BY bans.jail ORDER BY bans DESC, bans.jail",
        (time_text(since), time_text(until)),
    )
    return tuple(
        Tally(name=row["name"], bans=row["bans"], first_at=read_time(row["first_at"]))
        for row in rows
    )
