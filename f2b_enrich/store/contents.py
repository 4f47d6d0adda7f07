"""What came with the records of a ban: lines, counts, and where they stood."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.store.lines import kept

if TYPE_CHECKING:
    import sqlite3

_NOW = """
    SELECT failures, ban_count, lines_received,
    banned_at_source = 'failure' AS is_exact, origin = 'live' OR EXISTS (
        SELECT 1 FROM other_origins WHERE ban_id = bans.id AND origin = 'live'
    ) AS is_live FROM bans WHERE id = ?
"""

MOST_OF_A_LETTER = 1_000_000
"""Failures that a mail may tell of: anybody can write any number into one."""


@dataclass(slots=True, kw_only=True)
class Content:
    """What came with the records of one ban, the richest of each.

    What fail2ban itself tells, live or in its database, goes before all that others
    do; `has_exact_lines` and `has_exact_failures` say whether it is that. `origins` are
    kinds, and files or Message-IDs.
    """

    failures: int = 0
    ban_count: int = 1
    lines: tuple[str, ...] = ()
    captures: tuple[tuple[str, str], ...] = ()
    origins: set[tuple[str, str]] = field(default_factory=set)
    has_exact_lines: bool = False
    has_exact_failures: bool = False

    def add(
        self,
        *,
        failures: int | None,
        ban_count: int | None,
        lines: tuple[str, ...],
        captures: tuple[tuple[str, str], ...] = (),
        is_exact: bool,
    ) -> None:
        """Take what is richer; of as many lines always the same."""
        if failures and (is_exact or failures <= MOST_OF_A_LETTER):
            self.has_exact_failures, self.failures = max(
                (self.has_exact_failures, self.failures), (is_exact, failures)
            )
        if ban_count is not None and ban_count > self.ban_count:
            self.ban_count = ban_count
        wealth = (self.has_exact_lines, len(self.lines), self.lines)
        if lines and (is_exact, len(lines), lines) > wealth:
            self.has_exact_lines, self.lines = is_exact, lines
        if captures and (len(captures), captures) > (len(self.captures), self.captures):
            self.captures = captures

    @property
    def captures_text(self) -> str | None:
        """Write the captures as the store keeps them."""
        return json.dumps(self.captures, ensure_ascii=False) if self.captures else None


NOTHING = Content()
"""What comes with records that were there. Never to be added to."""


def enrich(
    connection: sqlite3.Connection, ban_id: str, content: Content, *, was_exact: bool
) -> None:
    """Add to a ban that was there what is richer; its lines are then classed anew.

    Of as many lines those of a live report stay, and else always the same. `was_exact`
    tells that fail2ban itself told of the ban before: others only fill its gaps then.
    """
    row = connection.execute(_NOW, (ban_id,)).fetchone()
    failures = _failures(row["failures"], content, was_exact=was_exact)
    if failures != row["failures"] or content.ban_count > row["ban_count"]:
        connection.execute(
            "UPDATE bans SET failures = ?, ban_count = max(ban_count, ?) WHERE id = ?",
            (failures, content.ban_count, ban_id),
        )
    if content.captures:
        connection.execute(
            "UPDATE bans SET captures = ?, rule_set = NULL "
            "WHERE id = ? AND captures IS NULL",
            (content.captures_text, ban_id),
        )
    gain = content.has_exact_lines - was_exact
    if content.lines and gain >= 0:
        _take_lines(connection, ban_id, content.lines, row, goes_before=gain > 0)
    elif content.lines and not row["lines_received"]:
        _take_lines(connection, ban_id, content.lines, row, goes_before=True)


def _failures(there: int, content: Content, *, was_exact: bool) -> int:
    gain = content.has_exact_failures - was_exact
    if not content.failures or (gain < 0 and there):
        return there
    return content.failures if gain else max(there, content.failures)


def _take_lines(
    connection: sqlite3.Connection,
    ban_id: str,
    lines: tuple[str, ...],
    row: sqlite3.Row,
    *,
    goes_before: bool,
) -> None:
    count, there = len(lines), row["lines_received"]
    if not goes_before and (
        count < there
        or (
            count == there
            and (row["is_live"] or kept(lines) <= _lines(connection, ban_id))
        )
    ):
        return
    connection.execute(
        "UPDATE bans SET lines_received = ?, rule_set = NULL WHERE id = ?",
        (count, ban_id),
    )
    connection.execute("DELETE FROM log_lines WHERE ban_id = ?", (ban_id,))
    connection.executemany(
        "INSERT INTO log_lines (ban_id, position, line) VALUES (?, ?, ?)",
        [(ban_id, *line) for line in kept(lines)],
    )


def is_richer(connection: sqlite3.Connection, ban_id: str, than: str) -> bool:
    """Tell whether one ban's lines are to be kept rather than another's, as above."""
    one, other = (
        connection.execute(_NOW, (each,)).fetchone() for each in (ban_id, than)
    )
    if (
        one["is_exact"] != other["is_exact"]
        and one["lines_received"]
        and other["lines_received"]
    ):
        return bool(one["is_exact"])
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
