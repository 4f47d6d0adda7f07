"""What was read already, in memory that does not grow with it."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from typing import Self

from f2b_enrich.importing.records import UnreadableError

_KEY = 16
"""Bytes kept of a key: nobody finds two that are the same."""


class Seen:
    """A set of keys on disk, in a file of SQLite's that goes with the process.

    To look in fail2ban's own tables instead would be slow where a second, or an
    address, has thousands of bans, and fail2ban would have to wait meanwhile.
    """

    def __init__(self) -> None:
        """Make an empty set; a few thousand keys are still kept in memory."""
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE seen(key BLOB PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        """Go on with it until the end of a reading."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget all."""
        self._db.close()

    def add(self, key: bytes) -> bool:
        """Add a key; tell whether it is new.

        Raises:
            UnreadableError: there is no room for it.
        """
        digest = blake2b(key, digest_size=_KEY).digest()
        try:
            added = self._db.execute(
                "INSERT OR IGNORE INTO seen(key) VALUES (?)", (digest,)
            )
        except sqlite3.Error as exc:
            raise UnreadableError(
                f"what was read cannot be kept in a temporary file: {exc}"
            ) from exc
        return added.rowcount == 1
