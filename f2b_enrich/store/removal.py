"""Taking a ban out of the store again, with all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.model import days_after, read_time, time_text
from f2b_enrich.store.repeats import LONGEST_DAYS

if TYPE_CHECKING:
    import sqlite3

_ALL_OF_IT = (
    "DELETE FROM waiting_events WHERE ban_id = ?",
    "DELETE FROM notifications WHERE ban_id = ?",
    "DELETE FROM bounces WHERE outbox_id IN (SELECT id FROM outbox WHERE ban_id = ?)",
    # Whoever else it was to tell of still is to be told of.
    "UPDATE outbox SET state = 'due', folded_into = NULL WHERE folded_into IN "
    "(SELECT id FROM outbox WHERE ban_id = ? AND state != 'sent')",
    # Its number may come again, for another mail.
    "UPDATE outbox SET folded_into = NULL "
    "WHERE folded_into IN (SELECT id FROM outbox WHERE ban_id = ?)",
    "DELETE FROM outbox WHERE ban_id = ?",
    "DELETE FROM ban_attacks WHERE ban_id = ?",
    "DELETE FROM observed WHERE ban_id = ?",
    "DELETE FROM log_lines WHERE ban_id = ?",
    # Else they would bring it back when the next record of the address comes in.
    "DELETE FROM ban_records WHERE ban_id = ?",
    "DELETE FROM other_origins WHERE ban_id = ?",
    "DELETE FROM other_ids WHERE ban_id = ?",
    "DELETE FROM bans WHERE id = ?",
)

# One address may have been banned 20,000 times: only the day is looked at in which
# another ban can have repeated this one.
_REPEATED_BY = """
    UPDATE bans SET repeat_of = NULL
    WHERE ip = ? AND banned_at BETWEEN ? AND ? AND repeat_of = ?
"""

# The next ban of the address, if there is one, has the same look-up as a rule, or
# another has made it needless: the first row tells.
_LOOK_UPS = """
    DELETE FROM enrichments
    WHERE ip = :ip
    AND (id = :look_up OR NOT EXISTS (SELECT 1 FROM bans WHERE ip = :ip))
    AND NOT EXISTS (
        SELECT 1 FROM bans
        WHERE bans.ip = enrichments.ip AND bans.enrichment_id = enrichments.id
    )
"""


def remove_bans(connection: sqlite3.Connection, jail: str, ip: str) -> int:
    """Remove all that is known of one address's bans by one jail; count the bans.

    Inside the caller's transaction.
    """
    rows = connection.execute(
        "SELECT id FROM bans WHERE jail = ? AND ip = ?", (jail, ip)
    ).fetchall()
    for row in rows:
        remove_ban(connection, row["id"])
    return len(rows)


def remove_ban(connection: sqlite3.Connection, ban_id: str) -> None:
    """Remove a ban, by its own id, inside the caller's transaction.

    Mails about it that have not left are not sent. Look-ups of the address that no
    other ban points at go, too. Only an import that reads it again brings it back.
    """
    row = connection.execute(
        "SELECT ip, banned_at, enrichment_id FROM bans WHERE id = ?", (ban_id,)
    ).fetchone()
    if row is None:
        return
    ip, at = row["ip"], row["banned_at"]
    day_after = time_text(days_after(read_time(at), LONGEST_DAYS))
    connection.execute(_REPEATED_BY, (ip, at, day_after, ban_id))
    for statement in _ALL_OF_IT:
        connection.execute(statement, (ban_id,))
    connection.execute(_LOOK_UPS, {"ip": ip, "look_up": row["enrichment_id"]})


def forget_jail(connection: sqlite3.Connection, jail: str) -> None:
    """Remove a jail that nobody named, and that has no bans any more."""
    connection.execute(
        "DELETE FROM jails WHERE jail = ? AND origin = 'unknown'", (jail,)
    )
