"""The full-text index over log lines, kept up in the background.

FTS5 flushes at every savepoint and at every commit, which would make up a third of
what recording a ban costs. So bans are recorded first, and their lines are indexed
when nobody waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

LINES_AT_ONCE = 500
CHARACTERS_AT_ONCE = 64 * 1024
"""What one transaction indexes, whichever is less: some 10 ms."""

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


def index_new_lines(connection: sqlite3.Connection) -> int:
    """Index some of the lines added since the last time; tell how many."""
    return connection.execute(_INDEX, (LINES_AT_ONCE, CHARACTERS_AT_ONCE)).rowcount
