"""A fetched database checked and put where the local database is read."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from f2b_enrich.enrich.local import LITE, Database, open_database
from f2b_enrich.errors import GeoError
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

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


@contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`, to this process alone, and remove it.

    On the same file system, so that a rename puts the file in place; a killed
    update's leavings are swept by the next.

    Raises:
        GeoError: another update is under way, or the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as exc:
        raise GeoError(f"{target.parent}: {exc.strerror}") from exc
    folder = target.with_name(f".{target.name}.update")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError as exc:
        raise GeoError(f"{target}: another update is under way") from exc
    except OSError as exc:
        raise GeoError(f"{exc.filename or target}: {exc.strerror}") from exc
    finally:
        os.close(lock)


def copy(
    pieces: Iterable[bytes], path: Path, *, largest: int = LARGEST_DATABASE
) -> str:
    """Write pieces to a new file, durably; return the SHA-256 of what was written.

    Raises:
        GeoError: it would be larger than any database.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for piece in pieces:
            size += len(piece)
            if size > largest:
                raise GeoError(f"the database is over {largest} bytes")
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file piece by piece."""
    while piece := file.read(PIECE):
        yield piece


def checksum(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def present(target: Path) -> Database | None:
    """Open the database in place; None when there is none that can be used.

    A damaged one is there to be replaced.
    """
    try:
        return open_database(target)
    except (FileNotFoundError, GeoError):
        return None


def kept(database: Database, origin: str) -> Placed:
    """Say that the database in place stays."""
    return Placed(
        path=database.path,
        changed=False,
        kind=database.kind,
        built_at=database.built_at,
        origin=origin,
    )


def place(fetched: Path, target: Path, *, origin: str, now: datetime) -> Placed:
    """Check a fetched database and rename it into place, its attribution beside it.

    Raises:
        GeoError: it is not a database that can be used; the old one stays.
    """
    kind, built_at = _checked(fetched)
    note = fetched.with_name("attribution")
    copy([attribution(kind, built_at, origin, now).encode()], note)
    for path in (fetched, note):
        path.chmod(_MODE)
    note.replace(attribution_path(target))
    fetched.replace(target)
    _sync_folder(target.parent)
    return Placed(
        path=target, changed=True, kind=kind, built_at=built_at, origin=origin
    )


def _checked(fetched: Path) -> tuple[str, datetime]:
    try:
        database = open_database(fetched)
    except GeoError as exc:
        # The path it names is ours and gone in a moment.
        reason = str(exc).removeprefix(f"{fetched}: ")
        raise GeoError(f"what was fetched is of no use: {reason}") from exc
    try:
        first, _ = next(iter(database.reader))
        if database.facts(first.network_address) is None:
            raise GeoError("what was fetched does not find its own first address")
        return database.kind, database.built_at
    finally:
        database.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
