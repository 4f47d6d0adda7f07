"""Bringing a store's schema up to date.

Apart from the schema: readers do without the 80 ms that sqlite-utils takes to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Database, Migrations

from f2b_enrich.store.schema import NAME, STEPS

if TYPE_CHECKING:
    import sqlite3


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that this store has not taken yet, each in a transaction."""
    migrations = Migrations(NAME)
    for name, step in STEPS.items():
        migrations(name=name)(step)
    # Without the plugins that the machine's owner may have.
    migrations.apply(Database(connection, execute_plugins=False, strict=True))
