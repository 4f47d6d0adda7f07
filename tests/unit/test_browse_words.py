from __future__ import annotations

import sqlite3

from sqlite_utils import Database

from f2b_enrich.cli.browse_pages import _HIDDEN
from f2b_enrich.store.schema import STEPS
from tests import browse_words


def test_what_is_shipped_is_what_the_page_says() -> None:
    assert browse_words.WORDS.read_text("utf-8") == browse_words.text(), (
        "write it: .venv/bin/python -m tests.browse_words"
    )


def test_every_table_that_is_shown_is_described_and_no_other() -> None:
    connection = sqlite3.connect(":memory:")
    for step in STEPS.values():
        step(Database(connection))
    rows = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
    )
    there = {
        name
        for (name,) in rows
        if name not in _HIDDEN and not name.startswith(("log_lines_fts", "sqlite_"))
    }
    told = browse_words.words(browse_words.PAGE.read_text("utf-8"))

    assert there - told.keys() == {"observed_public"}
    assert told.keys() - there == set()
    for name, table in told.items():
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        described = table["columns"]
        assert isinstance(described, dict)
        assert described.keys() <= columns, name
    connection.close()
