"""What a command tells is of one moment, whatever is written meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.cli.opening import asking, reading
from f2b_enrich.cli.show_facts import gather
from f2b_enrich.cli.status_facts import _records
from f2b_enrich.config import Settings, StoreSettings
from f2b_enrich.store import addresses, bans
from f2b_enrich.store.connection import open_writer, transaction
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

IP = "192.0.2.7"


@contextmanager
def writing_at_every_question(store: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Let a daemon record another ban before each question is answered."""
    with open_writer(path) as writer:
        number = 0

        def record(_: str) -> None:
            nonlocal number
            number += 1
            late = event(jail=f"late{number}", at=NOW - timedelta(seconds=number))
            with transaction(writer):
                bans.record(writer, late, host="web1", jail=late.jail, now=NOW)

        store.set_trace_callback(record)
        yield
        store.set_trace_callback(None)
        assert number > 3


def settings_of(path: Path) -> Settings:
    return Settings(host="web1", store=StoreSettings(path=path))


def test_show_counts_what_it_lists(tmp_path: Path) -> None:
    path = tmp_path / "bans.db"
    StoreBuilder(path).record(event(), event(jail="other"))
    with open_writer(path), reading(settings_of(path)) as store:
        addresses.records(store, IP)
        with writing_at_every_question(store, path):
            page = gather(store, IP, host="web1", most=None, with_lines=False, now=NOW)

    assert page.listed == len(page.shown) == 2


def test_status_counts_the_same_bans_in_every_row(tmp_path: Path) -> None:
    path = tmp_path / "bans.db"
    StoreBuilder(path).record(event(), event(jail="other"))
    with open_writer(path), reading(settings_of(path)) as store:
        addresses.records(store, IP)
        with writing_at_every_question(store, path):
            found = _records(store, settings_of(path), now=NOW, zone=None)

    assert found.bans == found.month.bans == found.bans_waiting == 2


def test_questions_of_their_own_are_each_of_its_moment(tmp_path: Path) -> None:
    path = tmp_path / "bans.db"
    store = StoreBuilder(path)
    store.record(event())
    with open_writer(path), asking(settings_of(path)) as connection:
        before = addresses.records(connection, IP)
        store.record(event(jail="late"))
        after = addresses.records(connection, IP)

    assert (len(before), len(after)) == (1, 2)
