"""Writes that wait together share one commit, on the event loop's own time."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

import structlog

from f2b_enrich.daemon.transactions import Job, write_all
from f2b_enrich.errors import StoreError
from f2b_enrich.store import search
from f2b_enrich.store.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 0.1
"""Two bans no further apart make a rush: as slowly as fail2ban runs a shell action.

That is 20 ms on a machine with nothing else to do, and three times that on a busy one.
What follows a ban takes six transactions and fifty switches of threads when each comes
alone, and one and nine in a rush.
"""

RUSH_SECONDS = 0.12
"""How long a rush goes on without another ban; not less, or bans so close make gaps."""


class Commits:
    """Commit the writes of all tasks to disk, those that wait together at once.

    They are done here and now: to wake a thread takes longer than most of them, and
    while two threads run each SQL statement costs a hand-over of the interpreter.
    Nothing is waited for but the disk; for another process that holds the store, and
    for the index of the log lines, there is a thread.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
        connection.execute("PRAGMA busy_timeout = 0")
        self._jobs: list[Job] = []
        self._gathered = 0
        self._last_size = 0
        self._next: asyncio.Handle | None = None
        self._not_indexed = True
        self._index_timer: asyncio.TimerHandle | None = None
        self._last_urgent = 0.0
        self._rush_until = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._in_thread: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._go_on()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit and index what is still waiting, then end the thread."""
        while self._jobs or self._in_thread or self._not_indexed:
            if self._in_thread is not None:
                await self._in_thread
            elif self._jobs:
                self._commit()
            else:
                self._in_thread = asyncio.create_task(self._index())
        self._thread.shutdown()

    def submit(
        self, write: Callable[[sqlite3.Connection], T], *, urgent: bool = False
    ) -> asyncio.Future[T]:
        """Queue one write; the future is done when it is on disk.

        See `hand_in` for what a write may do.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.hand_in(write, partial(settle, future), urgent=urgent)
        return future

    async def insist(
        self, write: Callable[[sqlite3.Connection], object], *, of: str, pause: float
    ) -> None:
        """Submit a write until it is on disk, however long the store is locked.

        `of` says in the log what is not yet noted, `pause` is between two attempts.
        """
        while True:
            try:
                await self.submit(write)
            except StoreError as exc:
                log.warning(f"{of} not yet noted", reason=str(exc))
                await asyncio.sleep(pause)
            else:
                return

    def hand_in(
        self,
        write: Callable[[sqlite3.Connection], T],
        then: Callable[[T | Exception], None],
        *,
        urgent: bool = True,
        alone: bool = False,
    ) -> None:
        """Queue one write; `then` hears, once it is on disk, what it came to.

        Those that are `urgent`, for fail2ban waits, make a rush when they come close
        upon each other: all else then waits a little. One that is `alone`, for no other
        can be about to arrive, is committed before this returns if nothing is queued.

        A write may run twice, and has no effect but on the store: when one of those
        that share a transaction fails, the others are written anew without it.
        """
        if urgent:
            now = time.monotonic()
            if now - self._last_urgent < CLOSE_SECONDS:
                self._rush_until = now + RUSH_SECONDS
            self._last_urgent = now
        self._jobs.append(Job(write, then))
        if alone and self._in_thread is None and len(self._jobs) == 1:
            self._commit()
        else:
            self._go_on()

    async def lull(self, *, most: float) -> None:
        """Let a rush of bans pass, but wait no longer than `most` seconds.

        Look-ups and mail can wait; whoever reports a ban holds up fail2ban.
        """
        until = time.monotonic() + most
        now = time.monotonic()
        while now < min(until, self._rush_until):
            await asyncio.sleep(self._rush_until - now)
            now = time.monotonic()

    async def alive(self) -> None:
        """Return when a write gets through.

        Raises:
            StoreError: another process has held the store for too long.
        """
        await self.submit(lambda _: None)

    def _go_on(self) -> None:
        """See to it that what there is to do gets done."""
        if self._in_thread is not None:
            return  # comes back here when it is over
        loop = asyncio.get_running_loop()
        if self._jobs:
            if self._next is None:
                self._next = loop.call_soon(self._gather)
        elif self._not_indexed and self._index_timer is None:
            at = max(loop.time(), self._rush_until)
            self._index_timer = loop.call_at(at, self._index_if_quiet)

    def _gather(self) -> None:
        """Let in what is about to arrive: it shares the disk's time. Then commit."""
        self._next = None
        if self._gathered < len(self._jobs) < self._last_size:
            self._gathered = len(self._jobs)
            self._go_on()
        elif self._in_thread is None and self._jobs:
            self._commit()

    def _commit(self) -> None:
        jobs, self._jobs = self._jobs, []
        self._gathered, self._last_size = 0, len(jobs)
        done = write_all(self._connection, jobs)
        if done:
            self._finish(jobs, done)
        else:
            self._in_thread = asyncio.create_task(self._wait_and_commit(jobs))

    def _finish(self, jobs: list[Job], done: int) -> None:
        self._jobs[:0] = jobs[done:]
        self._not_indexed = True
        for job in jobs[:done]:
            try:
                job.then(job.outcome)
            except Exception:  # whoever else waits must hear all the same
                log.exception("outcome of a write not delivered")
        self._go_on()

    async def _wait_and_commit(self, jobs: list[Job]) -> None:
        """Write when another process, which holds the store, lets go of it."""
        try:
            done = await self._patiently(partial(write_all, jobs=jobs))
        except Exception as exc:  # noqa: BLE001 - whoever waits must hear of it
            for job in jobs:
                job.outcome = exc
            done = len(jobs)
        self._finish(jobs, done or len(jobs))

    def _index_if_quiet(self) -> None:
        """Index when nobody waits for the store, and no rush of bans is on."""
        self._index_timer = None
        if self._jobs or self._in_thread or time.monotonic() < self._rush_until:
            self._go_on()
        elif self._not_indexed:
            self._in_thread = asyncio.create_task(self._index())

    async def _index(self) -> None:
        """Index a portion of the new lines."""
        self._not_indexed = False
        try:
            self._not_indexed = await self._patiently(_index_some)
        except Exception as exc:  # noqa: BLE001 - writes go on without an index
            # The lines are safe; the next write tries again.
            log.warning("log lines not indexed yet", reason=str(exc))
        self._go_on()

    async def _patiently(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work in the thread, which can wait for others to let go of the store."""

        def patient() -> T:
            self._connection.execute(f"PRAGMA busy_timeout = {self._patience}")
            try:
                return work(self._connection)
            finally:
                self._connection.execute("PRAGMA busy_timeout = 0")

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, patient)
        finally:
            self._in_thread = None


def _index_some(connection: sqlite3.Connection) -> bool:
    """Index a portion of the new lines; tell whether there may be more."""
    with transaction(connection):
        return search.index_new_lines(connection) > 0


def settle(future: asyncio.Future[T], outcome: T | Exception) -> None:
    """Put what a write came to into the future of whoever still waits for it."""
    if future.cancelled():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
