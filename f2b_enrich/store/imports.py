"""What was read by imports, and up to where, so that nothing is read twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f2b_enrich.model import read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

_NOTE = """
    INSERT INTO imports (
        kind, fingerprint, name, place, first_year, size, read_at, is_finished
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (kind, fingerprint) DO UPDATE SET name = excluded.name,
    place = excluded.place, first_year = excluded.first_year, size = excluded.size,
    read_at = excluded.read_at, is_finished = excluded.is_finished
    RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A log, database or mailbox that was read up to a place.

    `fingerprint` names what was read, with all that changes what its records become,
    such as the host they are taken to be of. `place` is the reader's own, values that
    JSON knows; `first_year` that of the first line of a log whose lines name none.
    `size` is in bytes.
    """

    kind: str
    fingerprint: str
    name: str
    place: Mapping[str, Any]
    first_year: int | None = None
    size: int | None = None
    is_finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedImport:
    """One as the store has it."""

    id: int
    read: Import
    read_at: datetime


def note(connection: sqlite3.Connection, read: Import, *, now: datetime) -> int:
    """Note up to where something was read; give its number.

    In the transaction that writes the records up to there, so that whoever is killed
    goes on from the last of them.
    """
    values = (
        *(read.kind, read.fingerprint, read.name, json.dumps(read.place)),
        *(read.first_year, read.size, time_text(now), read.is_finished),
    )
    number: int = connection.execute(_NOTE, values).fetchone()[0]
    return number


def find(
    connection: sqlite3.Connection, kind: str, fingerprint: str
) -> NotedImport | None:
    """Tell up to where something was read; None when it never was."""
    row = connection.execute(
        "SELECT * FROM imports WHERE kind = ? AND fingerprint = ?", (kind, fingerprint)
    ).fetchone()
    return None if row is None else _read(row)


def every(connection: sqlite3.Connection) -> tuple[NotedImport, ...]:
    """List all that was read, the latest first."""
    rows = connection.execute("SELECT * FROM imports ORDER BY read_at DESC, id DESC")
    return tuple(map(_read, rows))


def _read(row: sqlite3.Row) -> NotedImport:
    return NotedImport(
        id=row["id"],
        read=Import(
            kind=row["kind"],
            fingerprint=row["fingerprint"],
            name=row["name"],
            place=json.loads(row["place"]),
            first_year=row["first_year"],
            size=row["size"],
            is_finished=bool(row["is_finished"]),
        ),
        read_at=read_time(row["read_at"]),
    )
