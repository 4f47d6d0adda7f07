"""Two rows that turned out to be one ban."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.store.contents import is_richer

if TYPE_CHECKING:
    import sqlite3

_POINTERS = (
    "UPDATE bans SET repeat_of = :into WHERE repeat_of = :row AND ip = :ip",
    "UPDATE outbox SET ban_id = :into WHERE ban_id = :row",
    "UPDATE OR IGNORE notifications SET ban_id = :into WHERE ban_id = :row",
    "DELETE FROM notifications WHERE ban_id = :row",
    "UPDATE other_ids SET ban_id = :into WHERE ban_id = :row",
    "UPDATE OR IGNORE other_origins SET ban_id = :into WHERE ban_id = :row",
    "DELETE FROM other_origins WHERE ban_id = :row",
    "DELETE FROM ban_records WHERE ban_id = :row",
)

_ORIGIN = """
    INSERT OR IGNORE INTO other_origins
    SELECT :into, origin, reference, received_at FROM bans WHERE id = :row
"""

_CONTENT = ("log_lines", "observed", "ban_attacks")

_RICHER = """
    UPDATE bans SET lines_received = other.lines_received, captures = other.captures,
    attack = other.attack, rule_set = other.rule_set
    FROM (SELECT * FROM bans WHERE id = :row) AS other WHERE bans.id = :into
"""

_BOTH = """
    UPDATE bans SET failures = CASE
        WHEN (bans.banned_at_source = 'failure') = (other.banned_at_source = 'failure')
        OR 0 IN (bans.failures, other.failures)
        THEN max(bans.failures, other.failures)
        WHEN bans.banned_at_source = 'failure' THEN bans.failures
        ELSE other.failures END,
    banned_at_source = iif(other.banned_at_source = 'failure', 'failure',
        bans.banned_at_source),
    ban_count = max(bans.ban_count, other.ban_count),
    received_at = min(bans.received_at, other.received_at),
    announced_at = max(bans.announced_at, other.announced_at),
    prolonged_at = nullif(max(ifnull(bans.prolonged_at, ''),
        ifnull(other.prolonged_at, '')), ''),
    enrichment_id = CASE
        WHEN (bans.look_up = 'full') = (other.look_up = 'full')
        THEN ifnull(bans.enrichment_id, other.enrichment_id)
        WHEN bans.look_up = 'full' THEN bans.enrichment_id
        ELSE other.enrichment_id END,
    look_up = CASE
        WHEN 'full' IN (bans.look_up, other.look_up) THEN 'full'
        WHEN 'later' IN (bans.look_up, other.look_up) THEN 'later'
        ELSE min(bans.look_up, other.look_up) END,
    captures = ifnull(bans.captures, other.captures),
    rule_set = iif(bans.captures IS NULL AND other.captures NOTNULL, NULL,
        bans.rule_set)
    FROM (SELECT * FROM bans WHERE id = :row) AS other WHERE bans.id = :into
"""


def absorb(connection: sqlite3.Connection, row: str, *, into: str) -> None:
    """Make a row a name of another, which takes over what it lacks.

    A ban that is told live has the look-up of its live row, or waits for it as such.
    Mails that were queued are sent once each, and lines are kept with the values and
    classes that were found in them: those of the row that is the richer in them.
    """
    found = connection.execute("SELECT ip FROM bans WHERE id = ?", (row,)).fetchone()
    values = {"row": row, "into": into, "ip": found["ip"]}
    takes_lines = is_richer(connection, row, into)
    for table in _CONTENT:
        loser = into if takes_lines else row
        connection.execute(f"DELETE FROM {table} WHERE ban_id = ?", (loser,))
        if takes_lines:
            connection.execute(
                f"UPDATE {table} SET ban_id = :into WHERE ban_id = :row", values
            )
    if takes_lines:
        connection.execute(_RICHER, values)
    connection.execute(_BOTH, values)
    connection.execute(_ORIGIN, values)
    for statement in _POINTERS:
        connection.execute(statement, values)
    connection.execute("DELETE FROM bans WHERE id = ?", (row,))
    connection.execute("INSERT INTO other_ids VALUES (?, ?)", (row, into))
