"""What was learnt about addresses: a snapshot each, shared by the bans it served."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from f2b_enrich.inert import without_nul
from f2b_enrich.model import Enrichment, read_time, time_text
from f2b_enrich.store import outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

_COLUMNS = tuple(field.name for field in fields(Enrichment))
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_DEEPEST = 100
"""Levels of what a source said; real answers have five."""

_JSON = frozenset({"field_sources", "raw"})
_ALWAYS = frozenset({"complete", "local_only"})
_FLAGS = frozenset(
    name for name in _COLUMNS if name.startswith("is_") or name == "hostname_confirmed"
)


def save(connection: sqlite3.Connection, found: Enrichment) -> None:
    """Add a snapshot and give it to every live ban of the address that waits."""
    _attach(connection, found.ip, add(connection, found))


def add(connection: sqlite3.Connection, found: Enrichment) -> int:
    """Add a snapshot; give its number."""
    marks = ", ".join("?" * len(_COLUMNS))
    cursor = connection.execute(
        f"INSERT INTO enrichments ({', '.join(_COLUMNS)}) VALUES ({marks})",
        tuple(_to_column(name, getattr(found, name)) for name in _COLUMNS),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT has one
    return cursor.lastrowid


def attach_fresh(
    connection: sqlite3.Connection,
    ip: str,
    *,
    complete_since: datetime,
    incomplete_since: datetime,
) -> bool:
    """Give waiting live bans of an address a fresh snapshot; tell if there is one.

    One that lacks a source which could not be asked goes stale sooner; one for which
    only the local database was asked, for an old ban, is none for a live one.
    """
    row = connection.execute(
        "SELECT id FROM enrichments WHERE ip = ? AND NOT local_only "
        "AND looked_up_at >= iif(complete, ?, ?) ORDER BY looked_up_at DESC LIMIT 1",
        (ip, time_text(complete_since), time_text(incomplete_since)),
    ).fetchone()
    if row is None:
        return False
    _attach(connection, ip, row["id"])
    return True


def _attach(connection: sqlite3.Connection, ip: str, enrichment_id: int) -> None:
    # `look_up` stands in that index: old bans of the address are passed over there.
    bans = connection.execute(
        "UPDATE bans INDEXED BY bans_by_ip SET enrichment_id = ? "
        "WHERE ip = ? AND enrichment_id IS NULL AND look_up = 'full' RETURNING id",
        (enrichment_id, ip),
    ).fetchall()
    for ban in bans:
        outbox.hasten(connection, ban["id"])


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ban without a snapshot; `row` grows with the order of arrival."""

    row: int
    ip: str


def waiting(
    connection: sqlite3.Connection, *, after: int, limit: int
) -> tuple[Waiting, ...]:
    """List live bans behind row `after` without a snapshot, in the order of arrival."""
    found = connection.execute(
        "SELECT rowid, ip FROM bans INDEXED BY bans_not_enriched "
        "WHERE enrichment_id IS NULL AND look_up = 'full' AND rowid > ? "
        "ORDER BY rowid LIMIT ?",
        (after, limit),
    )
    return tuple(Waiting(row["rowid"], row["ip"]) for row in found)


def get(connection: sqlite3.Connection, enrichment_id: int) -> Enrichment:
    """Read one snapshot."""
    row = connection.execute(
        "SELECT * FROM enrichments WHERE id = ?", (enrichment_id,)
    ).fetchone()
    return read_row(row)


def latest(connection: sqlite3.Connection, ip: str) -> Enrichment | None:
    """Read the newest snapshot of an address."""
    row = connection.execute(
        "SELECT * FROM enrichments WHERE ip = ? ORDER BY looked_up_at DESC, id DESC "
        "LIMIT 1",
        (ip,),
    ).fetchone()
    return None if row is None else read_row(row)


def read_row(row: sqlite3.Row) -> Enrichment:
    """Turn a row of the table into a value."""
    values: dict[str, Any] = {name: _from_column(name, row[name]) for name in _COLUMNS}
    return Enrichment(**values)


def _to_column(name: str, value: Any) -> Any:  # noqa: ANN401 - what SQLite takes
    if name == "looked_up_at":
        return time_text(value)
    if name in _JSON:
        value = json.dumps(value, ensure_ascii=False, default=str)
        value = _ESCAPED_NUL.sub(r"\1\\u2400", value)
    if isinstance(value, str):
        # A source's JSON can hold half of a surrogate pair, which UTF-8 cannot.
        value = without_nul(value.encode("utf-8", "replace").decode())
    return value


def _from_column(name: str, value: Any) -> object:  # noqa: ANN401 - what SQLite gave
    if name == "looked_up_at":
        return read_time(value)
    if name in _JSON:
        return _read_object(value)
    if name in _ALWAYS or (name in _FLAGS and value is not None):
        return bool(value)
    return value


def _read_object(text: str) -> Mapping[str, object]:
    """Read a JSON object; broken or nested beyond reason, it tells nothing."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and not _is_deep(found) else {}


def _is_deep(value: object) -> bool:
    """Tell whether writing it again could take all of Python's stack."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            for inner in (
                each.values()
                if isinstance(each, dict)
                else each
                if isinstance(each, list)
                else ()
            )
        ]
        if not level:
            return False
    return True
