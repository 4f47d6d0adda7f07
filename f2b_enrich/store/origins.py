"""Where a ban is known from: each kind of record, and each file or mail of it, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time
from f2b_enrich.store.sighted import LETTERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from f2b_enrich.joining.sightings import Joined, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFrom:
    """A kind of record, a file or Message-ID of it or nothing, and when it came."""

    origin: str
    reference: str
    seen_at: datetime


def listed(connection: sqlite3.Connection, ban_id: str) -> tuple[KnownFrom, ...]:
    """List where a ban is known from, what came first at the beginning."""
    rows = connection.execute(
        "SELECT origin, reference, seen_at FROM ban_origins WHERE ban_id = ? "
        "ORDER BY seen_at, origin, reference",
        (ban_id,),
    )
    return tuple(
        KnownFrom(
            origin=row["origin"],
            reference=row["reference"],
            seen_at=read_time(row["seen_at"]),
        )
        for row in rows
    )


def named_by(sighting: Sighting) -> tuple[str, str]:
    """Give what a record itself tells of where it stood."""
    return sighting.origin, sighting.message_id or ""


def of(sightings: Iterable[Sighting]) -> set[tuple[str, str]]:
    """Give that of several."""
    return set(map(named_by, sightings))


def arranged(
    first: tuple[str, str], pairs: AbstractSet[tuple[str, str]]
) -> tuple[tuple[str, str], set[tuple[str, str]]]:
    """Part them in that of the row, whose record is `first`, and others.

    What has no name is left out where another of its kind has one.
    """
    named = {origin for origin, reference in pairs if reference}
    pairs = {(each, name) for each, name in pairs if name or each not in named}
    own = first
    if first[0] not in LETTERS:  # else the row is read back as that very mail
        names = (name for origin, name in pairs if origin == first[0])
        own = first[0], min(names, default="")
    return own, pairs - {own}


def settle(
    connection: sqlite3.Connection,
    ban_id: str,
    ban: Joined | None,
    pairs: AbstractSet[tuple[str, str]],
    *,
    at: str,
) -> None:
    """Note where a ban is known from besides, and what its row names of that.

    None is a ban whose records are the same as before.
    """
    row = connection.execute(
        "SELECT origin, reference, received_at FROM bans WHERE id = ?", (ban_id,)
    ).fetchone()
    was = row["origin"], row["reference"]
    there = {
        (each["origin"], each["reference"])
        for each in connection.execute(
            "SELECT origin, reference FROM other_origins WHERE ban_id = ?", (ban_id,)
        )
    }
    if ban is None:
        own, others = arranged(was, {was, *there, *pairs})
    else:
        told = of(ban.sightings)
        own, others = arranged(named_by(ban.best), {was, *there, *pairs, *told})
    if own != was:
        connection.execute(
            "UPDATE bans SET origin = ?, reference = ? WHERE id = ?", (*own, ban_id)
        )
    connection.executemany(
        "DELETE FROM other_origins WHERE ban_id = ? AND origin = ? AND reference = ?",
        [(ban_id, *each) for each in there - others],
    )
    seen_at = {was: row["received_at"]}
    connection.executemany(
        "INSERT INTO other_origins VALUES (?, ?, ?, ?)",
        [(ban_id, *each, seen_at.get(each, at)) for each in sorted(others - there)],
    )
