"""What came with the records of a ban: lines, counts, and where they stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.store.lines import kept

if TYPE_CHECKING:
    import sqlite3

_NOW = """
    SELECT failures, ban_count, lines_received, origin = 'live' OR EXISTS (
        SELECT 1 FROM other_origins WHERE ban_id = bans.id AND origin = 'live'
    ) AS is_live FROM bans WHERE id = ?
"""


@dataclass(slots=True, kw_only=True)
class Content:
    """What came with the records of one ban, the richest of each.

    `origins` are kinds, and files or Message-IDs.
    """

    failures: int = 0
    ban_count: int = 1
    lines: tuple[str, ...] = ()
    origins: set[tuple[str, str]] = field(default_factory=set)

    def add(
        self, *, failures: int | None, ban_count: int | None, lines: tuple[str, ...]
    ) -> None:
        """Take what is richer; of as many lines always the same."""
        if failures is not None and failures > self.failures:
            self.failures = failures
        if ban_count is not None and ban_count > self.ban_count:
            self.ban_count = ban_count
        if lines and (len(lines), lines) > (len(self.lines), self.lines):
            self.lines = lines


NOTHING = Content()
"""What comes with records that were there. Never to be added to."""


def enrich(connection: sqlite3.Connection, ban_id: str, content: Content) -> None:
    """Add to a ban that was there what is richer; its lines are then classed anew.

    Of as many lines those of a live report stay, and else always the same.
    """
    row = connection.execute(_NOW, (ban_id,)).fetchone()
    if content.failures > row["failures"] or content.ban_count > row["ban_count"]:
        connection.execute(
            "UPDATE bans SET failures = max(failures, ?), "
            "ban_count = max(ban_count, ?) WHERE id = ?",
            (content.failures, content.ban_count, ban_id),
        )
    count, there = len(content.lines), row["lines_received"]
    if count < there or not count:
        return
    if count == there and (
        row["is_live"] or kept(content.lines) <= _lines(connection, ban_id)
    ):
        return
    connection.execute(
        "UPDATE bans SET lines_received = ?, rule_set = NULL WHERE id = ?",
        (count, ban_id),
    )
    connection.execute("DELETE FROM log_lines WHERE ban_id = ?", (ban_id,))
    connection.executemany(
        "INSERT INTO log_lines (ban_id, position, line) VALUES (?, ?, ?)",
        [(ban_id, *line) for line in kept(content.lines)],
    )


def is_richer(connection: sqlite3.Connection, ban_id: str, than: str) -> bool:
    """Tell whether one ban's lines are to be kept rather than another's, as above."""
    one, other = (
        connection.execute(_NOW, (each,)).fetchone() for each in (ban_id, than)
    )
    if one["lines_received"] != other["lines_received"] or not one["lines_received"]:
        return bool(one["lines_received"] > other["lines_received"])
    if one["is_live"] != other["is_live"]:
        return bool(one["is_live"])
    return _lines(connection, ban_id) > _lines(connection, than)


def _lines(connection: sqlite3.Connection, ban_id: str) -> tuple[tuple[int, str], ...]:
    rows = connection.execute(
        "SELECT position, line FROM log_lines WHERE ban_id = ? ORDER BY position",
        (ban_id,),
    )
    return tuple((row["position"], row["line"]) for row in rows)
