"""Whether the store is whole, of this version, and takes what the daemon writes."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.health.check_process import READ, SEARCH, WRITE
from f2b_enrich.health.cures import MOVE, RESTART, STOP, command
from f2b_enrich.health.links import crit, ok, unknown, warn
from f2b_enrich.health.sizes import size_text
from f2b_enrich.inert import printable
from f2b_enrich.store import soundness
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from f2b_enrich.health.check_process import Account
    from f2b_enrich.health.links import Link

LITTLE_SPACE = 500_000_000
NO_SPACE = 50_000_000
"""Bytes; a ban with its lines takes some 5 kB, and moving the store into shape more."""

_BUSY_SECONDS = 1.0
_CORRUPT = ("malformed", "not a database", "disk I/O error", "checksum")
_CURES = (
    ("a newer f2b-enrich wrote it", "install the newer version again: install.sh"),
    ("another program's database", "name another file in store.path"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """What is at the store's path.

    `problem` is why it cannot be read, `fault` the first thing wrong inside; `refusal`
    is why it cannot be written to, `writes_known` whether that could be tried: not
    where a daemon that was killed has `log_left`. Of a file that is `unchecked` there
    was no time to read all. `free_bytes` is the space on its disk.
    """

    path: Path
    is_there: bool = True
    is_denied: bool = False
    problem: str | None = None
    fault: str | None = None
    unchecked: bool = False
    refusal: str | None = None
    writes_known: bool = True
    log_left: bool = False
    free_bytes: int | None = None


def look(
    path: Path,
    *,
    seconds: float,
    free_bytes: Callable[[Path], int],
    account: Account | None = None,
    has_daemon: bool = False,
) -> StoreFacts:
    """Read the whole file, at most so many seconds, and take its lock for writing.

    Nothing is changed in it. `account` is the daemon's, None where it is not known.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        free = free_bytes(path.parent) if path.parent.is_dir() else None
        return StoreFacts(path=path, is_there=False, free_bytes=free)
    except OSError as exc:
        return StoreFacts(path=path, is_denied=True, problem=exc.strerror)
    # What SQLite and the daemon keep beside it is beside the file, not beside a link.
    path = Path(os.path.realpath(path))
    problem, fault, unchecked = _read(path, seconds)
    refusal = _unwritable(path, found, account)
    # Whoever is the last to close after a kill puts the log into the file.
    log_left = not has_daemon and _is_filled(path.with_name(f"{path.name}-wal"))
    writes_known = os.access(path, os.W_OK) or not _is_denied(found)
    if refusal is None and writes_known and problem is None and not log_left:
        refusal = soundness.refusal(path, busy_seconds=_BUSY_SECONDS)
    return StoreFacts(
        path=path,
        is_denied=problem is not None and not os.access(path, os.R_OK),
        problem=problem,
        fault=fault,
        unchecked=unchecked,
        refusal=refusal,
        writes_known=writes_known,
        log_left=log_left,
        free_bytes=free_bytes(path.parent),
    )


def _read(path: Path, seconds: float) -> tuple[str | None, str | None, bool]:
    try:
        with open_reader(path) as connection:
            return None, soundness.first_fault(connection, seconds=seconds), False
    except TimeoutError:
        return None, None, True
    except StoreError as exc:
        return str(exc).removeprefix(f"store {path}: "), None, False


def _is_denied(found: os.stat_result) -> bool:
    """Tell whether it is no wonder that this user may not write to it."""
    return os.geteuid() not in {0, found.st_uid}


def _is_filled(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def _unwritable(
    path: Path, found: os.stat_result, account: Account | None
) -> str | None:
    """Give what keeps the daemon from writing that root, who may do all, runs into."""
    folder = path.parent.stat()
    if account is not None and account.user:
        return _forbidden(path, account) or _read_only(path)
    if found.st_uid != folder.st_uid:
        return (
            f"it belongs to user {found.st_uid}, its folder to user {folder.st_uid}: "
            + command("chown", f"--reference={path.parent}", path)
        )
    if not found.st_mode & stat.S_IWUSR:
        return f"its owner may not write to it: {command('chmod', 'u+w', path)}"
    if not folder.st_mode & stat.S_IWUSR:
        cure = command("chmod", "u+w", path.parent)
        return f"its folder takes no files of its owner: {cure}"
    return _read_only(path)


def _forbidden(path: Path, account: Account) -> str | None:
    """Name what the daemon's user may not write to, of all that belongs to a store."""
    wanted = {path.parent: READ | WRITE | SEARCH}
    for ending in ("", "-wal", "-shm", ".lock", ".daemon"):
        wanted[path.with_name(path.name + ending)] = READ | WRITE
    closed = [
        file
        for file, bits in wanted.items()
        if file.exists() and not account.may(file.stat(), bits)
    ]
    if not closed:
        return None
    cure = command("chown", f"{account.name}:", *closed)
    more = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    return f"{account.name} may not write to {closed[0].name}{more}: {cure}"


def _read_only(path: Path) -> str | None:
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return "its disk is mounted read-only: see what the kernel says of it (dmesg)"
    return None


def links(facts: StoreFacts) -> Iterator[Link]:
    """Say whether bans are kept."""
    if facts.is_denied:
        yield unknown("store", f"{facts.path}: {facts.problem}", "run this as root")
    elif not facts.is_there:
        text = f"there is no {facts.path} yet"
        yield warn("store", text, "the daemon makes it: systemctl start f2b-enrich")
    elif facts.problem is not None:
        yield crit("store", f"{facts.path}: {facts.problem}", _cure(facts))
    elif facts.fault is not None:
        text = f"{facts.path} is damaged: {printable(facts.fault)}"
        yield crit("store", text, _restore(facts.path))
    else:
        yield from _writing(facts)
    if facts.free_bytes is not None:
        yield from _space(facts.path, facts.free_bytes)


def _writing(facts: StoreFacts) -> Iterator[Link]:
    if facts.refusal is not None:
        what, _, cure = facts.refusal.partition(": ")
        holders = command("fuser", "-v", facts.path)
        text = f"{facts.path} takes no writes: {what}"
        yield crit("store", text, cure or f"see what holds it: {holders}")
        return
    checked = "too large to check whole now" if facts.unchecked else "quick_check ok"
    if facts.log_left:
        writes = "a daemon that was killed left its log, which the next start takes in"
    elif facts.writes_known:
        writes = "writable"
    else:
        writes = "whether the daemon can write is not known to this user"
    free = "" if facts.free_bytes is None else f", {size_text(facts.free_bytes)} free"
    yield ok("store", f"{writes}, {checked}{free}")


def _restore(path: Path) -> str:
    """Say how a backup takes the place of the store, and of what belongs to it.

    SQLite would play a log that is left into the backup.
    """
    beside = " and ".join(f"{path.name}-{name}" for name in ("wal", "shm"))
    owner = command("chown", f"--reference={path.parent}", path)
    return (
        f"{STOP}; move {path} away, with {beside}; restore it from a backup, {owner}; "
        f"{RESTART}"
    )


def _cure(facts: StoreFacts) -> str:
    problem = facts.problem or ""
    for words, cure in _CURES:
        if words in problem:
            return cure
    if any(words in problem for words in _CORRUPT):
        return _restore(facts.path)
    return "journalctl -u f2b-enrich tells what the daemon makes of it"


def _space(path: Path, free: int) -> Iterator[Link]:
    if free >= LITTLE_SPACE:
        return
    tell, limit = (crit, NO_SPACE) if free < NO_SPACE else (warn, LITTLE_SPACE)
    yield tell(
        "store",
        f"{size_text(free)} free on the disk of {path.parent}, the limit is "
        f"{size_text(limit)}",
        f"make room there, or move the store (store.path), {MOVE}",
    )
