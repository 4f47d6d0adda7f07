"""Old records taken into the store, each once, whatever order they come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.model import time_text
from f2b_enrich.store import wishes
from f2b_enrich.store.contents import Content
from f2b_enrich.store.plain import record_of, take_plain
from f2b_enrich.store.retention import purged
from f2b_enrich.store.settled import write
from f2b_enrich.store.settling import decide

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from f2b_enrich.joining.plain_lines import PlainLine
    from f2b_enrich.joining.sightings import Sighting
    from f2b_enrich.store.neighbourhoods import Key
    from f2b_enrich.store.settled import Settlement

LookUp: TypeAlias = wishes.LookUp
"""What the addresses of old bans are looked up in: what is here, all, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One old record: what tells which ban it is of, and what came with it.

    `reference` is where it stood: a file's name, a Message-ID, or nothing. `lines` is
    harmless text, `captures` are kinds and values that fail2ban's filter
    named. `ban_id` is the id that one of our own alerts names.
    """

    sighting: Sighting
    reference: str
    failures: int | None = None
    ban_count: int | None = None
    lines: tuple[str, ...] = ()
    captures: tuple[tuple[str, str], ...] = ()
    ban_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """Bans that are new, that were there, and that are not brought back: purged."""

    new: int
    known: int
    refused: int


def take_in(
    connection: sqlite3.Connection,
    brought: Mapping[Key, Sequence[Brought | PlainLine]],
    *,
    now: datetime,
    look_up: LookUp,
) -> TakenIn:
    """Write records by host and address, inside the caller's transaction.

    Host, jail and address are as a live report's: folded by the aliases, and written as
    `read_address` does. No mail is queued, and nothing that was purged comes back.
    """
    note_hosts(connection, {host for host, _ in brought}, time_text(now))
    plain: dict[Key, Sequence[PlainLine]] = {}
    others: dict[Key, list[Brought]] = {}
    for key, records in brought.items():
        lines = [record for record in records if not isinstance(record, Brought)]
        if lines and len(lines) == len(records):
            plain[key] = lines
        else:
            others[key] = _all_whole(records)
    taken = take_plain(
        connection,
        plain,
        since=purged(connection).bans,
        at=time_text(now),
        look_up=look_up,
    )
    others.update((key, _all_whole(plain[key])) for key in taken.left)
    rest = _take_any(connection, others, now=now, look_up=look_up)
    return replace(rest, new=rest.new + taken.new)


def _all_whole(records: Iterable[Brought | PlainLine]) -> list[Brought]:
    return [
        record
        if isinstance(record, Brought)
        else Brought(sighting=record_of(record), reference=record[3])
        for record in records
    ]


def _take_any(
    connection: sqlite3.Connection,
    brought: Mapping[Key, Sequence[Brought]],
    *,
    now: datetime,
    look_up: LookUp,
) -> TakenIn:
    told = {
        key: {_sighting(each) for each in records} for key, records in brought.items()
    }
    settled = decide(connection, told, now=now)
    before = purged(connection).lines
    contents: dict[str, Content] = {}
    for each, records in zip(settled, brought.values(), strict=True):
        _gather(contents, each, records, before)
    write(connection, settled, contents, now=now, look_up=look_up)
    hosts: dict[str, list[str]] = {}
    for each in settled:
        if each.known.told:
            hosts.setdefault(each.known.ip, []).append(each.known.host)
    for ip, of_address in hosts.items():
        wishes.raise_to(connection, ip, of_address, look_up)
    new = sum(each.new for each in settled)
    return TakenIn(
        new=new,
        known=len(contents) - new,
        refused=sum(each.refused for each in settled),
    )


def note_hosts(connection: sqlite3.Connection, hosts: set[str], at: str) -> None:
    """Have hosts known of which nothing was."""
    connection.executemany(
        "INSERT OR IGNORE INTO hosts (host, first_seen_at, last_seen_at) "
        "VALUES (?, ?, ?)",
        [(host, at, at) for host in sorted(hosts)],
    )


def _sighting(brought: Brought) -> Sighting:
    if brought.ban_id is None:
        return brought.sighting
    return brought.sighting._replace(alert_of=brought.ban_id)


def _gather(
    contents: dict[str, Content],
    settled: Settlement,
    records: Iterable[Brought],
    before: datetime | None,
) -> None:
    """Gather what came with the records by the rows that they are found under."""
    for each in records:
        told = _sighting(each)
        row = settled.ban_ids.get(told)
        if row is None:
            continue
        content = contents.get(row)
        if content is None:
            content = contents[row] = Content()
        content.origins.add((told.origin, each.reference or told.message_id or ""))
        lines, captures = each.lines, each.captures
        if (
            before is not None
            and (lines or captures)
            and settled.begun_at(row) < time_text(before)
        ):
            lines, captures = (), ()
        content.add(
            failures=each.failures,
            ban_count=each.ban_count,
            lines=lines,
            captures=captures,
            is_exact=told.precision == "failure",
        )
