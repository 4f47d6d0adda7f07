"""What was decided on the rows of addresses, and writing it for many at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.model import time_text
from f2b_enrich.store import lines, origins, repeats, wishes
from f2b_enrich.store.contents import NOTHING, Content, enrich
from f2b_enrich.store.merging import absorb
from f2b_enrich.store.sighted import (
    Beside,
    beside_of,
    columns_of,
    is_told_by_row,
    keep,
    let_go,
    let_go_loose,
    text_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from f2b_enrich.joining.sightings import Joined, Sighting
    from f2b_enrich.store.neighbourhoods import Neighbourhood
    from f2b_enrich.store.wishes import LookUp

_INSERT = """
    INSERT INTO bans (
        id, host, ip, ip_version, subnet,
        jail, banned_at, banned_at_source, bantime_seconds, expires_at, unbanned_at,
        origin, reference, announced_at, received_at,
        failures, ban_count, lines_received, captures, look_up
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

Row: TypeAlias = "tuple[object, ...]"
"""The columns of a new ban, its id first, as `insert` takes them."""

_UPDATE = """
    UPDATE bans SET jail = :jail, banned_at = :banned_at,
    banned_at_source = :banned_at_source, bantime_seconds = :bantime_seconds,
    expires_at = :expires_at, unbanned_at = :unbanned_at WHERE id = :id
"""

_LINE = "INSERT INTO log_lines (ban_id, position, line) VALUES (?, ?, ?)"

_ORIGIN = "INSERT INTO other_origins VALUES (?, ?, ?, ?)"

_POINT = "INSERT OR REPLACE INTO other_ids VALUES (?, ?)"

# Whoever writes a mail can name any id in it.
_POINT_IF_NEW = """
    INSERT INTO other_ids SELECT ?1, ?2
    WHERE NOT EXISTS (SELECT 1 FROM ban_ids WHERE id = ?1)
"""

_PROLONGED = """
    UPDATE bans SET prolonged_at = max(ifnull(prolonged_at, ''), ?),
    ban_count = max(ban_count, ?) WHERE id = ?
"""


@dataclass(slots=True, kw_only=True)
class Settlement:
    """What the records of a host and address came to.

    `bans` and their `names` stand by the row of each; `ban_ids` tells which row each
    record is found under. `refused` are bans that may have been purged. Nothing is
    `is_decided` when all of it was there.
    """

    known: Neighbourhood
    is_decided: bool = False
    bans: dict[str, Joined] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    ban_ids: dict[Sighting, str] = field(default_factory=dict)
    loose: frozenset[Sighting] = frozenset()
    refused: int = 0

    @property
    def begun(self) -> list[str]:
        """Name the rows that are new."""
        return [row for row in self.bans if row not in self.known.told]

    @property
    def new(self) -> int:
        """Count the rows that are new."""
        return len(self.begun)

    def begun_at(self, row: str) -> str:
        """Tell when a ban began, as the store writes times."""
        if self.is_decided:
            return text_of(self.bans[row].at)
        return str(self.known.rows[row]["banned_at"])

    def was_exact(self, row: str) -> bool:
        """Tell whether fail2ban itself told of a ban, or of one that became it."""
        names = (row, *self.names.get(row, ()))
        rows = (self.known.rows[name] for name in names if name in self.known.rows)
        return any(each["banned_at_source"] == "failure" for each in rows)

    @property
    def has_alerts(self) -> bool:
        """Tell whether an alert of ours tells of a ban that nothing else names."""
        return any(
            each.alert_of is not None
            for ban in self.bans.values()
            for each in ban.sightings
        )


def write(
    connection: sqlite3.Connection,
    settled: Sequence[Settlement],
    contents: Mapping[str, Content],
    *,
    now: datetime,
    look_up: LookUp = "local",
) -> None:
    """Write what was decided, and by their rows what came with the records.

    `look_up` is what is wished of rows that are new.
    """
    decided = [each for each in settled if each.is_decided]
    at = time_text(now)
    _insert(connection, decided, contents, at, wishes.kept(look_up))
    repeating = repeats.jails(connection)
    beside: list[Beside] = []
    changed_rows: set[str] = set()
    for each in decided:
        if each.known.told or each.has_alerts:
            _join_rows(connection, each)
        changed = _changed(each)
        changed_rows.update(changed)
        beside += _update(connection, each, changed)
        for row in changed if each.known.told else ():
            pairs = contents.get(row, NOTHING).origins
            origins.settle(connection, row, each.bans[row], pairs, at=at)
        if each.known.waiting:
            _take_waiting(connection, each)
        if changed and not repeating.isdisjoint(_jails(each)):
            _point_repeats(connection, each, changed)
    keep(connection, beside)
    _enrich(connection, settled, contents, changed_rows, at)


def insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Insert rows of bans; in order they touch fewer pages."""
    connection.executemany(_INSERT, sorted(rows))


def _insert(
    connection: sqlite3.Connection,
    decided: Iterable[Settlement],
    contents: Mapping[str, Content],
    at: str,
    look_up: str,
) -> None:
    """Insert rows with all that came with them."""
    rows: list[Row] = []
    said: list[tuple[str, int, str]] = []
    from_elsewhere: list[tuple[str, str, str, str]] = []
    for each in decided:
        known, begun = each.known, each.begun
        if not begun:
            continue
        address = read_address(known.ip)
        of_address = (known.host, known.ip, address.version, address.subnet)
        for row in begun:
            ban, content = each.bans[row], contents.get(row, NOTHING)
            if row in known.others:
                connection.execute("DELETE FROM other_ids WHERE id = ?", (row,))
            own, others = origins.arranged(
                origins.named_by(ban.best), content.origins | origins.of(ban.sightings)
            )
            from_elsewhere += [(row, *pair, at) for pair in others]
            columns = columns_of(ban)
            banned_at = columns["banned_at"]
            rows.append(
                (
                    *(row, *of_address, columns["jail"], banned_at),
                    *(columns["banned_at_source"], columns["bantime_seconds"]),
                    *(columns["expires_at"], columns["unbanned_at"]),
                    *(*own, banned_at, at, content.failures, content.ban_count),
                    *(len(content.lines), content.captures_text, look_up),
                )
            )
            said += [(row, *line) for line in lines.kept(content.lines)]
    insert(connection, rows)
    connection.executemany(_LINE, sorted(said))
    connection.executemany(_ORIGIN, from_elsewhere)


def _join_rows(connection: sqlite3.Connection, settled: Settlement) -> None:
    """Make the other rows of each ban names of it, and point such names at it.

    That of its failure is always one, for a live report may still come by it.
    """
    known = settled.known
    for row, ban in settled.bans.items():
        for name in settled.names[row]:
            if name == row:
                continue
            is_failure = name == settled.names[row][0] and ban.precision == "failure"
            if name in known.told:
                absorb(connection, name, into=row)
            elif known.others.get(name, "" if is_failure else row) != row:
                connection.execute(_POINT, (name, row))
        if ban.precision != "failure":  # else an alert that is left means another one
            _point_as_alerts_do(connection, known, row, ban)


def _point_as_alerts_do(
    connection: sqlite3.Connection, known: Neighbourhood, row: str, ban: Joined
) -> None:
    """Find a ban by what our alerts call it, but for what is called so already."""
    for name in filter(None, (each.alert_of for each in ban.sightings)):
        if known.others.get(name) != row:
            point = _POINT if name in known.others else _POINT_IF_NEW
            connection.execute(point, (name, row))


def _changed(settled: Settlement) -> list[str]:
    told = settled.known.told
    return [
        row
        for row, ban in settled.bans.items()
        if row not in told or told[row] != frozenset(ban.sightings)
    ]


def _update(
    connection: sqlite3.Connection, settled: Settlement, changed: Sequence[str]
) -> list[Beside]:
    """Bring rows in line with their records; give the records to keep beside them."""
    known, beside = settled.known, []
    for row in changed:
        if row in known.told:
            let_go(connection, row)
    for row in changed:
        ban = settled.bans[row]
        if row in known.told:
            connection.execute(_UPDATE, {"id": row, **columns_of(ban)})
        if not is_told_by_row(ban):
            beside += beside_of(known.host, known.ip, row, ban.sightings)
    if known.loose != settled.loose:
        let_go_loose(connection, known.host, known.ip)
        beside += beside_of(known.host, known.ip, None, settled.loose)
    return beside


def _take_waiting(connection: sqlite3.Connection, settled: Settlement) -> None:
    """Take what waited for its ban, if that has a row now."""
    for each in settled.known.waiting:
        row = settled.ban_ids.get(each.sighting)
        if row is None:
            continue
        connection.execute(
            "DELETE FROM waiting_events WHERE ban_id = ? AND kind = ?",
            (each.ban_id, each.sighting.kind),
        )
        if each.sighting.kind == "prolong":
            connection.execute(
                _PROLONGED, (text_of(each.sighting.at), each.ban_count, row)
            )


def _jails(settled: Settlement) -> set[str]:
    jails = {ban.jail or "" for ban in settled.bans.values()}
    return jails.union(row["jail"] for row in settled.known.rows.values())


def _point_repeats(
    connection: sqlite3.Connection, settled: Settlement, changed: Sequence[str]
) -> None:
    """Look again at what points at bans of before and of now."""
    known = settled.known
    now = [settled.begun_at(row) for row in changed]
    names = (name for row in changed for name in settled.names[row])
    before = [known.rows[one]["banned_at"] for one in names if one in known.rows]
    times = [*now, *before]
    repeats.settle_between(connection, known.host, known.ip, min(times), max(times))


def _enrich(
    connection: sqlite3.Connection,
    settled: Iterable[Settlement],
    contents: Mapping[str, Content],
    changed: AbstractSet[str],
    at: str,
) -> None:
    """Add what came with records of bans that were there."""
    for each in settled:
        for row in each.known.told:
            content = contents.get(row)
            if content is None:
                continue
            enrich(connection, row, content, was_exact=each.was_exact(row))
            if row not in changed:
                origins.settle(connection, row, None, content.origins, at=at)
