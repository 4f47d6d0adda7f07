"""Writes that wait together share a commit; each of them fails alone or all do."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlite_utils import Database
from structlog.testing import capture_logs

from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.daemon.transactions import LONGEST_TRANSACTION
from f2b_enrich.errors import StoreError, WireError
from f2b_enrich.store import bans
from f2b_enrich.store.connection import open_reader, transaction
from f2b_enrich.store.search import SHORT
from tests.events import HOST, a_ban, clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

LOCKED = "BEGIN IMMEDIATE"


@pytest.fixture
async def commits(store: sqlite3.Connection) -> AsyncIterator[Commits]:
    async with Commits(store) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bans.db"


def adding(host: str) -> Callable[[sqlite3.Connection], str]:
    def write(connection: sqlite3.Connection) -> str:
        connection.execute(
            "INSERT INTO hosts VALUES (?, NULL, NULL, '2026', '2026')", (host,)
        )
        return host

    return write


def failing(error: Exception) -> Callable[[sqlite3.Connection], None]:
    """Write something, then fail."""

    def write(connection: sqlite3.Connection) -> None:
        adding("of a failing job")(connection)
        raise error

    return write


def on_disk(path: Path) -> list[str]:
    """Tell what another process would see."""
    with open_reader(path) as reader:
        return [row["host"] for row in reader.execute("SELECT host FROM hosts")]


async def test_a_write_is_on_disk_when_its_future_is_done(
    commits: Commits, path: Path
) -> None:
    assert await commits.submit(adding("a")) == "a"
    assert on_disk(path) == ["a"]


@contextlib.contextmanager
def traced(store: sqlite3.Connection) -> Iterator[list[list[str]]]:
    """Collect the transactions that add hosts, each as its statements."""
    statements: list[str] = []
    transactions: list[list[str]] = []
    store.set_trace_callback(statements.append)
    yield transactions
    store.set_trace_callback(None)
    for statement in statements:
        if statement == LOCKED:
            transactions.append([])
        if "INTO hosts" in statement:
            transactions[-1].append(statement)
    transactions[:] = [adding for adding in transactions if adding]


async def test_writes_that_wait_together_share_a_commit(
    commits: Commits, store: sqlite3.Connection, path: Path
) -> None:
    names = [f"{number:02}" for number in range(50)]
    with traced(store) as transactions:
        done = await asyncio.gather(*(commits.submit(adding(n)) for n in names))
    assert done == names
    assert len(transactions) < 25  # one, but for a machine that stalls
    assert sum(map(len, transactions)) == 50
    assert on_disk(path) == names


def slow(connection: sqlite3.Connection) -> str:
    adding("slow")(connection)
    threading.Event().wait(LONGEST_TRANSACTION * 1.5)
    return "slow"


async def test_a_transaction_that_takes_long_takes_no_more_in(
    commits: Commits, store: sqlite3.Connection, path: Path
) -> None:
    with traced(store) as transactions:
        first, second = commits.submit(slow), commits.submit(adding("next"))
        assert await first == "slow"
        assert not second.done()
        assert await second == "next"
    assert [len(adding) for adding in transactions] == [1, 1]
    assert on_disk(path) == ["next", "slow"]


async def test_a_write_put_off_does_not_inherit_the_failure_of_another(
    commits: Commits, path: Path
) -> None:
    failed = commits.submit(failing(WireError("no")))
    long, put_off = commits.submit(slow), commits.submit(adding("put off"))
    with pytest.raises(WireError):
        await failed
    assert (await long, await put_off) == ("slow", "put off")
    assert on_disk(path) == ["put off", "slow"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (WireError("no"), WireError),
        (ZeroDivisionError("x"), ZeroDivisionError),
        (sqlite3.IntegrityError("UNIQUE"), StoreError),
    ],
)
async def test_a_write_that_fails_undoes_itself_alone(
    commits: Commits, path: Path, error: Exception, told: type[Exception]
) -> None:
    before = commits.submit(adding("a"))
    failed = commits.submit(failing(error))
    after = commits.submit(adding("b"))
    with pytest.raises(told, match=str(error)):
        await failed
    assert (await before, await after) == ("a", "b")
    assert on_disk(path) == ["a", "b"]


async def test_a_commit_that_fails_fails_all_its_writes(
    commits: Commits, store: sqlite3.Connection, path: Path
) -> None:
    def dangle(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")  # checked at COMMIT
        connection.execute("INSERT INTO other_ids VALUES ('id', 'no such ban')")

    # Without effect inside a transaction, such as that of the first indexing.
    while not store.execute("PRAGMA foreign_keys").fetchone()[0]:
        store.execute("PRAGMA foreign_keys = ON")
    jobs: list[asyncio.Future[Any]] = [commits.submit(adding("a"))]
    jobs.append(commits.submit(dangle))
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == [
        "store: FOREIGN KEY constraint failed"
    ] * 2
    assert all(isinstance(outcome, StoreError) for outcome in outcomes)
    assert on_disk(path) == []
    assert await commits.submit(adding("b")) == "b"


async def test_a_transaction_that_is_lost_half_way_fails_all_its_writes(
    commits: Commits, path: Path
) -> None:
    def lose(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # as SQLite does itself on some full disks
        raise sqlite3.OperationalError("database or disk is full")

    jobs: list[asyncio.Future[Any]] = [commits.submit(adding("a"))]
    jobs += [commits.submit(lose), commits.submit(adding("c"))]
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == [
        "store: database or disk is full"
    ] * 3
    assert on_disk(path) == []
    assert await commits.submit(adding("d")) == "d"


async def test_a_full_disk_is_told_and_got_over(
    commits: Commits, store: sqlite3.Connection, path: Path
) -> None:
    pages = store.execute("PRAGMA page_count").fetchone()[0]
    store.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="database or disk is full"):
        await commits.submit(adding("x" * 100_000))
    store.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert await commits.submit(adding("a")) == "a"
    assert on_disk(path) == ["a"]


async def test_a_store_that_another_holds_is_an_error_and_then_works_again(
    store: sqlite3.Connection, path: Path
) -> None:
    store.execute("PRAGMA busy_timeout = 1")
    async with Commits(store) as commits:
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute(LOCKED)
            outcomes = await asyncio.gather(
                commits.submit(adding("a")),
                commits.submit(adding("b")),
                return_exceptions=True,
            )
            other.rollback()
        said = [str(outcome) for outcome in outcomes]
        assert said == ["store: database is locked"] * 2
        assert all(isinstance(outcome, StoreError) for outcome in outcomes)
        assert await commits.submit(adding("a")) == "a"
    assert on_disk(path) == ["a"]


async def test_a_store_that_another_lets_go_of_is_written_to(
    commits: Commits, path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(LOCKED)
        waiting = [commits.submit(adding(name)) for name in "ab"]
        for _ in range(10):
            await asyncio.sleep(0)
        later = commits.submit(adding("c"))
        other.rollback()
    assert await asyncio.gather(*waiting, later) == ["a", "b", "c"]
    assert on_disk(path) == ["a", "b", "c"]


async def test_one_that_is_alone_is_on_disk_at_once(
    commits: Commits, path: Path
) -> None:
    heard: list[object] = []
    while commits._in_thread or commits._not_indexed:  # noqa: ASYNC110
        await asyncio.sleep(0)
    commits.hand_in(adding("a"), heard.append, alone=True)
    assert (heard, on_disk(path)) == (["a"], ["a"])


async def test_one_that_is_alone_does_not_overtake(
    commits: Commits, path: Path
) -> None:
    heard: list[object] = []
    commits.hand_in(adding("a"), heard.append)
    commits.hand_in(adding("b"), heard.append, alone=True)
    assert heard == []
    await commits.submit(adding("c"))
    assert heard == ["a", "b"]
    assert on_disk(path) == ["a", "b", "c"]


async def test_one_who_cannot_be_told_keeps_nobody_from_hearing(
    commits: Commits, path: Path
) -> None:
    with capture_logs() as logs:
        commits.hand_in(adding("a"), failing_to_hear)
        assert await commits.submit(adding("b")) == "b"
    assert [entry["event"] for entry in logs] == ["outcome of a write not delivered"]
    assert on_disk(path) == ["a", "b"]


def failing_to_hear(outcome: object) -> None:
    raise ZeroDivisionError(outcome)


async def test_closing_commits_what_is_waiting(
    store: sqlite3.Connection, path: Path
) -> None:
    async with Commits(store) as commits:
        waiting = [commits.submit(adding(name)) for name in "abc"]
    assert [future.result() for future in waiting] == ["a", "b", "c"]
    assert on_disk(path) == ["a", "b", "c"]


def record(store: sqlite3.Connection, *lines: str) -> None:
    event = a_ban(lines=lines)
    bans.record(store, event, host=HOST, jail="sshd", now=clock(2))


def found(path: Path, word: str) -> int:
    with contextlib.closing(Database(path)) as database:
        return len(list(database.table("log_lines").search(word)))


async def test_log_lines_can_be_searched_soon_after_their_commit(
    commits: Commits, path: Path
) -> None:
    await commits.submit(lambda store: record(store, "Failed password for root"))
    async with asyncio.timeout(20):
        while not found(path, "password"):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)


async def test_all_log_lines_can_be_searched_at_the_end(
    store: sqlite3.Connection, path: Path
) -> None:
    many = SHORT.lines * 2 + 1
    async with Commits(store) as commits:
        commits.submit(lambda store: record(store, *["word"] * many))
    assert found(path, "word") == many


async def test_lines_that_a_crash_left_out_of_the_index_come_in_at_the_start(
    store: sqlite3.Connection, path: Path
) -> None:
    with transaction(store):
        record(store, "Failed password for root")
    assert found(path, "password") == 0
    async with Commits(store):
        pass
    assert found(path, "password") == 1


async def test_lines_that_cannot_be_indexed_now_are_safe_and_indexed_later(
    store: sqlite3.Connection, path: Path
) -> None:
    store.execute("PRAGMA busy_timeout = 1")
    with transaction(store):
        record(store, "Failed password for root")
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(LOCKED)
        async with asyncio.timeout(10), Commits(store):
            pass
        other.rollback()
    assert found(path, "password") == 0
    async with Commits(store):
        pass
    assert found(path, "password") == 1


async def test_closing_with_nothing_to_do_ends(store: sqlite3.Connection) -> None:
    async with asyncio.timeout(10), Commits(store):
        pass


async def test_a_task_that_goes_away_leaves_its_write_and_the_others(
    commits: Commits, path: Path
) -> None:
    gone, stays = commits.submit(adding("a")), commits.submit(adding("b"))
    gone.cancel()
    assert await stays == "b"
    assert on_disk(path) == ["a", "b"]


async def test_it_is_alive_when_a_write_gets_through(
    commits: Commits, path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        alive = asyncio.create_task(commits.alive())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not alive.done()
        other.execute("ROLLBACK")
        await alive


def in_a_rush(commits: Commits) -> bool:
    return time.monotonic() < commits._rush_until


async def test_look_ups_wait_for_the_end_of_a_rush_and_lone_bans_make_none(
    commits: Commits,
) -> None:
    await commits.submit(adding("alone"), urgent=True)
    assert not in_a_rush(commits)
    rush = [commits.submit(adding(f"{number}"), urgent=True) for number in range(9)]
    assert commits._rush_until > 0
    async with asyncio.timeout(10):
        await commits.lull(most=0)
        await commits.lull(most=60)
    assert not in_a_rush(commits)
    assert all(future.done() for future in rush)


async def test_reads_run_beside_the_writes_in_a_thread_of_their_own(
    store: sqlite3.Connection, path: Path
) -> None:
    with open_reader(path) as reader:
        reads = Reads(reader)
        with transaction(store):
            adding("not yet committed")(store)
            count = await reads.run(
                lambda connection: (
                    connection.execute("SELECT count(*) FROM hosts").fetchone()[0],
                    threading.current_thread().name,
                )
            )
        reads.close()
    assert count == (0, "store-reader_0")
