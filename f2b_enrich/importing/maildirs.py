"""A Maildir that goes on growing: what came since it was looked at last."""

from __future__ import annotations

import errno
import hashlib
import heapq
import io
import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Point: TypeAlias = tuple[int, str]
    Entry: TypeAlias = tuple[int, str, str]

MOST_WAITING = 100_000
"""Mails of one look, those that have waited longest: 25 MB of names."""

MOST_KEPT = 5_000
"""Names kept; should more come in ten minutes, some are read twice, which adds none."""

OVERLAP_NS = 600 * 1_000_000_000
"""What is looked at again, for slow deliveries and the clocks of file servers."""

_TICK_NS = 2 * 1_000_000_000
"""How coarse the time of a folder may be: what has just changed may change unseen."""

_PARTS = ("new", "cur")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirPlace:
    """How far a Maildir was read; times are in nanoseconds since 1970.

    All that changed before `since` was read, and then what has one of `names`. `point`
    is the last mail read of those that are left; None when none is. `folders` are the
    times of `new` and `cur` at that moment, 0 where that is not to be relied on.
    """

    since: int = 0
    names: frozenset[str] = frozenset()
    point: Point | None = None
    folders: tuple[int, ...] = (0, 0)

    def written(self) -> dict[str, Any]:
        """Write it down as JSON can hold it."""
        return {
            "since": self.since,
            "names": sorted(self.names),
            "point": self.point,
            "folders": self.folders,
        }

    @classmethod
    def read(cls, text: Mapping[str, Any]) -> MaildirPlace:
        """Read what `written` wrote."""
        point = text["point"]
        return cls(
            since=text["since"],
            names=frozenset(text["names"]),
            point=None if point is None else (point[0], point[1]),
            folders=tuple(text["folders"]),
        )

    def without(self, names: Iterable[str]) -> MaildirPlace:
        """Let the next look find mails that had those names, wherever they are."""
        keys = frozenset(map(_key, names))
        if not keys:
            return self
        return replace(self, names=self.names - keys, folders=(0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A mail that was not read; `place` is reached with it."""

    path: Path
    place: MaildirPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Mails that were not read, in order; `after` is reached when they were.

    `is_all` says that no other waits, `before` is where the look began.
    """

    folder: Path
    before: MaildirPlace
    after: MaildirPlace
    entries: Sequence[Entry] = ()
    is_all: bool = True

    def mails(self) -> Iterator[Waiting]:
        """Give the mails one by one."""
        for changed_at, name, part in self.entries:
            place = replace(self.before, point=(changed_at, name))
            yield Waiting(path=self.folder / part / name, place=place)


def look(folder: Path, place: MaildirPlace, *, now: int) -> Look:
    """Find what came into a Maildir after a place, the earliest first.

    What is new is told by when its entry changed, which delivery, copies and moves all
    bring about, whatever a mail's name or age. `now` is in nanoseconds since 1970.

    Raises:
        OSError: it cannot be read, or is no Maildir.
    """
    folders = tuple(os.stat(folder / part).st_mtime_ns for part in _PARTS)  # noqa: PTH116
    if place.since > now:  # the clock was wrong; to read again adds nothing
        place = MaildirPlace()
    if folders == place.folders:
        return Look(folder=folder, before=place, after=place)
    recent = _Recent(now - OVERLAP_NS)
    found = heapq.nsmallest(
        MOST_WAITING + 1, _unread(recent.watched(_entries(folder)), place)
    )
    place = replace(place, folders=(0, 0))
    if len(found) > MOST_WAITING:
        del found[MOST_WAITING:]
        return Look(
            folder=folder,
            before=place,
            after=replace(place, point=found[-1][:2]),
            entries=found,
            is_all=False,
        )
    after = MaildirPlace(
        since=max(now - OVERLAP_NS, 0),
        names=recent.names(),
        folders=tuple(at if at < now - _TICK_NS else 0 for at in folders),
    )
    return Look(folder=folder, before=place, after=after, entries=found)


def opened_mail(path: Path) -> io.FileIO:
    """Open a mail, whatever its owner has put in its place since it was looked at.

    A named pipe is not waited for, and a link not followed.

    Raises:
        FileNotFoundError: it has another name now, or is gone.
        UnreadableError: it cannot be read, or is no file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    name = printable(str(path))
    try:
        number = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as exc:
        # A link and a socket, of which it would speak in riddles.
        is_odd = exc.errno in (errno.ELOOP, errno.ENXIO)
        reason = "is no file" if is_odd else exc.strerror
        raise UnreadableError(f"{name}: {reason}") from exc
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise UnreadableError(f"{name}: is no file")
    return io.FileIO(number)


def _entries(folder: Path) -> Iterator[Entry]:
    for part in _PARTS:
        with os.scandir(folder / part) as entries:
            for entry in entries:
                try:
                    about = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # moved by its reader: it has another name now
                if stat.S_ISREG(about.st_mode):
                    yield about.st_ctime_ns, entry.name, part


def _unread(entries: Iterable[Entry], place: MaildirPlace) -> Iterator[Entry]:
    for changed_at, name, part in entries:
        if (
            changed_at >= place.since
            and (place.point is None or (changed_at, name) > place.point)
            and (not place.names or _key(name) not in place.names)
        ):
            yield changed_at, name, part


class _Recent:
    """Remembers the last names that changed after a time, of all that come by."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._last: list[Point] = []

    def watched(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if entry[0] >= self._since:
                if len(self._last) < MOST_KEPT:
                    heapq.heappush(self._last, entry[:2])
                else:
                    heapq.heappushpop(self._last, entry[:2])
            yield entry

    def names(self) -> frozenset[str]:
        return frozenset(_key(name) for _, name in self._last)


def _key(name: str) -> str:
    """Shorten a name, without the flags that its reader changes."""
    unique = os.fsencode(name.partition(":")[0])
    return hashlib.blake2b(unique, digest_size=8).hexdigest()
