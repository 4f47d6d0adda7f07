"""Old bans that nothing known can be told of as well, straight into the rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.joining.plain_lines import plain_bans
from f2b_enrich.joining.sightings import Sighting, id_of_line
from f2b_enrich.store import repeats, wishes
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
    from f2b_enrich.store.wishes import LookUp

    Lines: TypeAlias = Mapping[Key, Sequence[PlainLine]]

_UNENDED = "9999-12-31T23:59:59Z"

# What it tells is until when anything that is known of an address can be of a ban; a
# failure of which the log has not told awaits its line until the ban has ended. Each
# address is searched once, however many hosts banned it.
_KNOWN = f"""
    WITH wanted AS (
        SELECT json_extract(value, '$[0]') AS host, json_extract(value, '$[1]') AS ip
        FROM json_each(?)
    )
    SELECT host, ip, max(until) AS until FROM (
        SELECT host, ip, max(
            banned_at, ifnull(unbanned_at, ''),
            iif(banned_at_source = 'failure',
                ifnull(unbanned_at, ifnull(expires_at, '{_UNENDED}')), ''),
            iif(EXISTS (SELECT 1 FROM other_ids WHERE ban_id = bans.id),
                '{_UNENDED}', '')
        ) AS until
        FROM (SELECT DISTINCT ip AS one FROM wanted) CROSS JOIN bans ON ip = one
        WHERE (host, ip) IN (SELECT host, ip FROM wanted)
        UNION ALL
        SELECT host, ip, '{_UNENDED}' FROM wanted WHERE EXISTS (
            SELECT 1 FROM ban_records AS kept
            WHERE kept.ip = wanted.ip AND kept.host = wanted.host
        )
    ) GROUP BY host, ip
"""

_APART = 3600
"""Seconds between all that is known of an address and a ban of which later lines tell.
By then every ban before it has its records; a letter only tells of bans before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTaken:
    """How many bans were written, and whose lines are left for the general way."""

    new: int
    left: tuple[Key, ...]


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
    look_up: LookUp,
) -> PlainTaken:
    """Write the bans that these lines alone tell of, each in its row.

    That comes to the same rows as the general way. What it cannot tell beyond doubt is
    left: what is known near by, bans before `since`, two logs that may tell of one ban,
    jails whose bans repeat others. `at` is now.
    """
    rows: list[Row] = []
    left: list[Key] = []
    raised: dict[str, list[str]] = {}
    repeating = repeats.jails(connection)
    until = known_until(connection, lines)
    first = first_of(since)
    for key, of_address in lines.items():
        host, ip = key
        known, bans = until.get(key), _told_by(of_address)
        if (
            bans is None
            or (known is not None and not is_apart(known, bans[0].at, now=at))
            or any(ban.at < first or ban.jail in repeating for ban in bans)
        ):
            left.append(key)
            continue
        rows += _rows(key, bans, of_address[0][3], at=at, look_up=wishes.kept(look_up))
        if known is not None:
            raised.setdefault(ip, []).append(host)
    insert(connection, rows)
    for ip, hosts in raised.items():
        wishes.raise_to(connection, ip, hosts, look_up)
    return PlainTaken(new=len(rows), left=tuple(left))


def is_apart(known: str, at: int, *, now: str) -> bool:
    """Tell whether what is known until then can be of no ban that began at `at`."""
    return known < min(text_of(at - _APART), now)


def first_of(since: datetime | None) -> float:
    """Tell when a ban may begin that was not purged, in Unix seconds."""
    return 0.0 if since is None else since.timestamp() + DOUBT["logged"]


def known_until(connection: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, str]:
    """Tell of known addresses until when that can be of a ban, as times are written.

    What one host did tells nothing of the bans of another.
    """
    known = connection.execute(_KNOWN, (json.dumps(list(keys)),))
    return {(row["host"], row["ip"]): row["until"] for row in known}


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
        name = id_of_line(host, ban.jail, ip, ban.at)
        rows.append(
            (
                *(name, *of_address, ban.jail, begun, "logged", None, None, ended),
                *("log", log, begun, at, 0, 1, 0, None, look_up),
            )
        )
    return rows
