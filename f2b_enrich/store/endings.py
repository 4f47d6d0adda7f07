"""The end of a ban, or a longer time, that no other record of its address minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.joining.course import ASSUMED
from f2b_enrich.joining.joining import join
from f2b_enrich.model import time_text
from f2b_enrich.store import neighbourhoods
from f2b_enrich.store.settled import Settlement
from f2b_enrich.store.sighted import text_of

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.joining.sightings import Joined, Sighting
    from f2b_enrich.store.neighbourhoods import Neighbourhood

MARGIN = 5
"""Seconds around a time in which joining may take one record for another's."""

_LATER = """
    SELECT EXISTS (SELECT 1 FROM bans WHERE ip = :ip AND host = :host
        AND banned_at BETWEEN :since AND :now AND id != :ban)
    OR EXISTS (SELECT 1 FROM ban_records WHERE ip = :ip AND host = :host
        AND at BETWEEN :since_second AND :now_second)
"""


def decided_alone(
    connection: sqlite3.Connection, ban_id: str, told: Sighting, *, now: datetime
) -> Settlement | None:
    """Decide on a ban by its own records; None if what is told may change others.

    How long a ban ran is asked by records of later times only. As long as there are
    none, nothing else that is known of the address need be read, which may have been
    banned thousands of times. What is told of the future waits for an import.
    """
    known = neighbourhoods.of_row(connection, ban_id)
    before = known.told[ban_id]
    if told in before:
        return Settlement(known=known)
    decision = join(before)
    if told.kind not in ("unban", "prolong") or not _are_all_of(decision.bans, before):
        return None
    (was,) = decision.bans
    if (was.precision, was.at, was.unbanned_at) != ("failure", told.failed_at, None):
        return None
    since = min(told.at, was.at + ASSUMED if was.ends_at is None else was.ends_at)
    since -= MARGIN
    if since < was.at or _is_told_since(connection, known, ban_id, since, now=now):
        return None
    after = before.union((told,))
    bans = join(after).bans
    if not _are_all_of(bans, after):
        return None
    (ban,) = bans
    return Settlement(
        known=known,
        is_decided=True,
        bans={ban_id: ban},
        names={ban_id: known.names_of(ban, {})},
        ban_ids=dict.fromkeys(after, ban_id),
    )


def _is_told_since(
    connection: sqlite3.Connection,
    known: Neighbourhood,
    ban_id: str,
    since: int,
    *,
    now: datetime,
) -> bool:
    values = {
        "host": known.host,
        "ip": known.ip,
        "ban": ban_id,
        "since": text_of(since),
        "since_second": since,
        "now": time_text(now),
        "now_second": int(now.timestamp()),
    }
    return bool(connection.execute(_LATER, values).fetchone()[0])


def _are_all_of(bans: tuple[Joined, ...], told: frozenset[Sighting]) -> bool:
    return [frozenset(ban.sightings) for ban in bans] == [told]
