"""Taking a ban out of the store again: one that was only made to try the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_ALL_OF_IT = (
    "DELETE FROM waiting_events WHERE ban_id = ?",
    "DELETE FROM outbox WHERE ban_id = ?",
    "DELETE FROM ban_attacks WHERE ban_id = ?",
    "DELETE FROM observed WHERE ban_id = ?",
    "DELETE FROM log_lines WHERE ban_id = ?",
    "DELETE FROM other_origins WHERE ban_id = ?",
    "DELETE FROM other_ids WHERE ban_id = ?",
    "DELETE FROM bans WHERE id = ?",
)
_LOOK_UPS = """
    DELETE FROM enrichments WHERE ip = ? AND NOT EXISTS (
        SELECT 1 FROM bans
        WHERE bans.ip = enrichments.ip AND bans.enrichment_id = enrichments.id
    )
"""


def remove_bans(connection: sqlite3.Connection, jail: str, ip: str) -> int:
    """Remove all that is known of one address's bans by one jail; count the bans.

    Inside the caller's transaction. Mails that have not left are not sent. Look-ups of
    the address that no other ban points at go, too.
    """
    rows = connection.execute(
        "SELECT id FROM bans WHERE jail = ? AND ip = ?", (jail, ip)
    ).fetchall()
    for row in rows:
        connection.execute(
            "UPDATE bans SET repeat_of = NULL WHERE ip = ? AND repeat_of = ?",
            (ip, row["id"]),
        )
        for statement in _ALL_OF_IT:
            connection.execute(statement, (row["id"],))
    connection.execute(_LOOK_UPS, (ip,))
    return len(rows)


def forget_jail(connection: sqlite3.Connection, jail: str) -> None:
    """Remove a jail that nobody named, and that has no bans any more."""
    connection.execute(
        "DELETE FROM jails WHERE jail = ? AND origin = 'unknown'", (jail,)
    )
