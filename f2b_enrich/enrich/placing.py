"""A fetched database checked and put where the local database is read.

That folder belongs to the daemon's user, and root may be the one who updates: there
nothing is looked at or changed by its path, for the user could swap what is behind it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from f2b_enrich.enrich.local import LITE, open_database
from f2b_enrich.errors import GeoError
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

LARGEST_DATABASE = 1 << 30
"""A limit against filling a disk: IPinfo Lite has 26 MB, its largest files 600."""

PIECE = 1 << 18

_MODE = 0o644  # public data, and the daemon runs as another user


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What an update came to; `changed` is false when the old file was kept."""

    path: Path
    changed: bool
    kind: str
    built_at: datetime
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where an update works, and the open folder into which its result goes."""

    folder: Path
    target: Path
    shelf: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The database in place when the update began."""

    kind: str
    built_at: datetime
    sha256: str


@contextmanager
def workshop(target: Path) -> Iterator[Workshop]:
    """Lock the folder of `target`, and give a private one that is removed afterwards.

    Raises:
        GeoError: another update is under way, or a folder cannot be used.
    """
    with _locked(target) as shelf:
        try:
            with tempfile.TemporaryDirectory(prefix="f2b-enrich-") as folder:
                yield Workshop(folder=Path(folder), target=target, shelf=shelf)
        except OSError as exc:
            where = exc.filename or "the temporary folder"
            raise GeoError(f"{where}: {exc.strerror}") from exc


@contextmanager
def _locked(target: Path) -> Iterator[int]:
    shelf = _opened_folder(target.parent)
    try:
        fcntl.flock(shelf, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(shelf)
        busy = isinstance(exc, BlockingIOError)
        reason = "another update is under way" if busy else exc.strerror
        raise GeoError(f"{target}: {reason}") from exc
    try:
        yield shelf
    finally:
        os.close(shelf)


def _opened_folder(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(
            folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        )
    except OSError as exc:
        # Of a link the kernel only says that it is no directory.
        puzzling = isinstance(exc, FileExistsError | NotADirectoryError)
        is_link = puzzling and folder.is_symlink()
        reason = "is a symbolic link" if is_link else exc.strerror
        raise GeoError(f"{folder}: {reason}") from exc


def copy(
    pieces: Iterable[bytes], path: Path, *, largest: int = LARGEST_DATABASE
) -> str:
    """Write pieces to a new file; return the SHA-256 of what was written.

    Raises:
        GeoError: it would be larger than any database.
    """
    with path.open("xb") as file:
        return _pour(pieces, file, largest)


def _pour(pieces: Iterable[bytes], file: IO[bytes], largest: int) -> str:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > largest:
            raise GeoError(f"the database is over {largest} bytes")
        digest.update(piece)
        file.write(piece)
    return digest.hexdigest()


def pieces(file: IO[bytes], source: Path) -> Iterator[bytes]:
    """Read a file piece by piece.

    Raises:
        GeoError: `source` cannot be read, so that OSError is left to the writing side.
    """
    try:
        while piece := file.read(PIECE):
            yield piece
    except OSError as exc:
        raise GeoError(f"{source}: {exc.strerror or exc}") from exc


def present(bench: Workshop) -> Present | None:
    """Look at a copy of the database in place; None when there is none to be used.

    A damaged one is there to be replaced. A copy, because the file is read as mapped
    memory, which its owner could change or cut off meanwhile.

    Raises:
        GeoError: the file cannot be read to its end, or is larger than any database.
    """
    file = _opened_file(bench)
    if file is None:
        return None
    copied = bench.folder / "present"
    with file:
        sha256 = copy(pieces(file, bench.target), copied)
    try:
        with closing(open_database(copied)) as database:
            return Present(
                kind=database.kind, built_at=database.built_at, sha256=sha256
            )
    except GeoError:
        return None
    finally:
        copied.unlink()  # the temporary folder may be memory


def _opened_file(bench: Workshop) -> IO[bytes] | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(bench.target.name, flags, dir_fd=bench.shelf)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def kept(bench: Workshop, old: Present, origin: str) -> Placed:
    """Say that the database in place stays."""
    return Placed(
        path=bench.target,
        changed=False,
        kind=old.kind,
        built_at=old.built_at,
        origin=origin,
    )


def place(
    bench: Workshop, fetched: Path, *, sha256: str, origin: str, now: datetime
) -> Placed:
    """Check a fetched database and copy it into place, its attribution beside it.

    Args:
        bench: where `fetched` lies.
        fetched: the database.
        sha256: what was fetched, and so what must arrive.
        origin: where it was fetched from.
        now: when.

    Raises:
        GeoError: it is not a database that can be used, or cannot be written; the old
            one stays.
    """
    kind, built_at = _checked(fetched)
    note = attribution(kind, built_at, origin, now).encode()
    try:
        with fetched.open("rb") as file:
            _shelve(bench, note, pieces(file, fetched), sha256)
    except OSError as exc:
        name = exc.filename2 or exc.filename or bench.target.name
        raise GeoError(f"{bench.target.parent / name}: {exc.strerror}") from exc
    return Placed(
        path=bench.target, changed=True, kind=kind, built_at=built_at, origin=origin
    )


def _shelve(
    bench: Workshop, note: bytes, content: Iterable[bytes], sha256: str
) -> None:
    names = attribution_path(bench.target).name, bench.target.name
    drafts = [f".{name}.new" for name in names]
    _sweep(bench.shelf, drafts)  # what a killed update left
    try:
        _write(bench.shelf, drafts[0], [note])
        if _write(bench.shelf, drafts[1], content) != sha256:
            raise GeoError("what was fetched changed while it was being placed")
        for draft, name in zip(drafts, names, strict=True):
            os.rename(draft, name, src_dir_fd=bench.shelf, dst_dir_fd=bench.shelf)
        os.fsync(bench.shelf)
    finally:
        _sweep(bench.shelf, drafts)


def _write(shelf: int, name: str, content: Iterable[bytes]) -> str:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=shelf)
    with os.fdopen(descriptor, "wb") as file:
        sha256 = _pour(content, file, LARGEST_DATABASE)
        file.flush()
        os.fchmod(descriptor, _MODE)
        if os.geteuid() == 0:
            owner = os.fstat(shelf)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.fsync(descriptor)
    return sha256


def _sweep(shelf: int, names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):
            os.unlink(name, dir_fd=shelf)


def _checked(fetched: Path) -> tuple[str, datetime]:
    try:
        database = open_database(fetched)
    except GeoError as exc:
        # The path it names is ours and gone in a moment.
        reason = str(exc).removeprefix(f"{fetched}: ")
        raise GeoError(f"what was fetched is of no use: {reason}") from exc
    with closing(database):  # opening it has looked addresses up
        return database.kind, database.built_at


def attribution_path(target: Path) -> Path:
    """Name the file that says whose the database is."""
    return target.with_name(f"{target.name}.ATTRIBUTION")


def attribution(kind: str, built_at: datetime, origin: str, now: datetime) -> str:
    """Write what the licence of IPinfo Lite asks for: whose data, what licence."""
    licence = (
        "Licence: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/"
        if kind == LITE
        else "Licence: as agreed with whoever provided the file"
    )
    return (
        "IP address data powered by IPinfo\n"
        "https://ipinfo.io\n"
        "\n"
        f"{kind} database, built {time_text(built_at)}\n"
        f"{licence}\n"
        "\n"
        f"Fetched {time_text(now)} from {origin}\n"
    )
