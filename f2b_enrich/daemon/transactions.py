"""Writes that share a transaction, each of which may fail without the others."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_TRANSACTION = 0.03
"""Seconds after which a transaction takes no further write in."""


@dataclass(slots=True)
class Job:
    """One write; `outcome` is what it returned, or why it failed.

    `then` is told the outcome when it is on disk.
    """

    write: Callable[[sqlite3.Connection], Any]
    then: Callable[[Any], None]
    outcome: Any = None


def write_all(connection: sqlite3.Connection, jobs: Sequence[Job]) -> int:
    """Write jobs in one transaction until its time is up; tell how many it took.

    All go well almost always, so they are first tried together; when one fails, all
    are written again, each under a savepoint of its own. None is taken, and that is the
    outcome of each, when another process holds the store.
    """
    for attempt in (_write_together, _write_apart):
        is_locked, done = _in_one_transaction(connection, jobs, attempt)
        if is_locked:
            return 0
        if done:
            return done
    return len(jobs)


def _in_one_transaction(
    connection: sqlite3.Connection,
    jobs: Sequence[Job],
    attempt: Callable[[sqlite3.Connection, Job], None],
) -> tuple[bool, int]:
    """Tell whether the store was locked, and how many jobs are committed."""
    is_locked, done = True, 0
    until = time.monotonic() + LONGEST_TRANSACTION
    try:
        with transaction(connection):
            is_locked = False
            for job in jobs:
                attempt(connection, job)
                done += 1
                if time.monotonic() > until:
                    break
    except Exception as exc:  # noqa: BLE001 - whoever waits must hear of it
        for job in jobs:
            job.outcome = _ours(exc)
        return is_locked, 0
    return False, done


def _write_together(connection: sqlite3.Connection, job: Job) -> None:
    job.outcome = job.write(connection)


def _write_apart(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute("SAVEPOINT job")
    try:
        job.outcome = job.write(connection)
    except Exception as exc:
        if not connection.in_transaction:
            raise  # a full disk ends the whole transaction
        connection.execute("ROLLBACK TO job")
        job.outcome = _ours(exc)
    connection.execute("RELEASE job")


def _ours(error: Exception) -> Exception:
    if not isinstance(error, sqlite3.Error):
        return error
    # Locked, full, unreadable: that is operational, and passes.
    permanent = not isinstance(error, sqlite3.OperationalError)
    return StoreError(f"store: {error}", permanent=permanent)
