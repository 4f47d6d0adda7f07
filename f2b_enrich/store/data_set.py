"""A data set for others as a database of its own: no part of the store."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_TABLES = """
    CREATE TABLE bans (
        country_code TEXT, region TEXT, city TEXT, asn INTEGER,
        date TEXT NOT NULL, service TEXT NOT NULL
    );
    CREATE TABLE columns (name TEXT PRIMARY KEY, description TEXT NOT NULL);
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def write(
    path: Path,
    columns: Mapping[str, str],
    about: Mapping[str, str],
    cells: Iterable[tuple[Sequence[object], int]],
) -> None:
    """Write rows, each as often as it is told, into an empty file.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        # No journal beside it: whoever asks puts the file in place when it is whole.
        with closing(sqlite3.connect(path, isolation_level=None)) as made:
            made.execute("PRAGMA journal_mode = OFF")
            made.execute("PRAGMA synchronous = OFF")
            made.executescript(_TABLES)
            made.execute("BEGIN")
            made.executemany("INSERT INTO columns VALUES (?, ?)", columns.items())
            made.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            made.executemany("INSERT INTO bans VALUES (?, ?, ?, ?, ?, ?)", _rows(cells))
            made.execute("COMMIT")
    except sqlite3.OperationalError as exc:
        full = exc.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(exc)) from exc


def _rows(cells: Iterable[tuple[Sequence[object], int]]) -> Iterator[Sequence[object]]:
    for row, bans in cells:
        yield from repeat(row, bans)
