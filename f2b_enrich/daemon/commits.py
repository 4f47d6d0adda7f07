"""Writes that wait together share one commit; reads run beside them."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

import structlog

from f2b_enrich.errors import StoreError
from f2b_enrich.store import search
from f2b_enrich.store.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

T = TypeVar("T")

log = structlog.get_logger(__name__)

LONGEST_TRANSACTION = 0.03
"""Seconds after which a transaction takes no further write in."""

CLOSE_SECONDS = 0.03
"""Two bans no further apart make a rush: as fast as fail2ban runs a shell action."""

RUSH_SECONDS = 0.1


@dataclass(slots=True)
class _Job:
    write: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Commits:
    """Commit the writes of all tasks to disk, those that wait together at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._jobs: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
        connection.execute("PRAGMA busy_timeout = 0")
        self._was_locked = False
        self._rush_until = 0.0
        self._last_urgent = 0.0
        self._last_size = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name="commits")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit what is still waiting, then end the thread."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    def submit(
        self, write: Callable[[sqlite3.Connection], T], *, urgent: bool = False
    ) -> asyncio.Future[T]:
        """Queue one write; the future is done when it is on disk.

        Those that are `urgent`, for fail2ban waits, make a rush when they come close
        upon each other: all else then waits a little.

        A write may run twice, and has no effect but on the store: when one of those
        that share a transaction fails, the others are written anew without it.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if urgent:
            now = time.monotonic()
            if now - self._last_urgent < CLOSE_SECONDS:
                self._rush_until = now + RUSH_SECONDS
            self._last_urgent = now
        self._jobs.append(_Job(write, future))
        self._arrived.set()
        return future

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

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        not_indexed = True
        while self._jobs or not self._closing or not_indexed:
            if self._jobs:
                await self._commit()
                not_indexed = True
            elif not_indexed and not self._in_a_rush():
                not_indexed = await loop.run_in_executor(self._thread, self._index)
            else:
                await self._next_arrival()

    def _in_a_rush(self) -> bool:
        return time.monotonic() < self._rush_until and not self._closing

    async def _next_arrival(self) -> None:
        """Wait for a write, or for the end of a rush: then there is time to index."""
        self._arrived.clear()
        rest = self._rush_until - time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rest if rest > 0 else None):
                await self._arrived.wait()

    def _index(self) -> bool:
        """Index a portion of the new lines; tell whether there may be more."""
        try:
            with self._patiently(), transaction(self._connection):
                return search.index_new_lines(self._connection) > 0
        except sqlite3.Error as exc:
            # The lines are safe; the next write tries again.
            log.warning("log lines not indexed yet", reason=str(exc))
            return False

    async def _gather(self) -> None:
        """Let in what is about to arrive: it shares the disk's time."""
        before = 0
        while before < len(self._jobs) < self._last_size:
            before = len(self._jobs)
            await asyncio.sleep(0)
        self._last_size = len(self._jobs)

    async def _commit(self) -> None:
        await self._gather()
        jobs = list(self._jobs)
        self._jobs.clear()
        # Here and now, for to wake the thread takes longer than many a write, and while
        # two threads run each SQL statement costs a hand-over of the interpreter.
        # Nothing is waited for but the disk.
        done = self._write_all(jobs)
        if self._was_locked:
            loop = asyncio.get_running_loop()
            done = await loop.run_in_executor(self._thread, self._wait_and_write, jobs)
        if done < len(jobs):
            self._jobs.extendleft(reversed(jobs[done:]))
        for job in jobs[:done]:
            if job.future.cancelled():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)

    def _wait_and_write(self, jobs: list[_Job]) -> int:
        """Write when another process, which holds the store, lets go of it."""
        with self._patiently():
            return self._write_all(jobs)

    @contextlib.contextmanager
    def _patiently(self) -> Iterator[None]:
        self._connection.execute(f"PRAGMA busy_timeout = {self._patience}")
        try:
            yield
        finally:
            self._connection.execute("PRAGMA busy_timeout = 0")

    def _write_all(self, jobs: list[_Job]) -> int:
        """Write jobs in one transaction until its time is up; tell how many it took.

        All go well almost always, so they are first tried together; when one fails,
        all are written again, each under a savepoint of its own.
        """
        for attempt in (self._write_together, self._write_apart):
            done = self._in_one_transaction(jobs, attempt)
            if done:
                return done
        return len(jobs)

    def _in_one_transaction(
        self, jobs: list[_Job], attempt: Callable[[_Job], None]
    ) -> int:
        """Tell how many jobs are done with; none when it is worth another attempt."""
        done = len(jobs)
        self._was_locked = True
        until = time.monotonic() + LONGEST_TRANSACTION
        try:
            with transaction(self._connection):
                self._was_locked = False
                done = 0
                for job in jobs:
                    attempt(job)
                    done += 1
                    if time.monotonic() > until:
                        break
        except Exception as exc:  # noqa: BLE001 - whoever waits must hear of it
            for job in jobs:
                job.error = _ours(exc)
            # Without the write lock, which was waited for long enough, all have failed.
            return done if self._was_locked else 0
        return done

    def _write_together(self, job: _Job) -> None:
        job.error = None  # of an attempt that was over before its turn came
        job.result = job.write(self._connection)

    def _write_apart(self, job: _Job) -> None:
        job.error = None
        self._connection.execute("SAVEPOINT job")
        try:
            job.result = job.write(self._connection)
        except Exception as exc:
            if not self._connection.in_transaction:
                raise  # a full disk ends the whole transaction
            self._connection.execute("ROLLBACK TO job")
            job.error = _ours(exc)
        self._connection.execute("RELEASE job")


def _ours(error: Exception) -> Exception:
    if not isinstance(error, sqlite3.Error):
        return error
    # Locked, full, unreadable: that is operational, and passes.
    permanent = not isinstance(error, sqlite3.OperationalError)
    return StoreError(f"store: {error}", permanent=permanent)


class Reads:
    """Ask the store beside the writes, on a connection of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run one read in the reading thread.

        Raises:
            StoreError: the store cannot be read now.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, read, self._connection)
        except sqlite3.Error as exc:
            raise StoreError(f"store: {exc}") from exc

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()
