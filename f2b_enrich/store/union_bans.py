"""The bans of several stores made one set, by the rules for records of any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.store import neighbourhoods, repeats
from f2b_enrich.store.settling import settle
from f2b_enrich.store.sighted import beside_of, keep, told_by_row
from f2b_enrich.store.union_rows import OneOf, Statements, united
from f2b_enrich.store.union_tables import columns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from f2b_enrich.joining.sightings import Sighting
    from f2b_enrich.store.neighbourhoods import Key

AT_ONCE = 5_000
"""Bans copied by one statement, or lines indexed by it."""

_SHARED = """
    CREATE TEMP TABLE shared (ip TEXT, host TEXT, PRIMARY KEY (ip, host)) WITHOUT ROWID
"""

_IN_SEVERAL = """
    INSERT INTO temp.shared SELECT ip, host FROM ({each})
    GROUP BY ip, host HAVING count(*) > 1
"""

_PLACES = """
    SELECT * FROM (
        SELECT DISTINCT ip, host FROM {source}.bans
        UNION SELECT ip, host FROM {source}.ban_records WHERE ban_id IS NULL
    )
"""

_ALONE = """
    NOT EXISTS (SELECT 1 FROM temp.shared
    WHERE shared.ip = {row}.ip AND shared.host = {row}.host)
"""

_BANS = """
    INSERT INTO main.bans ({columns}) SELECT {values} FROM {source}.bans AS ban
    WHERE ban.rowid > ? AND ban.rowid <= ? AND {alone} ORDER BY ban.rowid
"""

_OF_BANS = """
    INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {values}
    FROM {source}.bans AS ban CROSS JOIN {source}.{table} AS row ON row.ban_id = ban.id
    WHERE ban.rowid > ? AND ban.rowid <= ? AND {alone} ORDER BY ban.rowid
"""

_LOOSE = """
    INSERT INTO main.ban_records SELECT * FROM {source}.ban_records AS row
    WHERE ban_id IS NULL AND {alone}
"""

_OF_A_BAN = (
    *("log_lines", "observed", "ban_attacks"),
    *("other_ids", "other_origins", "ban_records"),
)

_AWAITED = """
    SELECT DISTINCT bans.host, bans.ip FROM main.waiting_events AS waiting
    JOIN main.ban_ids ON ban_ids.id = waiting.ban_id
    JOIN main.bans ON bans.id = ban_ids.ban_id
"""

_INDEX = """
    INSERT INTO log_lines_fts (rowid, line) SELECT id, line FROM main.log_lines
    WHERE id > ? AND id <= ? ORDER BY id
"""


class Union:
    """Bring the bans of attached stores together, inside the caller's transaction."""

    def __init__(
        self, connection: sqlite3.Connection, sources: Sequence[str], *, now: datetime
    ) -> None:
        """Find the addresses that several of them know, of the same host."""
        self._connection = connection
        self._sources = sources
        self._now = now
        self._make = Statements(connection, sources)
        self._repeating = bool(repeats.jails(connection))
        connection.execute(_SHARED)
        each = " UNION ALL ".join(_PLACES.format(source=one) for one in sources)
        connection.execute(_IN_SEVERAL.format(each=each))

    def count(self) -> int:
        """Count the bans of all sources, one that several have so often."""
        counts = (
            self._connection.execute(f"SELECT count(*) FROM {source}.bans").fetchone()
            for source in self._sources
        )
        return sum(row[0] for row in counts)

    def steps(self) -> Iterator[int]:
        """Do it; tell after each step how many bans are done with it."""
        for source in self._sources:
            yield from self._copy_alone(source)
        places = self._connection.execute("SELECT host, ip FROM temp.shared")
        for row in places:
            yield self._unite((row["host"], row["ip"]))
        for row in self._connection.execute(_AWAITED).fetchall():
            self._settle((row["host"], row["ip"]), set())

    def index(self) -> Iterator[int]:
        """Index the log lines; tell after each step how many are done with it."""
        last = self._connection.execute(
            "SELECT ifnull(max(id), 0) FROM main.log_lines"
        ).fetchone()[0]
        for after in range(0, last, AT_ONCE):
            until = after + AT_ONCE
            yield self._connection.execute(_INDEX, (after, until)).rowcount

    def _copy_alone(self, source: str) -> Iterator[int]:
        """Copy the bans of addresses that no other source knows."""
        run = self._connection.execute
        run(_LOOSE.format(source=source, alone=_ALONE.format(row="row")))
        last = run(f"SELECT ifnull(max(rowid), 0) FROM {source}.bans").fetchone()[0]
        statements = self._statements(source)
        for after in range(0, last, AT_ONCE):
            for number, statement in enumerate(statements):
                count = run(statement, (after, after + AT_ONCE)).rowcount
                if not number:
                    yield count

    def _statements(self, source: str) -> list[str]:
        alone = _ALONE.format(row="ban")
        names = columns(self._connection, "bans")
        numbers = {
            "enrichment_id": "(SELECT new FROM temp.looked_up "
            f"WHERE source = '{source}' AND looked_up.id = ban.enrichment_id)",
            "rule_set": "(SELECT ours.id FROM main.rule_sets AS ours "
            f"JOIN {source}.rule_sets AS theirs ON theirs.digest = ours.digest "
            "WHERE theirs.id = ban.rule_set)",
        }
        values = [numbers.get(name, f"ban.{name}") for name in names]
        found = [
            _BANS.format(
                columns=", ".join(names),
                values=", ".join(values),
                source=source,
                alone=alone,
            )
        ]
        for table in _OF_A_BAN:
            names = columns(self._connection, table)
            if table == "log_lines":
                names = names[1:]  # its number is its own
            found.append(
                _OF_BANS.format(
                    table=table,
                    columns=", ".join(names),
                    values=", ".join(f"row.{name}" for name in names),
                    source=source,
                    alone=alone,
                )
            )
        return found

    def _unite(self, place: Key) -> int:
        """Bring together what several sources know of one host and address."""
        of_sources = [
            OneOf(self._connection, source, place) for source in self._sources
        ]
        is_same = united(self._connection, of_sources, self._make)
        told: set[Sighting] = set()
        for one in of_sources:
            told |= one.loose.union(*one.told.values())
        self._keep(place, of_sources)
        if is_same:
            loose = frozenset().union(*(one.loose for one in of_sources))
            keep(self._connection, beside_of(*place, None, loose))
            self._point_repeats(place)
        else:
            self._settle(place, told)
        return sum(len(one.rows) for one in of_sources)

    def _keep(self, place: Key, of_sources: Sequence[OneOf]) -> None:
        """Keep the records of each row beside it, where it does not tell them."""
        host, ip = place
        rows = self._connection.execute(
            "SELECT * FROM main.bans WHERE ip = ? AND host = ?", (ip, host)
        )
        beside = []
        for row in rows:
            of_row = frozenset().union(
                *(one.told.get(row["id"], ()) for one in of_sources)
            )
            if told_by_row(row) != of_row:
                beside += beside_of(host, ip, row["id"], of_row)
        keep(self._connection, beside)

    def _settle(self, place: Key, told: set[Sighting]) -> None:
        host, ip = place
        if not told:
            known = neighbourhoods.read(self._connection, {place: ()})[place]
            told = known.records
        settle(self._connection, host, ip, told, now=self._now, is_changed=True)
        self._point_repeats(place)

    def _point_repeats(self, place: Key) -> None:
        if not self._repeating:
            return
        host, ip = place
        first, last = self._connection.execute(
            "SELECT min(banned_at), max(banned_at) FROM main.bans "
            "WHERE ip = ? AND host = ?",
            (ip, host),
        ).fetchone()
        if first is not None:
            repeats.settle_between(self._connection, host, ip, first, last)
