"""Reading a Maildir or an mbox that a mail server writes; nothing in it is changed."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from f2b_enrich.mail.bounces import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_MAILS = 100
"""Mails read at a time."""

MAX_READ = 64 * 1024 * 1024
"""Bytes of an mbox read at a time, and at the first time from its end."""

SETTLED_SECONDS = 10.0
"""How long nothing must have been added before the last mail of an mbox is whole."""

_MARK = 256
_LINE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far an mbox was read; `mark` is made of the bytes before it."""

    position: int = 0
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The names of those mails of a Maildir that were seen by now.

    `is_all` says that none is left for now, `problem` why one could not be read, which
    is not among the names: it is tried again.
    """

    names: frozenset[str]
    is_all: bool
    problem: OSError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where the next reading begins; `is_all` says that nothing is left for now.

    `problem` is why what was put aside could not be read to its end.
    """

    place: Place
    is_all: bool
    problem: OSError | None = None


def new_mails(
    folder: Path, take: Callable[[bytes], None], *, since: float, seen: frozenset[str]
) -> Seen:
    """Hand over the mails of a Maildir that came since then and were not seen.

    Raises:
        OSError: the folder cannot be read.
    """
    found = {name: (at, path) for name, at, path in _files(folder) if at >= since}
    known = set(seen & found.keys())
    unread = sorted((*found[name], name) for name in found.keys() - known)
    problem = None
    count = 0
    for _, path, name in unread:
        if count == MAX_MAILS:
            return Seen(names=frozenset(known), is_all=False, problem=problem)
        try:
            with _opened(path) as file:
                take(file.read(MAX_BYTES))
        except FileNotFoundError:
            continue  # moved meanwhile: read the next time, under the same name
        except OSError as exc:
            problem = exc
            continue  # nor is it counted: many of these would hide all others
        known.add(name)
        count += 1
    return Seen(names=frozenset(known), is_all=True, problem=problem)


def _files(folder: Path) -> Iterator[tuple[str, float, Path]]:
    """List what came, when, and where: its name stays when a reader has seen it."""
    for part in ("new", "cur"):
        for entry in os.scandir(folder / part):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # a reader was faster
            if stat.S_ISREG(status.st_mode):
                name = entry.name.partition(":")[0]
                yield name, status.st_mtime, folder / part / entry.name


def further_mails(
    path: Path, take: Callable[[bytes], None], *, after: Place | None, now: float
) -> Progress:
    """Hand over the mails of an mbox from a place on; None is its last 64 MiB.

    A file that was put aside as `PATH.1`, or copied there, is read to its end first.
    One that is not what it was, for its reader deleted mails, is read anew.

    Raises:
        OSError: it cannot be read.
    """
    with _opened(path) as file:
        if after is None:
            size = os.fstat(file.fileno()).st_size
            return _read(file, max(size - MAX_READ, 0), take, now=now)
        if _fits(file, after):
            return _read(file, after.position, take, now=now)
        problem = None
        try:
            with _opened(path.with_name(f"{path.name}.1")) as older:
                if _fits(older, after):
                    rest = _read(older, after.position, take, now=float("inf"))
                    if not rest.is_all:
                        return rest
        except FileNotFoundError:
            pass
        except OSError as exc:
            problem = exc  # what has come since is not to wait for that
        return replace(_read(file, 0, take, now=now), problem=problem)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open what is a file: a pipe would be waited for."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(0, "is no regular file", str(path))
        with open(number, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(number)


def _fits(file: BinaryIO, place: Place) -> bool:
    size = os.fstat(file.fileno()).st_size
    return size >= place.position and _mark(file, place.position) == place.mark


def _mark(file: BinaryIO, position: int) -> str:
    start = max(position - _MARK, 0)
    file.seek(start)
    before = file.read(position - start)
    return hashlib.sha256(before).hexdigest()[:32] if before else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    start: int
    content: bytes


def _read(
    file: BinaryIO, start: int, take: Callable[[bytes], None], *, now: float
) -> Progress:
    """Take mail after mail; the place is the beginning of what was not taken."""
    file.seek(start)
    last: _Mail | None = None
    for count, mail in enumerate(_mails(file)):
        if last is not None:
            take(last.content)
            if count >= MAX_MAILS or mail.start - start >= MAX_READ:
                return _progress(file, mail.start, is_all=False)
        last = mail
    end = file.tell()
    if os.fstat(file.fileno()).st_mtime > now - SETTLED_SECONDS:
        return _progress(file, start if last is None else last.start, is_all=True)
    if last is not None:
        take(last.content)
    return _progress(file, end, is_all=True)


def _mails(file: BinaryIO) -> Iterator[_Mail]:
    """Part a file at its `From ` lines; what is before the first is no mail."""
    start: int | None = None
    lines: list[bytes] = []
    size = 0
    after_blank = is_start = True
    while line := file.readline(_LINE):
        if is_start and after_blank and line.startswith(b"From "):
            if start is not None:
                yield _Mail(start=start, content=b"".join(lines))
            start, lines, size = file.tell() - len(line), [], 0
        if size < MAX_BYTES:
            lines.append(line)
            size += len(line)
        after_blank = is_start and not line.strip()
        is_start = line.endswith(b"\n")
    if start is not None:
        yield _Mail(start=start, content=b"".join(lines))


def _progress(file: BinaryIO, position: int, *, is_all: bool) -> Progress:
    place = Place(position=position, mark=_mark(file, position))
    return Progress(place=place, is_all=is_all)
