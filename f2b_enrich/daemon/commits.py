"""One thread writes, one reads; writes that wait together share one commit."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")

LONGEST_TRANSACTION = 0.03
"""Seconds after which a transaction takes no further write in."""


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

    def submit(self, write: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Queue one write; the future is done when it is on disk.

        Each write runs under its own savepoint: one that fails undoes itself alone.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(write, future))
        self._arrived.set()
        return future

    async def alive(self) -> None:
        """Return when the writing thread gets to it: it is not stuck."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, lambda: None)

    async def _work(self) -> None:
        while self._jobs or not self._closing:
            await self._arrived.wait()
            await self._commit()

    async def _commit(self) -> None:
        jobs = list(self._jobs)
        self._jobs.clear()
        self._arrived.clear()
        if not jobs:
            return
        loop = asyncio.get_running_loop()
        done = await loop.run_in_executor(self._thread, self._write_all, jobs)
        if done < len(jobs):
            self._jobs.extendleft(reversed(jobs[done:]))
            self._arrived.set()
        for job in jobs[:done]:
            if job.future.cancelled():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)

    def _write_all(self, jobs: list[_Job]) -> int:
        """Run jobs in one transaction until its time is up; tell how many it took."""
        done = 0
        until = time.monotonic() + LONGEST_TRANSACTION
        try:
            with transaction(self._connection):
                for job in jobs:
                    self._write(job)
                    done += 1
                    if time.monotonic() > until:
                        break
        except Exception as exc:  # noqa: BLE001 - whoever waits must hear of it
            # Nothing of this transaction is on disk; whoever waits may try again.
            done = len(jobs)
            for job in jobs:
                job.error = StoreError(f"store: {exc}")
        return done

    def _write(self, job: _Job) -> None:
        self._connection.execute("SAVEPOINT job")
        try:
            job.result = job.write(self._connection)
        except Exception as exc:
            if not self._connection.in_transaction:
                raise  # a full disk ends the whole transaction
            self._connection.execute("ROLLBACK TO job")
            is_sql = isinstance(exc, sqlite3.Error)
            job.error = StoreError(f"store: {exc}") if is_sql else exc
        self._connection.execute("RELEASE job")


class Reads:
    """Ask the store beside the writes, on a connection of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run one read in the reading thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, read, self._connection)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()
