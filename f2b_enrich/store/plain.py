"""Old bans of addresses of which the store knows nothing, straight into its rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.joining.plain_lines import plain_bans
from f2b_enrich.joining.sightings import Sighting, id_of
from f2b_enrich.store import repeats
from f2b_enrich.store.settled import insert
from f2b_enrich.store.settling import DOUBT
from f2b_enrich.store.sighted import text_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.joining.plain_lines import PlainBan, PlainLine
    from f2b_enrich.store.neighbourhoods import Key
    from f2b_enrich.store.settled import Row

    Lines: TypeAlias = Mapping[Key, Sequence[PlainLine]]

# By the address alone: thousands of hosts may have banned it.
_KNOWN = """
    SELECT value AS ip FROM json_each(?) AS wanted
    WHERE EXISTS (SELECT 1 FROM bans WHERE ip = wanted.value)
    OR EXISTS (SELECT 1 FROM ban_records WHERE ip = wanted.value)
"""


class PlainTaken:
    """What was written, and whose lines are left for the general way."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.new = 0
        self.left: list[Key] = []


def record_of(line: PlainLine) -> Sighting:
    """Give what a line contributes to the question which ban it tells of."""
    at, kind, jail, _ = line
    return Sighting(kind, "logged", "log", at, jail)


def take_plain(
    connection: sqlite3.Connection,
    lines: Lines,
    *,
    since: datetime | None,
    at: str,
    look_up: str,
) -> PlainTaken:
    """Write the bans of addresses that these lines alone tell of, each in its row.

    That comes to the same rows as the general way. What it cannot tell beyond doubt is
    left: an address that is known, bans before `since`, two logs that may tell of one
    ban, jails whose bans repeat others.
    """
    taken, rows = PlainTaken(), []
    repeating = repeats.jails(connection)
    known = _known(connection, {ip for _, ip in lines})
    first = 0 if since is None else since.timestamp() + DOUBT["logged"]
    for key, of_address in lines.items():
        bans = None if key[1] in known else _told_by(of_address)
        if bans is None or any(ban.at < first or ban.jail in repeating for ban in bans):
            taken.left.append(key)
        else:
            rows += _rows(key, bans, of_address[0][3], at=at, look_up=look_up)
    insert(connection, rows)
    taken.new = len(rows)
    return taken


def _known(connection: sqlite3.Connection, ips: set[str]) -> set[str]:
    return {ip for (ip,) in connection.execute(_KNOWN, (json.dumps(list(ips)),))}


def _told_by(lines: Sequence[PlainLine]) -> list[PlainBan] | None:
    log = lines[0][3]
    if any(line[3] != log for line in lines):
        return None
    return plain_bans(lines)


def _rows(
    key: Key, bans: Iterable[PlainBan], log: str, *, at: str, look_up: str
) -> list[Row]:
    host, ip = key
    address = read_address(ip)
    of_address = (host, ip, address.version, address.subnet)
    rows: list[Row] = []
    for ban in bans:
        begun, ended = text_of(ban.at), None
        if ban.ended_at is not None:
            ended = text_of(ban.ended_at)
        name = id_of(Sighting("ban", "logged", "log", ban.at, ban.jail), host, ip)
        rows.append(
            (
                *(name, *of_address, ban.jail, begun, "logged", None, None, ended),
                *("log", log, begun, at, 0, 1, 0, None, look_up),
            )
        )
    return rows
