"""The rows of addresses made the bans that all their records tell of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.joining.joining import copies_in, join
from f2b_enrich.joining.sightings import Sighting, planned_end
from f2b_enrich.model import Event, EventKind
from f2b_enrich.store import neighbourhoods, wishes
from f2b_enrich.store.endings import decided_alone
from f2b_enrich.store.retention import purged
from f2b_enrich.store.settled import Settlement, write
from f2b_enrich.store.sighted import is_told_by_others, may_change_others, own_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.joining.sightings import Joined
    from f2b_enrich.store.bans import Recorded
    from f2b_enrich.store.neighbourhoods import Key, Neighbourhood

DOUBT = {"failure": 0, "logged": 60, "mailed": 3600, "bounced": 5 * 24 * 3600}
"""Seconds that a ban may have begun before what is told of it, by how exact that is:
so much behind a purge nothing begins a ban, which may be one that was purged."""


def settle(
    connection: sqlite3.Connection,
    host: str,
    ip: str,
    new: Iterable[Sighting],
    *,
    now: datetime,
    is_changed: bool = False,
) -> Settlement:
    """Add records of an address, inside the caller's transaction.

    A row stays with the record that its id names, so what points at it stays true: of
    two that become one the one that was known first stays, and one that turns out to be
    two gets back the row it had. `is_changed` tells that a row was written elsewhere.
    """
    wanted = {(host, ip): set(new)}
    (settled,) = decide(connection, wanted, now=now, is_changed=is_changed)
    write(connection, (settled,), {}, now=now)
    return settled


def decide(
    connection: sqlite3.Connection,
    new: Mapping[Key, Collection[Sighting]],
    *,
    now: datetime,
    is_changed: bool = False,
) -> list[Settlement]:
    """Decide what records of addresses make of their rows; nothing is written yet.

    Where something is told of a time after `now`, live bans passed it by: all is
    decided on anew.
    """
    known = neighbourhoods.read(connection, new)
    before = purged(connection).bans
    first = None if before is None else before.timestamp()
    return [
        _decided(known[key], told, first, is_changed=is_changed, now=now.timestamp())
        for key, told in new.items()
    ]


def _decided(
    known: Neighbourhood,
    new: Collection[Sighting],
    first: float | None,
    *,
    is_changed: bool,
    now: float,
) -> Settlement:
    if len(new) == 1 and known.is_blank:  # as most old bans are
        return _alone(known, next(iter(new)), first)
    before = known.records
    told = before.union(new, (each.sighting for each in known.waiting))
    alerts, copies = known.own_alerts(told), copies_in(told)
    told.difference_update(alerts, copies)
    is_changed = is_changed or any(each.at > now for each in before)
    if told == before and not alerts and not is_changed:
        settled = Settlement(known=known, ban_ids=_by_record(known))
        return _with_copies(settled, copies)
    decision = join(told)
    settled = Settlement(known=known, is_decided=True)
    named_by, order = _by_name(alerts), {row: n for n, row in enumerate(known.told)}
    for ban in decision.bans:
        names = known.names_of(ban, named_by)
        if _may_be_purged(known, ban, names, first):
            settled.refused += 1
            continue
        row = _row_of(known, names, order)
        settled.bans[row], settled.names[row] = ban, names
        settled.ban_ids.update(dict.fromkeys(ban.sightings, row))
        for name in names:
            settled.ban_ids.update(dict.fromkeys(named_by.get(name, ()), row))
    settled.loose = frozenset(
        each for each in decision.loose if first is None or each.at >= first
    )
    return _with_copies(settled, copies)


def _alone(known: Neighbourhood, sighting: Sighting, first: float | None) -> Settlement:
    settled = Settlement(known=known, is_decided=True)
    decision = join((sighting,))
    for ban in decision.bans:
        names = known.names_of(ban, {})
        if _may_be_purged(known, ban, names, first):
            settled.refused = 1
        else:
            settled.bans = {names[0]: ban}
            settled.names = {names[0]: names}
            settled.ban_ids = {sighting: names[0]}
    if first is None or sighting.at >= first:
        settled.loose = frozenset(decision.loose)
    return settled


def _with_copies(
    settled: Settlement, copies: Mapping[Sighting, Sighting]
) -> Settlement:
    for copy, live in copies.items():
        if live in settled.ban_ids:
            settled.ban_ids[copy] = settled.ban_ids[live]
    return settled


def _by_record(known: Neighbourhood) -> dict[Sighting, str]:
    return {each: row for row, told in known.told.items() for each in told}


def _may_be_purged(
    known: Neighbourhood, ban: Joined, names: Iterable[str], first: float | None
) -> bool:
    """Tell of a ban without a row whether it may have had one, which was purged."""
    if first is None or ban.at - DOUBT[ban.precision] >= first:
        return False
    return known.told.keys().isdisjoint(names)


def _by_name(alerts: Mapping[Sighting, str]) -> dict[str, list[Sighting]]:
    named_by: dict[str, list[Sighting]] = {}
    for alert, name in alerts.items():
        named_by.setdefault(name, []).append(alert)
    return named_by


def _row_of(
    known: Neighbourhood, names: Sequence[str], order: Mapping[str, int]
) -> str:
    """Choose the id of a ban's row: that known first, else one that it had before.

    `order` numbers the rows, which are thousands of an address now and then.
    """
    rows = [name for name in names if name in order]
    if rows:
        return min(rows, key=order.__getitem__)
    return next((name for name in names if name in known.others), names[0])


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

    Inside the same transaction; a ban without any costs two looks into indexes, and the
    end of one that the log told of as well no more, as a rule. One that only old
    records told of until now is new.
    """
    ban_id, ip = recorded.ban_id, recorded.ip
    if ban_id is None:
        return recorded
    is_new, failed_at = recorded.is_new, round(event.failed_at)
    if is_new:
        if not may_change_others(connection, host, ip, failed_at, now=now):
            return recorded
        settle(connection, host, ip, (), now=now, is_changed=True)
    elif is_told_by_others(connection, ban_id):
        told = _told_by(event, jail)
        settled = decided_alone(connection, ban_id, told, now=now)
        if settled is None:
            settled = settle(connection, host, ip, (told,), now=now)
        else:
            write(connection, (settled,), {}, now=now)
        is_new = told.kind == "ban" and not settled.known.was_reported(told)
    else:
        return recorded
    own = own_id(connection, ban_id)
    if event.kind is EventKind.BAN:
        wishes.told_live(connection, own)
    return replace(recorded, ban_id=own, is_new=is_new)


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
