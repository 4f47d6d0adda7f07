"""The rows of an address made the bans that all its records tell of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.joining.joining import join
from f2b_enrich.joining.sightings import Joined, Sighting, id_of, planned_end
from f2b_enrich.model import Event, EventKind, time_text
from f2b_enrich.store import repeats
from f2b_enrich.store.merging import absorb
from f2b_enrich.store.retention import purged
from f2b_enrich.store.sighted import (
    columns_of,
    is_told_by_others,
    keep,
    kept_of,
    let_go,
    may_change_others,
    own_id,
    told_by_row,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from f2b_enrich.store.bans import Recorded

DOUBT = {"failure": 0, "logged": 60, "mailed": 3600, "bounced": 5 * 24 * 3600}
"""Seconds that a ban may have begun before what is told of it, by how exact that is:
so much behind a purge nothing begins a ban, which may be one that was purged."""

_INSERT = """
    INSERT INTO bans (
        id, host, ip, ip_version, subnet, failures, ban_count, received_at,
        announced_at, lines_received,
        jail, banned_at, banned_at_source, bantime_seconds, expires_at, unbanned_at,
        origin, reference
    ) VALUES (
        :id, :host, :ip, :ip_version, :subnet, 0, 1, :now, :banned_at, 0,
        :jail, :banned_at, :banned_at_source, :bantime_seconds, :expires_at,
        :unbanned_at, :origin, :reference
    )
"""

_UPDATE = """
    UPDATE bans SET jail = :jail, banned_at = :banned_at,
    banned_at_source = :banned_at_source, bantime_seconds = :bantime_seconds,
    expires_at = :expires_at, unbanned_at = :unbanned_at, origin = :origin,
    reference = :reference WHERE id = :id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How many bans are new, and what each record of a ban is found under."""

    new: int
    ban_ids: Mapping[Sighting, str]


class _Neighbourhood:
    """What the store knows of one host and address."""

    def __init__(self, connection: sqlite3.Connection, host: str, ip: str) -> None:
        """Read its rows and the records beside them."""
        self.connection, self.host, self.ip = connection, host, ip
        rows = connection.execute(
            "SELECT * FROM bans WHERE ip = ? AND host = ? ORDER BY rowid",
            (ip, host),
        ).fetchall()
        kept = kept_of(connection, host, ip)
        self.loose = frozenset(kept.get(None, ()))
        self.told: dict[str, frozenset[Sighting]] = {
            row["id"]: frozenset(kept.get(row["id"], ())) or told_by_row(row)
            for row in rows
        }
        self.others: dict[str, str] = dict(
            connection.execute(
                "SELECT other_ids.id, other_ids.ban_id FROM other_ids "
                "JOIN bans ON bans.id = other_ids.ban_id "
                "WHERE bans.ip = ? AND bans.host = ?",
                (ip, host),
            ).fetchall()
        )

    @property
    def records(self) -> set[Sighting]:
        """Give every record that is known of the address."""
        return set(self.loose).union(*self.told.values())

    def names_of(self, ban: Joined) -> list[str]:
        """Give the names that its records have, the best record's first."""
        named = (each for each in ban.sightings if each.kind in ("ban", "again"))
        return list(dict.fromkeys(id_of(each, self.host, self.ip) for each in named))

    def id_of_failure(self, ban: Joined) -> str | None:
        """Give the id that a live report of a ban would make, if its time is known."""
        if ban.precision != "failure":
            return None
        return id_of(ban.best, self.host, self.ip)


def settle(
    connection: sqlite3.Connection,
    host: str,
    ip: str,
    new: Iterable[Sighting],
    *,
    now: datetime,
    is_changed: bool = False,
) -> Settled:
    """Add records of an address, inside the caller's transaction.

    A row stays with the record that its id names, so what points at it stays true: of
    two that become one the one that was known first stays, and one that turns out to be
    two gets back the row it had. `is_changed` tells that a row was written elsewhere.
    """
    known = _Neighbourhood(connection, host, ip)
    before, new = known.records, set(new)
    if before.issuperset(new) and not is_changed:
        return Settled(new=0, ban_ids={})
    decision = join(before | new)
    rows = {ban: _row_of(known, ban) for ban in _not_purged(known, decision.bans)}
    begun = [ban for ban, row in rows.items() if row not in known.told]
    for ban in begun:
        _insert(known, rows[ban], ban, now=now)
    for ban, row in rows.items():
        _join_rows(known, row, ban)
    _write_changed(known, rows)
    if known.loose != frozenset(decision.loose):
        _keep_loose(known, decision.loose)
    return Settled(
        new=len(begun),
        ban_ids={each: row for ban, row in rows.items() for each in ban.sightings},
    )


def settle_live(
    connection: sqlite3.Connection,
    recorded: Recorded,
    event: Event,
    *,
    host: str,
    jail: str,
    now: datetime,
) -> Recorded:
    """Settle what `bans.record` wrote with the old records of the address, if any.

    Inside the same transaction; a ban without any costs two looks into indexes.
    """
    ban_id, ip = recorded.ban_id, recorded.ip
    if ban_id is None:
        return recorded
    if recorded.is_new:
        if not may_change_others(connection, host, ip, round(event.failed_at)):
            return recorded
        settle(connection, host, ip, (), now=now, is_changed=True)
    elif is_told_by_others(connection, ban_id):
        settle(connection, host, ip, (_told_by(event, jail),), now=now)
    return replace(recorded, ban_id=own_id(connection, ban_id))


def _told_by(event: Event, jail: str) -> Sighting:
    failed_at = round(event.failed_at)
    is_ban = event.kind is EventKind.BAN
    is_unban = event.kind is EventKind.UNBAN
    return Sighting(
        kind=event.kind.value,
        precision="failure" if is_ban else "logged",
        origin="live",
        at=failed_at if is_ban else int(event.at.timestamp()),
        jail=jail,
        ends_at=None if is_unban else planned_end(failed_at, event.bantime_seconds),
        failed_at=None if is_ban else failed_at,
    )


def _not_purged(known: _Neighbourhood, bans: Iterable[Joined]) -> Iterator[Joined]:
    """Leave out bans without a row that may have had one, which was purged."""
    before = purged(known.connection).bans
    for ban in bans:
        is_known = not known.told.keys().isdisjoint(known.names_of(ban))
        begun_at = ban.at - DOUBT[ban.precision]
        if is_known or before is None or begun_at >= before.timestamp():
            yield ban


def _row_of(known: _Neighbourhood, ban: Joined) -> str:
    """Choose the id of a ban's row: that known first, else one that it had before."""
    names = known.names_of(ban)
    for row in known.told:
        if row in names:
            return row
    return next((name for name in names if name in known.others), names[0])


def _insert(known: _Neighbourhood, row: str, ban: Joined, *, now: datetime) -> None:
    known.connection.execute("DELETE FROM other_ids WHERE id = ?", (row,))
    address = read_address(known.ip)
    values = {
        "id": row,
        "host": known.host,
        "ip": known.ip,
        "ip_version": address.version,
        "subnet": address.subnet,
        "now": time_text(now),
    }
    known.connection.execute(_INSERT, values | columns_of(ban))


def _join_rows(known: _Neighbourhood, row: str, ban: Joined) -> None:
    """Make the other rows of a ban names of it, and point such names at it.

    That of its failure is always one: a live report may still come by it.
    """
    for name in known.names_of(ban):
        if name == row:
            continue
        if name in known.told:
            absorb(known.connection, name, into=row)
        elif name in known.others or name == known.id_of_failure(ban):
            known.connection.execute(
                "INSERT OR REPLACE INTO other_ids VALUES (?, ?)", (name, row)
            )


def _write_changed(known: _Neighbourhood, rows: Mapping[Joined, str]) -> None:
    changed = {
        ban: row
        for ban, row in rows.items()
        if known.told.get(row) != frozenset(ban.sightings)
    }
    for row in changed.values():
        let_go(known.connection, row)
    for ban, row in changed.items():
        columns = columns_of(ban)
        known.connection.execute(_UPDATE, {"id": row, **columns})
        if told_by_row(columns) != frozenset(ban.sightings):
            keep(known.connection, known.host, known.ip, row, ban.sightings)
    for row in changed.values():
        repeats.settle(known.connection, row)


def _keep_loose(known: _Neighbourhood, loose: Iterable[Sighting]) -> None:
    known.connection.execute(
        "DELETE FROM ban_records WHERE ip = ? AND host = ? AND ban_id IS NULL",
        (known.ip, known.host),
    )
    keep(known.connection, known.host, known.ip, None, loose)
