"""Tests of figures that are made while others write to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.store import selected
from f2b_enrich.store.connection import open_reader, open_writer
from tests.report_events import (
    DUTCH,
    OCTOBER,
    ReportStore,
    banned,
    daily,
    figures,
    place,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

IPS = ["198.18.0.1", "198.18.0.1", "198.18.0.2"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReportStore]:
    """Give a store that a daemon has open."""
    store = ReportStore(tmp_path / "bans.db")
    store.add(banned(IPS, OCTOBER), [place(ip, DUTCH) for ip in IPS[1:]])
    store.add(daily(OCTOBER, 20))
    with open_writer(store.path):
        yield store


@pytest.mark.parametrize("what", ["look_ups", "bans_of", "services"])
def test_bans_that_are_purged_meanwhile_count_all_the_same(
    store: ReportStore, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A report is of the store as it was at its beginning."""
    expected = figures(store)
    read = getattr(selected, what)

    def purged(*args: Any, **more: Any) -> Any:
        with store.writing() as writer:
            writer.execute("UPDATE bans SET enrichment_id = NULL")
            writer.execute("DELETE FROM enrichments")
            writer.execute("DELETE FROM bans")
        return read(*args, **more)

    monkeypatch.setattr(selected, what, purged)
    made = figures(store)

    assert made.addresses == expected.addresses
    assert made.coverage == expected.coverage
    assert made.totals == expected.totals


def test_an_address_that_nothing_is_left_of_is_no_offender(
    store: ReportStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bans became repeats between the counting and the listing."""
    monkeypatch.setattr(selected, "bans_of", lambda *_: [])

    assert figures(store).addresses.offenders == ()


def test_what_ended_the_reading_is_told_and_not_what_came_of_it(
    store: ReportStore,
) -> None:
    """SQLite ends a transaction itself where memory fails, and so does a disk."""

    def fail(reader: sqlite3.Connection) -> None:
        with selected.unchanging(reader):
            reader.execute("ROLLBACK")
            raise MemoryError

    with open_reader(store.path) as reader, pytest.raises(MemoryError):
        fail(reader)
