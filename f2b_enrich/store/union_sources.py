"""The stores that are to become one: opened for reading, brought up to date."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import open_reader, open_writer
from f2b_enrich.store.schema import NAME, STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST = 8
"""Stores at once; SQLite attaches ten files."""


def check(paths: Sequence[Path], output: Path) -> None:
    """Make sure that these are stores, each of them once, and none the output.

    Raises:
        StoreError: naming the one that is not.
    """
    if len(paths) > MOST:
        raise StoreError(f"{len(paths)} stores to merge, the limit is {MOST} at once")
    if output.exists() or output.is_symlink():
        raise StoreError(f"{output}: it is there, and is not overwritten")
    for number, path in enumerate(paths):
        with open_reader(path):  # says what is wrong with it
            pass
        for other in paths[:number]:
            if path.samefile(other):
                raise StoreError(f"{path}: the same store as {other}")


def find_damage(paths: Sequence[Path]) -> None:
    """Read stores through after an error, which does not tell whose it is.

    Raises:
        StoreError: naming the first that is damaged, if one is.
    """
    for path in paths:
        with open_reader(path) as reader:
            said = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise StoreError(f"store {path}: database disk image is malformed")


def attach(
    connection: sqlite3.Connection, paths: Sequence[Path], folder: Path
) -> tuple[str, ...]:
    """Attach stores for reading; give the schemas' names, in an order of their own.

    Of an older schema it is a copy in the folder, brought up to date.
    """
    names = []
    for number, path in enumerate(paths):
        name = f"source{number}"
        found, mode = path, "ro"
        if not _is_of_today(path):
            found = folder / f"{name}.db"
            try:
                _copy(path, found)
            except StoreError as exc:  # by the name that the caller knows
                raise StoreError(str(exc).replace(str(found), str(path))) from exc
        elif not _is_readable(path):
            mode = "ro&immutable=1"
        uri = f"{found.absolute().as_uri()}?mode={mode}"
        connection.execute(f"ATTACH ? AS {name}", (uri,))
        names.append(name)
    return tuple(names)


def _is_of_today(path: Path) -> bool:
    with open_reader(path) as reader:
        rows = reader.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (NAME,)
        )
        return {row["name"] for row in rows} >= STEPS.keys()


def _is_readable(path: Path) -> bool:
    """Tell whether it is read as it is: not what a killed writer left to the group."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as reader:
            reader.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.OperationalError:
        return False
    return True


def _copy(path: Path, copy: Path) -> None:
    with open_reader(path) as reader, closing(sqlite3.connect(copy)) as writer:
        reader.backup(writer)
    with open_writer(copy):
        pass
