"""Bringing a store's schema up to date.

Apart from the schema: readers do without the 80 ms that sqlite-utils takes to import.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from f2b_enrich.store.schema import NAME, STEPS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Have nobody import a module inside, unless somebody has."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # it is not there
    try:
        yield
    finally:
        del sys.modules[name]


# It takes NumPy along where that is there, to store its numbers: 20 MiB of the daemon's
# memory, and 0.1 s of each writer's time.
with _absent("numpy"):
    from sqlite_utils import Database, Migrations


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that this store has not taken yet, each in a transaction."""
    migrations = Migrations(NAME)
    for name, step in STEPS.items():
        migrations(name=name)(step)
    # Without the plugins that the machine's owner may have.
    migrations.apply(Database(connection, execute_plugins=False, strict=True))
