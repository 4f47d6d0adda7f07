"""The rows that several stores have of one host and address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.store.sighted import read_sighting, told_by_row
from f2b_enrich.store.union_tables import columns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from typing import Any

    from f2b_enrich.joining.sightings import Sighting
    from f2b_enrich.store.neighbourhoods import Key

_ROWS = """
    SELECT ban.*,
    (SELECT new FROM temp.looked_up WHERE source = '{source}'
     AND looked_up.id = ban.enrichment_id) AS our_look_up,
    (SELECT looked_up_at FROM {source}.enrichments
     WHERE enrichments.id = ban.enrichment_id) AS looked_up_at,
    (SELECT ours.id FROM {source}.rule_sets AS theirs JOIN main.rule_sets AS ours
     ON ours.digest = theirs.digest WHERE theirs.id = ban.rule_set) AS our_rule_set,
    (SELECT count(*) FROM {source}.log_lines WHERE ban_id = ban.id) AS lines_kept,
    (SELECT count(*) FROM {source}.observed WHERE ban_id = ban.id) AS values_kept
    FROM {source}.bans AS ban WHERE ip = ? AND host = ?
"""

_LINES = """
    SELECT group_concat(line, char(10)) FROM (
        SELECT line FROM {source}.log_lines WHERE ban_id = ? ORDER BY position)
"""

_OTHER_IDS = """
    INSERT INTO main.other_ids
    SELECT other.id, min(other.ban_id) FROM ({each}) AS other
    WHERE NOT EXISTS (SELECT 1 FROM main.bans WHERE bans.id = other.id)
    GROUP BY other.id ON CONFLICT (id) DO UPDATE
    SET ban_id = min(ban_id, excluded.ban_id)
"""

_OF_ADDRESS = """
    SELECT other_ids.id, other_ids.ban_id FROM {source}.bans
    JOIN {source}.other_ids ON other_ids.ban_id = bans.id WHERE ip = ?1 AND host = ?2
"""

_ORIGIN = """
    INSERT OR IGNORE INTO main.other_origins
    SELECT :id, :their_origin, :their_reference, :their_received_at
    WHERE (:their_origin, :their_reference) != (:origin, :reference)
"""
_ORIGINS = ("origin", "reference", "received_at")

_CONTENT = ("log_lines", "observed", "ban_attacks")
_RICHER = ("captures", "attack", "our_rule_set", "rule_set")


class OneOf:
    """What one store knows of the address: its rows, and the records of each."""

    def __init__(self, connection: sqlite3.Connection, source: str, place: Key) -> None:
        """Read it."""
        self.source, self.place = source, place
        host, ip = place
        found = connection.execute(_ROWS.format(source=source), (ip, host))
        self.rows: dict[str, dict[str, Any]] = {row["id"]: dict(row) for row in found}
        kept: dict[str | None, set[Sighting]] = {}
        for row in connection.execute(
            f"SELECT * FROM {source}.ban_records WHERE ip = ? AND host = ?", (ip, host)
        ):
            kept.setdefault(row["ban_id"], set()).add(read_sighting(row))
        self.loose = frozenset(kept.get(None, ()))
        self.told = {
            each: frozenset(kept.get(each, ())) or told_by_row(row)
            for each, row in self.rows.items()
        }


class Statements:
    """What writes one row and what belongs to it, made once: there may be millions."""

    def __init__(self, connection: sqlite3.Connection, sources: Sequence[str]) -> None:
        """Make them for these sources."""
        names = columns(connection, "bans")
        marks = ", ".join(f":{name}" for name in names)
        self.insert = f"INSERT INTO main.bans ({', '.join(names)}) VALUES ({marks})"
        self.content = {
            source: [_copy(connection, table, source) for table in _CONTENT]
            for source in sources
        }
        self.origins = {
            source: _copy(connection, "other_origins", source) for source in sources
        }


def united(
    connection: sqlite3.Connection, of_sources: Sequence[OneOf], make: Statements
) -> bool:
    """Write the rows of all, one that several have once, the first known first.

    Tell whether they all had the same ones, of the same records: then nothing is to be
    decided.
    """
    rows = []
    for each in {each for one in of_sources for each in one.rows}:
        having = [one for one in of_sources if each in one.rows]
        richest = _richest(connection, each, having)
        rows.append((_one_row([one.rows[each] for one in having], richest), richest))
    for row, richest in sorted(rows, key=lambda pair: _known_since(pair[0])):
        connection.execute(make.insert, row)
        for statement in make.content[richest.source]:
            connection.execute(statement, (row["id"],))
        for one in of_sources:
            if (theirs := one.rows.get(row["id"])) is not None:
                connection.execute(make.origins[one.source], (row["id"],))
                told = {f"their_{name}": theirs[name] for name in _ORIGINS}
                connection.execute(_ORIGIN, row | told)
    each = " UNION ALL ".join(_OF_ADDRESS.format(source=o.source) for o in of_sources)
    host, ip = of_sources[0].place
    connection.execute(_OTHER_IDS.format(each=each), (ip, host))
    first, *others = (one for one in of_sources if one.rows or one.loose)
    return all((one.told, one.loose) == (first.told, first.loose) for one in others)


def _known_since(row: dict[str, Any]) -> tuple[str, str]:
    return row["received_at"], row["id"]


def _richest(
    connection: sqlite3.Connection, ban_id: str, having: Sequence[OneOf]
) -> OneOf:
    """Choose whose lines, values and classes stay, whatever the order of the stores."""
    if len(having) == 1:
        return having[0]

    def wealth(one: OneOf) -> tuple[object, ...]:
        row, said = one.rows[ban_id], None
        if row["lines_kept"]:
            lines = connection.execute(_LINES.format(source=one.source), (ban_id,))
            (said,) = lines.fetchone()
        return (
            row["lines_kept"],
            row["values_kept"],
            row["lines_received"],
            row["rule_set"] is not None,
            said or "",
            row["captures"] or "",
            row["attack"] or "",
        )

    return max(having, key=wealth)


def _one_row(rows: Sequence[dict[str, Any]], richest: OneOf) -> dict[str, Any]:
    """Make one row of those that have the same id."""
    first = rows[0]
    if any(row != first for row in rows):
        first = min(rows, key=lambda row: (row["received_at"], repr(_plain(row))))
    rich = richest.rows[first["id"]]
    looked_up = [row for row in rows if row["our_look_up"] is not None]
    earliest = min(
        looked_up, key=lambda row: (row["looked_up_at"], row["received_at"]), default={}
    )
    prolonged = [row["prolonged_at"] for row in rows if row["prolonged_at"]]
    return {
        **first,
        **{name: rich[name] for name in _RICHER},
        "rule_set": rich["our_rule_set"],
        "enrichment_id": earliest.get("our_look_up"),
        "lines_received": max(row["lines_received"] for row in rows),
        "failures": max(row["failures"] for row in rows),
        "ban_count": max(row["ban_count"] for row in rows),
        "announced_at": max(row["announced_at"] for row in rows),
        "prolonged_at": max(prolonged, default=None),
        "repeat_of": None,
    }


def _plain(row: dict[str, Any]) -> list[tuple[str, Any]]:
    """Give what does not depend on how a store numbers its rows."""
    numbers = ("enrichment_id", "rule_set", "our_look_up", "our_rule_set")
    return sorted((name, value) for name, value in row.items() if name not in numbers)


def _copy(connection: sqlite3.Connection, table: str, source: str) -> str:
    names = columns(connection, table)
    if table == "log_lines":
        names = names[1:]  # its number is its own
    listed = ", ".join(names)
    return (
        f"INSERT OR IGNORE INTO main.{table} ({listed}) "
        f"SELECT {listed} FROM {source}.{table} WHERE ban_id = ?"
    )
