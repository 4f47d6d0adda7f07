"""How much is to be known of old bans, and the pages in which they get it.

`bans.look_up` is `full` for a live ban, and for an old one that has had all. An old one
begins with `none`, `local`, or `later`: in the local database at once, and everywhere
when live bans leave something of the day's quota.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.model import time_text
from f2b_enrich.store import enrichments

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.model import Enrichment

LookUp: TypeAlias = Literal["local", "full", "none"]
"""What the addresses of old bans are looked up in: what is here, all, or nothing."""

_KEPT: Mapping[LookUp, str] = {"none": "none", "local": "local", "full": "later"}

_SMALLER = {"none": "('')", "local": "('none')", "later": "('none', 'local')"}

# The index holds no others, whose terms have to stand here as they do there.
_NOT_PLACED = "enrichment_id IS NULL AND look_up IN ('later', 'local')"

_TO_PLACE = f"""
    SELECT rowid AS row, ip, (
        SELECT id FROM enrichments WHERE ip = bans.ip AND looked_up_at >= :since
        ORDER BY local_only, looked_up_at DESC LIMIT 1
    ) AS known
    FROM bans INDEXED BY bans_not_placed
    WHERE {_NOT_PLACED} AND look_up = :wish AND rowid > :after
    ORDER BY rowid LIMIT :limit
"""

_TO_ASK = """
    SELECT rowid AS row, ip, (
        SELECT id FROM enrichments WHERE ip = bans.ip AND looked_up_at >= :since
        AND NOT local_only AND complete ORDER BY looked_up_at DESC LIMIT 1
    ) AS known
    FROM bans INDEXED BY bans_for_later
    WHERE look_up = 'later' AND rowid < :before ORDER BY rowid DESC LIMIT :limit
"""

# By now a row may be gone, or another one's, and so may the snapshot.
_PLACED = f"""
    UPDATE bans SET enrichment_id = :known WHERE rowid = :row AND ip = :ip
    AND {_NOT_PLACED} AND EXISTS (SELECT 1 FROM enrichments WHERE id = :known)
"""

_ASKED = """
    UPDATE bans SET look_up = 'full', enrichment_id = ifnull(
        (SELECT id FROM enrichments WHERE id = :known), enrichment_id
    )
    WHERE rowid = :row AND ip = :ip AND look_up = 'later'
"""

_TOLD_LIVE = """
    UPDATE bans SET look_up = 'full', enrichment_id = (
        SELECT id FROM enrichments WHERE id = enrichment_id AND NOT local_only
    )
    WHERE id = ? AND look_up != 'full'
"""


@dataclass(frozen=True, slots=True)
class OldBan:
    """A ban to look up; `known` is a fresh snapshot that serves it, if there is one."""

    row: int
    ip: str
    known: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many old bans have no look-up yet, and how many no full one."""

    local: int
    full: int


def kept(look_up: LookUp) -> str:
    """Give what the column holds for what was wished of an old ban."""
    return _KEPT[look_up]


def raise_to(
    connection: sqlite3.Connection, ip: str, hosts: Iterable[str], look_up: LookUp
) -> None:
    """Raise what is wished of an address's bans on hosts; a larger wish stays."""
    wish = _KEPT[look_up]
    connection.execute(
        "UPDATE bans SET look_up = ? WHERE ip = ? "
        "AND host IN (SELECT value FROM json_each(?)) "
        f"AND look_up IN {_SMALLER[wish]}",
        (wish, ip, json.dumps(list(hosts))),
    )


def raise_listed(connection: sqlite3.Connection, table: str, look_up: LookUp) -> None:
    """Raise it in the same way where a table lists addresses and their hosts."""
    wish = _KEPT[look_up]
    lower = f"bans.look_up IN {_SMALLER[wish]}"
    # As a rule there is none, which one look at all tells sooner than one at each.
    if connection.execute(f"SELECT 1 FROM main.bans WHERE {lower} LIMIT 1").fetchone():
        connection.execute(
            f"""
            UPDATE main.bans SET look_up = ? WHERE rowid IN (
                SELECT bans.rowid FROM (SELECT DISTINCT ip FROM {table}) AS listed
                CROSS JOIN main.bans ON bans.ip = listed.ip AND {lower}
                WHERE (bans.host, bans.ip) IN (SELECT host, ip FROM {table})
            )
            """,
            (wish,),
        )


def told_live(connection: sqlite3.Connection, ban_id: str) -> None:
    """Have a ban that is now told live looked up as such are."""
    connection.execute(_TOLD_LIVE, (ban_id,))


def to_place(
    connection: sqlite3.Connection, *, since: datetime, after: int, limit: int
) -> tuple[OldBan, ...]:
    """List old bans behind a row that have no look-up, in the order they came.

    One of the address since that time serves them.
    """
    for wish in ("later", "local"):
        values = {"since": time_text(since), "wish": wish, "after": after}
        page = _page(connection, _TO_PLACE, **values, limit=limit)
        if page:
            return page
    return ()


def place(
    connection: sqlite3.Connection,
    page: Sequence[OldBan],
    found: Mapping[str, Enrichment],
) -> None:
    """Save what was found of the addresses of a page, and give it to its bans."""
    _give(connection, _PLACED, page, found)


def to_ask(
    connection: sqlite3.Connection, *, since: datetime, before: int, limit: int
) -> tuple[OldBan, ...]:
    """List old bans before a row without a full look-up, those that came last first."""
    return _page(
        connection, _TO_ASK, since=time_text(since), before=before, limit=limit
    )


def asked(
    connection: sqlite3.Connection,
    page: Sequence[OldBan],
    found: Mapping[str, Enrichment],
) -> None:
    """Save as `place` does; bans of which nothing was found keep what they have."""
    _give(connection, _ASKED, page, found)


def look_ups_since(connection: sqlite3.Connection, at: datetime, *, most: int) -> int:
    """Count the look-ups of all sources since that time; `most` and no more."""
    count: int = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM enrichments "
        "INDEXED BY enrichments_by_time "
        "WHERE NOT local_only AND looked_up_at >= ? LIMIT ?)",
        (time_text(at), most),
    ).fetchone()[0]
    return count


def waiting(connection: sqlite3.Connection) -> Waiting:
    """Count the old bans that wait, by reading no more than indexes."""
    local, full = connection.execute(
        "SELECT (SELECT count(*) FROM bans INDEXED BY bans_not_placed "
        f"WHERE {_NOT_PLACED}), (SELECT count(*) FROM bans "
        "INDEXED BY bans_for_later WHERE look_up = 'later')"
    ).fetchone()
    return Waiting(local=local, full=full)


def _page(
    connection: sqlite3.Connection, query: str, **values: object
) -> tuple[OldBan, ...]:
    rows = connection.execute(query, values)
    return tuple(OldBan(row["row"], row["ip"], row["known"]) for row in rows)


def _give(
    connection: sqlite3.Connection,
    statement: str,
    page: Sequence[OldBan],
    found: Mapping[str, Enrichment],
) -> None:
    new = {ip: enrichments.add(connection, each) for ip, each in found.items()}
    connection.executemany(
        statement,
        [
            {"row": ban.row, "ip": ban.ip, "known": new.get(ban.ip, ban.known)}
            for ban in page
        ],
    )
