"""Databases as the versions of fail2ban lay them out, with chosen rows, and read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.importing.fail2ban_db import Tally, opened_database
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from f2b_enrich.importing.fail2ban_rows import StoredBan

NOW = 1795293841
DATA = b'{"matches": ["a line"], "failures": 3, "user": "root"}'

_OLD = "jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, data JSON"
_NEW = (
    "jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, "
    "bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON"
)
_BIPS = (
    "CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, "
    "timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL, "
    "bancount INTEGER NOT NULL default 1, data JSON, PRIMARY KEY(ip, jail))"
)


def lay_out(path: Path, *, version: int = 4) -> Path:
    """Make an empty database of that version."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE fail2banDb(version INTEGER)")
        db.execute("INSERT INTO fail2banDb VALUES (?)", (version,))
        db.execute("CREATE TABLE jails(name TEXT NOT NULL UNIQUE, enabled INTEGER)")
        db.execute(f"CREATE TABLE bans({_OLD if version < 3 else _NEW})")
        db.execute("CREATE INDEX bans_jail_timeofban_ip ON bans(jail, timeofban)")
        db.execute("CREATE INDEX bans_jail_ip ON bans(jail, ip)")
        db.execute("CREATE INDEX bans_ip ON bans(ip)")
        if version >= 4:
            db.execute(_BIPS)
        db.commit()
    return path


def add(
    path: Path, rows: Iterable[tuple[object, ...]], *tables: str, timeout: float = 5.0
) -> None:
    """Add rows of jail, ip, timeofban, bantime, bancount, data as fail2ban does."""
    with closing(sqlite3.connect(path, timeout=timeout)) as db:
        db.execute("PRAGMA journal_mode = MEMORY")
        for row in rows:
            for table in tables or ("bans", "bips"):
                db.execute(
                    f"INSERT OR REPLACE INTO {table}"  # noqa: S608 - the test's
                    "(jail, ip, timeofban, bantime, bancount, data) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
        db.commit()


def bans(count: int, *, first: int = 0) -> list[tuple[object, ...]]:
    """Make rows of different bans."""
    return [
        ("sshd", f"2001:db8::{number:x}", NOW + number, 600, 1, DATA)
        for number in range(first, first + count)
    ]


def read(path: Path) -> tuple[list[StoredBan], Tally]:
    """Read all of it."""
    with opened_database(path) as database:
        pages = list(database.pages())
    records = [record for page in pages for record in page.records]
    return records, sum((page.tally for page in pages), Tally())


def refusal(path: Path) -> str:
    """Give what is said, behind the name of the file, when it cannot be read."""
    with pytest.raises(UnreadableError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    return text.removeprefix(str(path)).lstrip()
