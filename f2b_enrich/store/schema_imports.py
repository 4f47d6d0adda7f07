"""The tables of what was imported, and of what logs say beside bans."""

from __future__ import annotations

IMPORTS = (
    # `fingerprint` tells a file again under another name, and packed. `first_day` and
    # `last_day` are those of what it found.
    """
    CREATE TABLE imports (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        name TEXT NOT NULL,
        place TEXT NOT NULL,
        first_year INTEGER,
        size INTEGER,
        read_at TEXT NOT NULL,
        is_finished INTEGER NOT NULL,
        first_day TEXT,
        last_day TEXT,
        UNIQUE (kind, fingerprint)
    ) STRICT
    """,
    # In the order of a log, so that its end is added to the end, and what is too old
    # goes from the beginning.
    """
    CREATE TABLE found_counts (
        day TEXT NOT NULL,
        ip TEXT NOT NULL,
        host TEXT NOT NULL,
        jail TEXT NOT NULL,
        import_id INTEGER NOT NULL REFERENCES imports (id),
        lines INTEGER NOT NULL,
        PRIMARY KEY (day, ip, host, jail, import_id)
    ) STRICT, WITHOUT ROWID
    """,
    # A log that goes on before and behind a day has all of it, as any other that does:
    # they are copies. A day in which logs begin or end is parted between them.
    """
    CREATE VIEW found_by_day AS
    SELECT day, host, jail, ip, ifnull(
        max(lines) FILTER (WHERE day > first_day AND day < last_day), sum(lines)
    ) AS lines
    FROM found_counts JOIN imports ON imports.id = import_id
    GROUP BY day, ip, host, jail
    """,
)
"""For a migration."""
