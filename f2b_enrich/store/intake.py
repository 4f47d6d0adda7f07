"""Old records taken into the store, each once, whatever order they come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.model import time_text
from f2b_enrich.store.settling import settle

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.joining.sightings import Sighting

LookUp: TypeAlias = Literal["local", "full", "none"]
"""What the addresses of old bans are looked up in: what is here, all, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One old record: what tells which ban it is of, and what came with it.

    `reference` is where it stood: a file's name, a Message-ID, or nothing. `lines` is
    harmless text. `ban_id` is the id that one of our own alerts names.
    """

    sighting: Sighting
    reference: str
    failures: int | None = None
    ban_count: int | None = None
    lines: tuple[str, ...] = ()
    ban_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """Bans that are new, that were there, and that are not brought back: purged."""

    new: int
    known: int
    refused: int


def take_in(
    connection: sqlite3.Connection,
    brought: Mapping[tuple[str, str], Sequence[Brought]],
    *,
    now: datetime,
    look_up: LookUp,  # noqa: ARG001 - not kept yet
) -> TakenIn:
    """Write records by host and address, inside the caller's transaction.

    Host, jail and address are as a live report's: folded by the aliases, and written as
    `read_address` does. No mail is queued, and nothing that was purged comes back.
    """
    at = time_text(now)
    new = known = refused = 0
    for (host, ip), records in brought.items():
        connection.execute(
            "INSERT OR IGNORE INTO hosts (host, first_seen_at, last_seen_at) "
            "VALUES (?, ?, ?)",
            (host, at, at),
        )
        told = [each.sighting for each in records]
        settled = settle(connection, host, ip, told, now=now)
        new += settled.new
        known += len(set(settled.ban_ids.values())) - settled.new
    return TakenIn(new=new, known=known, refused=refused)
