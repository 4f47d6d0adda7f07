"""Opening the store for a command; no command makes one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import open_reader, open_writer, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from f2b_enrich.config import Settings


def is_there(path: Path) -> bool:
    """Tell whether a daemon has made the store yet.

    Raises:
        StoreError: the folder may not be looked into.
    """
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as exc:
        raise StoreError(f"store {path}: {exc.strerror}") from exc


def demand(path: Path) -> None:
    """Make sure that a daemon has made the store: what root makes would be root's.

    Raises:
        StoreError: there is none yet.
    """
    if not is_there(path):
        raise StoreError(f"store {path}: there is none yet, the daemon makes it")


def as_stored(argument: str) -> str:
    """Give an argument as the daemon would have stored the same bytes."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Open the store for reading, all as it was at the first question.

    A daemon writes meanwhile, and figures must not disagree.

    Raises:
        StoreError: there is none yet, or it cannot be read.
    """
    with asking(settings) as connection:
        connection.execute("BEGIN")
        yield connection


@contextlib.contextmanager
def asking(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Open the store for reading, each question by itself.

    Raises:
        StoreError: there is none yet, or it cannot be read.
    """
    demand(settings.store.path)
    with open_reader(settings.store.path) as connection:
        yield connection


@contextlib.contextmanager
def writing(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Open the store for one transaction.

    What root's first writer made would not belong to the daemon's user, so the store
    must be there.

    Raises:
        StoreError: there is none yet, it is locked, or it may not be written to.
    """
    demand(settings.store.path)
    with open_writer(settings.store.path) as connection, transaction(connection):
        yield connection
