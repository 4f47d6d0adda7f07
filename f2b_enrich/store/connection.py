"""Opening and closing the store, so that several processes can share it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.store.schema import NAME, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUSY_SECONDS = 10.0
_CACHE_KIB = 8 * 1024
_CACHE_KIB_ALONE = 64 * 1024
_CACHE_KIB_OF_IDS = 96 * 1024
_CACHE_KIB_SORTING = 16 * 1024
_CHECKPOINT_PAGES_ALONE = 128_000
_CHECKPOINT_PAGES_BESIDE = 1000
_CHECKPOINT_PAGES = 4000
"""16 MiB of log: ids are random, so a ban touches many pages, and the fewer times they
are copied back the better (a third more bans a second than with SQLite's 1000)."""


@contextlib.contextmanager
def open_writer(
    path: Path,
    *,
    busy_seconds: float = BUSY_SECONDS,
    tries: int = 1,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[sqlite3.Connection]:
    """Open the store for writing, made or migrated first where needed.

    The connection may move between threads but never serves two at once. The last
    writer to close leaves the file in the form that a reader without any right to
    write can open. Who reads it in that form holds up the next writer, which tries so
    many times, for `busy_seconds` each, and calls `on_wait` after the first.

    Raises:
        StoreError: the file cannot be opened, is no store, or is of a newer version.
    """
    # Only here: it takes some 80 ms, which no reader needs.
    from f2b_enrich.store.migrating import migrate  # noqa: PLC0415

    with _sql_errors_of(path), contextlib.ExitStack() as stack:
        with _file_errors_of(path):
            _make_private_file(path)
            connection = _connect(path, "rw", busy_seconds)
            stack.callback(_close, connection)
            with _migration_lock(path):
                _check_kind(connection, path)
                _write_ahead(connection, tries, on_wait)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                migrate(connection)
        yield connection


@contextlib.contextmanager
def open_reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the store for reading only.

    Raises:
        StoreError: there is no such file, it is no store, or it cannot be read.
    """
    with _sql_errors_of(path), contextlib.ExitStack() as stack:
        try:
            connection = _read_only(path, "ro", stack)
        except sqlite3.OperationalError:
            # A writer that was killed left the form that a reader must write beside.
            # Without a log beside it the file is whole, and nobody changes it.
            if _beside(path, "-wal").exists():
                raise
            connection = _read_only(path, "ro&immutable=1", stack)
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise StoreError(f"store {path}: empty, no daemon has written to it yet")
        yield connection


def daemon_lock(path: Path) -> Path:
    """Name the file that a daemon holds while it works on this store."""
    return _beside(path, ".daemon")


@contextlib.contextmanager
def held_by_daemon(path: Path) -> Iterator[None]:
    """Make sure that one daemon at a time works on this store.

    Raises:
        StoreError: another one does.
    """
    with contextlib.ExitStack() as stack:
        with _file_errors_of(path):
            file = stack.enter_context(_lock_file(daemon_lock(path)))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(f"store {path}: another daemon works on it") from None
        yield


@contextlib.contextmanager
def transaction(
    connection: sqlite3.Connection, *, is_temporary: bool = False
) -> Iterator[None]:
    """Hold the write lock from the start, so that nobody's read turns stale inside.

    One that `is_temporary` holds none: it writes to temporary tables alone.

    Raises:
        sqlite3.OperationalError: another writer held the lock for 10 s.
    """
    connection.execute("BEGIN" if is_temporary else "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def work_alone(connection: sqlite3.Connection, *, is_alone: bool) -> None:
    """Have a long work take more memory, and copy pages back less often, while alone.

    A transaction that fits into memory writes each page once. Beside others it copies
    its own pages back in small portions: else whoever comes to the limit does it for
    all, while somebody waits for an acknowledgement.
    """
    cache = _CACHE_KIB_ALONE if is_alone else _CACHE_KIB
    pages = _CHECKPOINT_PAGES_ALONE if is_alone else _CHECKPOINT_PAGES_BESIDE
    connection.execute(f"PRAGMA cache_size = -{cache}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")


def copy_back(connection: sqlite3.Connection) -> None:
    """Copy the write-ahead log into the store, outside any transaction.

    Else the next to write does that for all that a long work has written alone. What
    keeps it from being done now does not matter: then it is done later.
    """
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def hold_many_pages(connection: sqlite3.Connection) -> None:
    """Have the index of ids in memory: it has some 50 bytes a ban, in no order."""
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB_OF_IDS}")


def sort_many_rows(connection: sqlite3.Connection) -> None:
    """Have a statement sort millions of rows: with a helper, and in small portions.

    What fits the processor's cache is sorted in half the time.
    """
    connection.execute("PRAGMA threads = 1")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB_SORTING}")


@contextlib.contextmanager
def _sql_errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise StoreError(f"store {path}: {exc}") from exc


@contextlib.contextmanager
def _file_errors_of(path: Path) -> Iterator[None]:
    """Translate while opening only: a broken pipe later is no fault of the store."""
    try:
        yield
    except OSError as exc:
        raise StoreError(f"store {path}: {exc.strerror}") from exc


def _make_private_file(path: Path, mode: int = 0o640) -> None:
    """Make a file if there is none; root makes it for the owner of the folder."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        file = os.open(path, flags, mode)
    except FileExistsError:
        return
    try:
        if os.geteuid() == 0:
            folder = path.parent.stat()
            os.fchown(file, folder.st_uid, folder.st_gid)
    finally:
        os.close(file)


def _connect(
    path: Path, mode: str, busy_seconds: float = BUSY_SECONDS
) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except sqlite3.Error:  # no database at all
        connection.close()
        raise
    return connection


def _read_only(
    path: Path, mode: str, stack: contextlib.ExitStack
) -> sqlite3.Connection:
    """Connect and look into the file: some kinds cannot be read only then."""
    connection = _connect(path, mode)
    stack.callback(connection.close)
    _check_kind(connection, path)
    return connection


@contextlib.contextmanager
def openers_waiting(connection: sqlite3.Connection) -> Iterator[None]:
    """Have those wait who open the store for writing: a long transaction follows.

    They would wait for that as well, but give up after a time.
    """
    path = Path(connection.execute("PRAGMA database_list").fetchone()["file"])
    with contextlib.ExitStack() as stack:
        with _file_errors_of(path):
            stack.enter_context(_migration_lock(path))
        yield


@contextlib.contextmanager
def _migration_lock(path: Path) -> Iterator[None]:
    """Let one process at a time look at the schema and change it."""
    with _lock_file(_beside(path, ".lock")) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _beside(path: Path, suffix: str) -> Path:
    # SQLite too names a store that is found by a link as it is itself.
    store = Path(os.path.realpath(path))
    return store.with_name(store.name + suffix)


@contextlib.contextmanager
def _lock_file(lock: Path) -> Iterator[int]:
    # Not for the group: whoever can open it can hold it, and keep the daemon out.
    _make_private_file(lock, 0o600)
    file = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield file
    finally:
        os.close(file)


def _write_ahead(
    connection: sqlite3.Connection, tries: int, on_wait: Callable[[], None] | None
) -> None:
    """Go over to the form in which readers and writers do not wait for each other."""
    for left in reversed(range(tries)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not left:
                raise
            if left == tries - 1 and on_wait is not None:
                on_wait()
        else:
            return


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if tables and "_sqlite_migrations" not in tables:
        raise StoreError(f"store {path}: this is another program's database")
    if not tables:
        return
    applied = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ?",
        (NAME,),
    )
    newer = sorted({name for (name,) in applied} - STEPS.keys())
    if newer:
        raise StoreError(
            f"store {path}: a newer f2b-enrich wrote it ({', '.join(newer)}), "
            "this version cannot read it"
        )


def _close(connection: sqlite3.Connection) -> None:
    # Refused while another process has the store open. A query is soon over; a daemon
    # will do it when it ends.
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 300")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
