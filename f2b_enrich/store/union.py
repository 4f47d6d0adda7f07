"""Several stores made one: a new file beside them, which is there when it is whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.union_bans import Union
from f2b_enrich.store.union_sources import attach, check, find_damage
from f2b_enrich.store.union_tables import copy_marks, copy_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

Stage: TypeAlias = Literal["bans", "lines"]

Progress: TypeAlias = "Callable[[Stage, int, int], None]"
"""Is told of what, how many are done with one step, and how many there are in all."""

_CACHE_KIB = 64 * 1024
_OF_READING = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """How many bans the sources had together, and how many they are."""

    read: int
    bans: int


def merge(
    paths: Sequence[Path], output: Path, *, now: datetime, progress: Progress
) -> Merged:
    """Make one store of several, which are only read.

    It is written in a folder beside `output` and moved there when it is on disk.

    Raises:
        StoreError: one of them is no store, the output is there, or the disk is full.
    """
    check(paths, output)
    with _folder_beside(output) as folder:
        made = folder / output.name
        try:
            with open_writer(made) as connection:
                merged = _fill(connection, paths, folder, now=now, progress=progress)
        except StoreError as exc:
            if _may_be_of_a_source(exc.__cause__):
                find_damage(paths)
            # By the name that the caller knows.
            raise StoreError(str(exc).replace(str(made), str(output))) from exc
        _publish(made, output)
    return merged


def _fill(
    connection: sqlite3.Connection,
    paths: Sequence[Path],
    folder: Path,
    *,
    now: datetime,
    progress: Progress,
) -> Merged:
    # If it is not finished nobody ever sees it.
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    sources = attach(connection, paths, folder)
    # One, that the sources are read as they were at one moment.
    with transaction(connection):
        # Mails come before the bans that they are about.
        connection.execute("PRAGMA defer_foreign_keys = ON")
        copy_tables(connection, sources)
        union = Union(connection, sources, now=now)
        read = union.count()
        for count in union.steps():
            progress("bans", count, read)
        copy_marks(connection, sources)
        bans, lines = (_count(connection, name) for name in ("bans", "log_lines"))
        for count in union.index():
            progress("lines", count, lines)
    for source in sources:  # whose form the last writer to close must not change
        connection.execute(f"DETACH {source}")
    return Merged(read=read, bans=bans)


def _may_be_of_a_source(error: BaseException | None) -> bool:
    """Tell of an error in reading, which SQLite says without a name."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _OF_READING


def _count(connection: sqlite3.Connection, table: str) -> int:
    count: int = connection.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0]
    return count


@contextlib.contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    """Make a folder on the output's disk that goes with all that is in it."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as exc:
        raise StoreError(f"{output}: {exc.strerror}") from exc
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(made: Path, output: Path) -> None:
    """Give it its name, unless another file got that meanwhile."""
    try:
        with made.open("rb") as file:
            os.fsync(file.fileno())
        output.hardlink_to(made)
        folder = os.open(output.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        raise StoreError(f"{output}: {exc.strerror}") from exc
