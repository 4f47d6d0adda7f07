"""The full-text index over log lines, kept up in the background.

FTS5 flushes at every savepoint and at every commit, which would make up a third of
what recording a ban costs. So bans are recorded first, and their lines are indexed
when nobody waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3


class Limits(NamedTuple):
    """How many lines and characters one transaction indexes, whichever is less."""

    lines: int
    characters: int


SHORT = Limits(500, 64 * 1024)
"""Some 10 ms."""

LONG = Limits(50_000, 8 * 1024 * 1024)
"""For when nobody waits."""

_INDEX = """
    INSERT INTO log_lines_fts (rowid, line)
    SELECT id, line FROM (
        SELECT id, line, sum(length(line)) OVER (ORDER BY id) AS characters FROM (
            SELECT id, line FROM log_lines
            WHERE id > (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize)
            ORDER BY id LIMIT ?
        )
    )
    WHERE characters - length(line) < ? ORDER BY id
"""


_HAS_NEW = """
    SELECT EXISTS (SELECT 1 FROM log_lines
    WHERE id > (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize))
"""


def has_new_lines(connection: sqlite3.Connection) -> bool:
    """Tell whether lines were added since the last time."""
    return bool(connection.execute(_HAS_NEW).fetchone()[0])


def index_new_lines(connection: sqlite3.Connection, limits: Limits = SHORT) -> int:
    """Index some of the lines added since the last time; tell how many."""
    return connection.execute(_INDEX, limits).rowcount
