"""Leaving nothing readable of what was deleted: in the search index, in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

PAGES_AT_ONCE = 32
"""Pages of the index that one transaction writes, some 8 ms.

But FTS5 writes all of a word at once: 0.3 s for one that is in two million lines.
"""

_LEAST_CHANGES = 2
"""One row is written even when there was nothing to merge (SQLite, FTS5 6.8)."""


def overwrite_deleted(connection: sqlite3.Connection) -> None:
    """Have this connection put zeros where rows were, and on pages that are free."""
    connection.execute("PRAGMA secure_delete = ON")


def merge_index(connection: sqlite3.Connection, *, begin: bool) -> bool:
    """Write a part of the search index anew; tell whether there may be more to do.

    To `begin` with lets this and the next calls write all of it; without, they do what
    FTS5 would do by itself. A deleted line's words stand in the index until all of it
    was written. FTS5 can delete them at once from SQLite 3.42 on, but older ones cannot
    read such a file.
    """
    before = connection.total_changes
    connection.execute(
        "INSERT INTO log_lines_fts (log_lines_fts, rank) VALUES ('merge', ?)",
        (-PAGES_AT_ONCE if begin else PAGES_AT_ONCE,),
    )
    return connection.total_changes - before >= _LEAST_CHANGES


def empty_log(connection: sqlite3.Connection) -> bool:
    """Cut the write-ahead log to nothing, unless a reader needs it; tell whether."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    # The next one keeps writers out for as long as it waits for readers: not at all.
    (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        found = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
    return not found[0]
