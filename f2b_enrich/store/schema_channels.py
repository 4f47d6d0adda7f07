"""The tables beside the mails: bounces, what a command is told, whole reports."""

from __future__ import annotations

CHANNELS = (
    # Mails of ours that came back: they stay `sent`, for a server did take them.
    """
    CREATE TABLE bounces (
        outbox_id INTEGER NOT NULL PRIMARY KEY REFERENCES outbox (id),
        bounced_at TEXT NOT NULL,
        recipient TEXT,
        status TEXT,
        diagnostic TEXT
    ) STRICT
    """,
    "CREATE INDEX bounces_by_time ON bounces (bounced_at)",
    # How far those mailboxes were read that bounces arrive in.
    """
    CREATE TABLE mailboxes (
        path TEXT NOT NULL PRIMARY KEY,
        read_at TEXT,
        position INTEGER NOT NULL,
        mark TEXT NOT NULL,
        problem TEXT
    ) STRICT, WITHOUT ROWID
    """,
    # What the command of [notify] is told, a row for what is mailed.
    """
    CREATE TABLE notifications (
        id INTEGER PRIMARY KEY,
        outbox_id INTEGER NOT NULL REFERENCES outbox (id),
        ban_id TEXT REFERENCES bans (id),
        event TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        due_at TEXT NOT NULL,
        done_at TEXT,
        last_error TEXT
    ) STRICT
    """,
    "CREATE UNIQUE INDEX notifications_by_mail ON notifications (outbox_id)",
    # One ban may be mailed to many, and is told of once.
    """
    CREATE UNIQUE INDEX notifications_by_ban ON notifications (ban_id, event)
    WHERE ban_id IS NOT NULL
    """,
    """
    CREATE INDEX notifications_open ON notifications (state, due_at)
    WHERE state != 'done'
    """,
    # What a report in the outbox is about, and its mail until it is sent.
    """
    CREATE TABLE report_mails (
        outbox_id INTEGER NOT NULL PRIMARY KEY REFERENCES outbox (id),
        since_at TEXT NOT NULL,
        until_at TEXT NOT NULL,
        filters TEXT NOT NULL,
        message BLOB
    ) STRICT
    """,
)
"""Made with the first tables, which they point at."""
