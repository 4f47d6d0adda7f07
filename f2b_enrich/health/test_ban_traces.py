"""What a test ban leaves in the store and in the spool: found, and removed."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from f2b_enrich import spool
from f2b_enrich.errors import SpoolError, StoreError
from f2b_enrich.health.test_ban_jail import JAIL, TestBanError
from f2b_enrich.store import removal, trial
from f2b_enrich.store.connection import open_reader, open_writer, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from f2b_enrich.store.trial import TriedBan, TriedMail

T = TypeVar("T")

_PAUSE = 0.1
_LATE_SECONDS = 2.0
"""How long a daemon that lives may take to record an event that a client gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is followed: `jail` is its name in the store, `seconds` the limit of a step.

    Of a jail that `jail_is_new`, made for this, nothing is to stay in the store.
    `spools` are the folders where clients leave what no daemon takes.
    """

    ip: str
    jail: str
    jail_is_new: bool
    store: Path
    spools: tuple[Path, ...]
    seconds: float

    @property
    def is_ours_alone(self) -> bool:
        """Tell whether each ban of this jail is a test's: an alias may be anybody's."""
        return self.jail_is_new and self.jail == JAIL


@contextmanager
def alone(course: Course) -> Iterator[None]:
    """Keep out other tests with the same store.

    Raises:
        TestBanError: one runs.
    """
    try:
        # The folder itself: a lock file would be one more trace.
        folder = os.open(course.store.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        raise TestBanError(f"{course.store.parent}: {exc.strerror}") from exc
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TestBanError("another test-ban runs: wait until it ends") from None
        yield
    finally:
        os.close(folder)


def recorded(course: Course) -> TriedBan | None:
    """Read what the store has of the ban."""
    if not course.store.exists():
        return None
    with open_reader(course.store) as connection:
        return trial.tried_ban(connection, course.jail, course.ip)


def release(course: Course, ban_id: str) -> tuple[TriedMail, ...]:
    """Let the ban's mails leave whatever policy and brake say; give those kept."""
    with open_writer(course.store) as connection, transaction(connection):
        return trial.release(connection, ban_id, now=datetime.now(UTC))


def spooled(course: Course) -> list[Path]:
    """Find what clients left for the daemon, by a name that nobody else has."""
    name = f"JAIL={JAIL}" if course.jail_is_new else f"IP={course.ip}"
    mark = f"\0{name}\0".encode()
    found = []
    for folder in course.spools:
        for file in spool.waiting(folder, now=time.time()):
            try:
                if mark in spool.read(file, owners=None):
                    found.append(file)
            except SpoolError:
                continue  # a daemon has taken it
    return found


def await_last(course: Course) -> None:
    """Give a slow daemon a moment to record what it was told, or it comes back later.

    A jail of the server's own tells the unban as well.
    """

    def has_all() -> bool | None:
        row = recorded(course)
        return (row is not None and (row.has_ended or course.jail_is_new)) or None

    awaited(has_all, _LATE_SECONDS)


def remove(course: Course) -> None:
    """Remove the ban from spool and store, and those of killed tests."""
    for file in spooled(course):
        file.unlink(missing_ok=True)
    addresses = {*_left_by_others(course)}
    if recorded(course) is not None:
        addresses.add(course.ip)
    if not addresses:
        return
    with open_writer(course.store) as connection, transaction(connection):
        for ip in addresses:
            removal.remove_bans(connection, course.jail, ip)
        if course.jail_is_new:
            removal.forget_jail(connection, course.jail)


def _left_by_others(course: Course) -> tuple[str, ...]:
    """Name the addresses that killed tests had banned, if the jail is a test's."""
    if not course.is_ours_alone or not course.store.exists():
        return ()
    with open_reader(course.store) as connection:
        return trial.banned_by(connection, course.jail)


def is_unknown(store: Path, ip: str) -> bool:
    """Tell whether the store has never heard of an address, so that none is lost.

    Raises:
        StoreError: it cannot be read.
    """
    if not store.exists():
        raise StoreError(f"store {store}: there is none yet, the daemon makes it")
    with open_reader(store) as connection:
        return not trial.has_bans(connection, ip)


def awaited(look: Callable[[], T | None], seconds: float) -> T | None:
    """Look until there is something, or give None when the time is over."""
    until = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(_PAUSE)
    return found
