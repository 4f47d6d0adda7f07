"""What is told of a work that Ctrl-C broke off is what it did."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.cli.classify_all import Reclassing
from f2b_enrich.cli.reconciling import NOBODY
from f2b_enrich.interrupts import uninterrupted
from f2b_enrich.store import turns
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.purging import Purge
from f2b_enrich.store.retention import Limits
from tests.clock import Seconds
from tests.integration.test_cli_reconciling import reconciling, row
from tests.stores import NOW, StoreBuilder, event, shipped_analysis

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

OLD = NOW - timedelta(days=400)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Have it do here what it does in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(params=range(1, 10))
def interrupted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Press it when the last of so many transactions has just reached the disk."""
    number = count(1)

    @contextmanager
    def broken_off(connection: sqlite3.Connection) -> Iterator[None]:
        with transaction(connection):
            yield
        if next(number) == request.param:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(turns, "transaction", broken_off)


@pytest.fixture
def builder(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def counted(connection: sqlite3.Connection, table: str) -> int:
    found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_it_waits_for_the_end_and_comes_then(times: int) -> None:
    done = []

    def work() -> None:
        with ExitStack() as stack:
            for _ in range(times):
                stack.enter_context(uninterrupted())
            signal.raise_signal(signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()

    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_fails_and_is_interrupted_is_interrupted() -> None:
    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            raise ValueError

    with pytest.raises(KeyboardInterrupt):
        work()


def test_another_thread_is_never_interrupted() -> None:
    def work() -> str:
        with uninterrupted():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == "done"


@pytest.mark.usefixtures("interrupted")
def test_classing_anew_counts_what_is_classed(builder: StoreBuilder) -> None:
    builder.record(*(event(at=NOW - timedelta(hours=n)) for n in range(30)))
    clock = Seconds(step=turns.LONGEST_TRANSACTION / 2.5)
    with open_writer(builder.path) as connection:
        run = Reclassing(
            connection,
            shipped_analysis(),
            now=lambda: NOW,
            clock=clock,
            pause=clock.pause,
        )
        with pytest.raises(KeyboardInterrupt):
            list(run.steps())
        left = counted(connection, "bans WHERE rule_set IS NULL")

    assert run.done.classed == 30 - left > 0


@pytest.mark.usefixtures("interrupted")
def test_a_purge_counts_what_is_gone(builder: StoreBuilder) -> None:
    builder.record(*(event(at=OLD - timedelta(hours=n)) for n in range(30)))
    clock = Seconds(step=turns.LONGEST_TRANSACTION / 2.5)
    with open_writer(builder.path) as connection:
        lines = counted(connection, "log_lines")
        run = Purge(
            connection,
            Limits.of_days(lines=0, bans=365, now=NOW),
            now=lambda: NOW,
            clock=clock,
            pause=clock.pause,
        )
        with pytest.raises(KeyboardInterrupt):
            run.run()

        assert run.removed.bans == 30 - counted(connection, "bans")
        assert run.removed.lines == lines - counted(connection, "log_lines")


@pytest.mark.usefixtures("interrupted")
def test_reconciling_counts_what_is_brought(store: sqlite3.Connection) -> None:
    look = reconciling(store)

    def take(ip: str) -> None:
        look.take_rows([row("sshd", ip)], frozenset({"sshd"}), lambda _: NOBODY)

    with pytest.raises(KeyboardInterrupt):
        list(map(take, (f"192.0.2.{number}" for number in range(30))))

    assert look.found.bans == counted(store, "bans") > 0
