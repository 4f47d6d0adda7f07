"""What the store knows of hosts and addresses, read for many of them at once."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.joining.sightings import Sighting, id_of, planned_end
from f2b_enrich.model import read_time
from f2b_enrich.store.sighted import read_sighting, told_by_row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from f2b_enrich.joining.sightings import Joined

Key: TypeAlias = tuple[str, str]
"""A host and an address."""

# The order of the FROM clause is that of the search: a few addresses of very many. Each
# is searched once, however many hosts banned it; the index tells which of them count.
_ROWS = """
    WITH wanted AS (
        SELECT json_extract(value, '$[0]') AS host, json_extract(value, '$[1]') AS ip
        FROM json_each(?)
    )
    SELECT bans.id, bans.host, bans.ip, jail, banned_at, banned_at_source,
    bantime_seconds, expires_at, unbanned_at, origin, reference
    FROM (SELECT DISTINCT ip FROM wanted) AS addresses
    CROSS JOIN bans ON bans.ip = addresses.ip
    WHERE (bans.host, bans.ip) IN (SELECT host, ip FROM wanted) ORDER BY bans.rowid
"""

_KEPT = """
    SELECT ban_records.* FROM json_each(?) AS wanted CROSS JOIN ban_records
    ON ip = json_extract(wanted.value, '$[1]')
    AND host = json_extract(wanted.value, '$[0]')
"""

_OTHERS = """
    SELECT other_ids.id, other_ids.ban_id FROM json_each(?) AS wanted
    CROSS JOIN other_ids ON other_ids.ban_id = wanted.value
"""

_WAITING = """
    SELECT waiting_events.* FROM json_each(?) AS wanted
    CROSS JOIN waiting_events ON ban_id = wanted.value
"""

_BEGINNINGS = ("ban", "again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An unban or longer ban that came before its ban."""

    ban_id: str
    sighting: Sighting
    ban_count: int


@dataclass(slots=True, kw_only=True)
class Neighbourhood:
    """The rows of a host and address in their order, and the records beside them.

    `told` are the records of each row, `others` the further ids and whose they are,
    `waiting` what came before its ban, by the record that it waited for.
    """

    host: str
    ip: str
    told: dict[str, frozenset[Sighting]] = field(default_factory=dict)
    rows: dict[str, sqlite3.Row] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    loose: frozenset[Sighting] = frozenset()
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing is known of it."""
        return not (self.told or self.loose or self.waiting)

    @property
    def records(self) -> set[Sighting]:
        """Give every record that is known of the address."""
        return set(self.loose).union(*self.told.values())

    def names_of(
        self, ban: Joined, named_by: Mapping[str, Sequence[Sighting]]
    ) -> list[str]:
        """Give the names that its records have, the best record's first.

        Those of its own alerts come last, which stand by the name that they tell.
        """
        host, ip = self.host, self.ip
        if len(ban.sightings) == 1 and not named_by:
            return [id_of(ban.best, host, ip)]
        named = (each for each in ban.sightings if each.kind in _BEGINNINGS)
        names = dict.fromkeys(id_of(each, host, ip) for each in named)
        of_alerts = [
            id_of(alert, host, ip) for name in names for alert in named_by.get(name, ())
        ]
        return [*names, *of_alerts]

    def was_reported(self, live: Sighting) -> bool:
        """Tell whether a ban had been reported live before."""
        return any(
            each.origin == "live"
            and each.kind == "ban"
            and (each.at, each.jail) == (live.at, live.jail)
            for each in self.records
        )

    def own_alerts(self, told: Iterable[Sighting]) -> dict[Sighting, str]:
        """Find the alerts of our own whose ban another record names, and its id.

        Such an alert tells nothing that the record does not, and is of no other ban.
        """
        alerts = {each: each.alert_of for each in told if each.alert_of is not None}
        if not alerts:
            return {}
        ids = {
            id_of(each, self.host, self.ip)
            for each in told
            if each.kind in _BEGINNINGS and each.precision in ("failure", "logged")
        }
        return {each: name for each, name in alerts.items() if name in ids}


def read(
    connection: sqlite3.Connection, wanted: Mapping[Key, Collection[Sighting]]
) -> dict[Key, Neighbourhood]:
    """Read what is known of hosts and addresses, and what waits for those records."""
    known = {key: Neighbourhood(host=key[0], ip=key[1]) for key in wanted}
    keys = json.dumps(list(wanted))
    kept: dict[Key, dict[str | None, set[Sighting]]] = {}
    for row in connection.execute(_KEPT, (keys,)):
        of_bans = kept.setdefault((row["host"], row["ip"]), defaultdict(set))
        of_bans[row["ban_id"]].add(read_sighting(row))
    whose: dict[str, Neighbourhood] = {}
    for row in connection.execute(_ROWS, (keys,)):
        key, ban_id = (row["host"], row["ip"]), row["id"]
        near = whose[ban_id] = known[key]
        beside = kept.get(key, {}).get(ban_id)
        near.told[ban_id] = frozenset(beside) if beside else told_by_row(row)
        near.rows[ban_id] = row
    for key, of_bans in kept.items():
        known[key].loose = frozenset(of_bans.get(None, ()))
    if whose:
        for row in connection.execute(_OTHERS, (json.dumps(list(whose)),)):
            whose[row["ban_id"]].others[row["id"]] = row["ban_id"]
    _read_waiting(connection, wanted, known)
    return known


def of_row(connection: sqlite3.Connection, ban_id: str) -> Neighbourhood:
    """Read what is known of a single ban, as if its address had no other."""
    row = connection.execute("SELECT * FROM bans WHERE id = ?", (ban_id,)).fetchone()
    kept = connection.execute("SELECT * FROM ban_records WHERE ban_id = ?", (ban_id,))
    told = frozenset(map(read_sighting, kept)) or told_by_row(row)
    names = connection.execute(_OTHERS, (json.dumps([ban_id]),))
    return Neighbourhood(
        host=row["host"],
        ip=row["ip"],
        told={ban_id: told},
        rows={ban_id: row},
        others={each["id"]: ban_id for each in names},
    )


def _read_waiting(
    connection: sqlite3.Connection,
    wanted: Mapping[Key, Collection[Sighting]],
    known: Mapping[Key, Neighbourhood],
) -> None:
    if not connection.execute(
        "SELECT EXISTS (SELECT 1 FROM waiting_events)"
    ).fetchone()[0]:
        return
    awaited = {
        id_of(each, *key): (key, each)
        for key, told in wanted.items()
        for each in told
        if each.kind == "ban" and each.precision == "failure"
    }
    for row in connection.execute(_WAITING, (json.dumps(list(awaited)),)):
        key, ban = awaited[row["ban_id"]]
        is_unban = row["kind"] == "unban"
        told = Sighting(
            kind=row["kind"],
            precision="logged",
            origin="live",
            at=int(read_time(row["at"]).timestamp()),
            jail=ban.jail,
            ends_at=None if is_unban else planned_end(ban.at, row["bantime_seconds"]),
            failed_at=ban.at,
        )
        known[key].waiting.append(
            Waiting(
                ban_id=row["ban_id"], sighting=told, ban_count=row["ban_count"] or 1
            )
        )
