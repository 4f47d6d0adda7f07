"""fail2ban's database opened for reading, and anything else refused."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VERSIONS = range(1, 5)
"""The schemas that are known: 1 and 2 of fail2ban 0.9, 3 and 4 of 0.11 and newer."""

MAX_VALUE = 4 * 1024 * 1024
"""The longest value, in bytes, that is taken out of it: as long as a request may be."""

_HEADER = 20
_MARK = b"SQLite format 3\0"
_WAL = b"\x02\x02"
_MUST_HAVE = ("jail", "ip", "timeofban", "data")
_LONGEST_REASON = 200

_CAREFUL = ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0")
"""Against files made to harm (SQLite, defense against the dark arts)."""

Table: TypeAlias = Literal["bans", "bips"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Of which version it is, and what columns its tables have."""

    version: int
    columns: Mapping[Table, frozenset[str]]


class Connection:
    """A connection that reads, and whose errors are one line about the file."""

    def __init__(
        self, connection: sqlite3.Connection, *, name: str, is_wal: bool
    ) -> None:
        """Take an open connection to the file of that name."""
        self.name = name
        self._connection = connection
        self._is_wal = is_wal

    @contextmanager
    def asking(self, question: str, *values: object) -> Iterator[sqlite3.Cursor]:
        """Ask one question; its end lets go of the lock that keeps writers waiting.

        Raises:
            UnreadableError: it cannot be answered.
            DataError: a value is longer than `MAX_VALUE`.
        """
        try:
            with closing(self._connection.execute(question, values)) as cursor:
                yield cursor
        except sqlite3.Error as exc:
            if _code(exc) == sqlite3.SQLITE_TOOBIG:
                raise
            raise UnreadableError(f"{self.name} {self._reason(exc)}") from exc
        except UnicodeDecodeError as exc:  # SQLite's words repeat those of the file
            said = exc.object.decode("utf-8", "replace")
            raise UnreadableError(f"{self.name} {_unreadable(said)}") from exc

    def _reason(self, exc: sqlite3.Error) -> str:
        code = _code(exc)
        if code == sqlite3.SQLITE_BUSY:
            return "is locked by another program"
        if self._is_wal and code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            return (
                "is in WAL mode, which cannot be read in a folder that cannot be "
                "written: copy it, with the files -wal and -shm beside it"
            )
        return _unreadable(str(exc))


@contextmanager
def connected(path: Path, *, busy_seconds: float) -> Iterator[Connection]:
    """Open a file of SQLite to be read, also while others write to it.

    Raises:
        UnreadableError: it is not there, or not of SQLite.
    """
    name = printable(str(path))
    try:
        header = _header(path, name)
    except OSError as exc:
        raise UnreadableError(f"{name}: {exc.strerror}") from exc
    if not header:
        raise UnreadableError(f"{name} is empty")
    if not header.startswith(_MARK):
        raise UnreadableError(f"{name} is no SQLite database")
    # Never `immutable`: fail2ban may be writing to it.
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        opened = sqlite3.connect(
            uri, uri=True, timeout=busy_seconds, isolation_level=None
        )
    except sqlite3.Error as exc:
        raise UnreadableError(f"{name} cannot be opened: {exc}") from exc
    with closing(opened) as connection:
        connection.text_factory = bytes
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        is_wal = header[len(_MARK) + 2 :] == _WAL
        careful = Connection(connection, name=name, is_wal=is_wal)
        for pragma in _CAREFUL:
            with careful.asking(f"PRAGMA {pragma}"):
                pass
        yield careful


def _header(path: Path, name: str) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for ever
        raise UnreadableError(f"{name} is not a file")
    with path.open("rb") as file:
        return file.read(_HEADER)


def _unreadable(said: str) -> str:
    return f"cannot be read: {cut(printable(said), _LONGEST_REASON)}"


def _code(exc: sqlite3.Error) -> int:
    """Give SQLite's primary code; what Python's own module says has none."""
    code: int = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


def schema_of(connection: Connection) -> Schema:
    """Tell which of fail2ban's schemas it has.

    Raises:
        UnreadableError: none that is known, or it is of another program.
    """
    name = connection.name
    try:
        tables = _tables(connection)
        if b"fail2banDb" not in tables or b"bans" not in tables:
            raise UnreadableError(f"{name} is not fail2ban's database")
        with connection.asking("SELECT version FROM fail2banDb LIMIT 1") as rows:
            (version,) = rows.fetchone() or (None,)
        if not isinstance(version, int) or version not in VERSIONS:
            shown = version if isinstance(version, int) else "none"
            raise UnreadableError(
                f"{name} is fail2ban's database of version {shown}, "
                f"known are {VERSIONS[0]} to {VERSIONS[-1]}"
            )
        columns: dict[Table, frozenset[str]] = {"bans": _columns(connection, "bans")}
        if b"bips" in tables:
            columns["bips"] = _columns(connection, "bips")
    except sqlite3.DataError as exc:
        raise UnreadableError(
            f"{name} has a schema of over {MAX_VALUE} bytes: it is not fail2ban's"
        ) from exc
    return Schema(version=version, columns=columns)


def _tables(connection: Connection) -> set[bytes]:
    """Name the tables that are some: a view could be endless, or run functions."""
    with connection.asking(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name IN ('fail2banDb', 'bans', 'bips') "
        "AND sql NOT LIKE 'CREATE VIRTUAL%'"
    ) as rows:
        return {row[0] for row in rows}


def _columns(connection: Connection, table: Table) -> frozenset[str]:
    with connection.asking("SELECT name FROM pragma_table_info(?)", table) as rows:
        columns = frozenset(row[0].decode("utf-8", "replace") for row in rows)
    missing = [column for column in _MUST_HAVE if column not in columns]
    if missing:
        raise UnreadableError(
            f"{connection.name} is not fail2ban's database: "
            f"{table} has no column {missing[0]}"
        )
    return columns
