"""Files read as they are or unpacked, never more of them at once than is asked for."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import stat
import zlib
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from lzma import LZMAError
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.importing.unpacking import XzReader, unzstd
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Read: TypeAlias = Callable[[int], bytes]

MOST_TIMES = 400
"""How many times as large as itself a packed file may become. Logs become 10 to 60
times as large; what is made to fill a disk or a day, a thousand times and more."""

ALWAYS_ALLOWED = 256 * 1024 * 1024
"""Bytes that any packed file may become."""

_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_XZ = b"\xfd7zXZ\0"
_ZSTD = b"\x28\xb5\x2f\xfd"

_PIECE = 64 * 1024


class Source:
    """An open file of old records; `read` gives what is in it, unpacked.

    `size`, in bytes, and `modified_at`, UTC, are None where there is none: for a pipe.
    """

    def __init__(
        self,
        file: io.FileIO,
        *,
        name: str,
        read: Read,
        taken: Callable[[], int],
        most: int | None,
    ) -> None:
        """Read by `read`, of a packed file at most `most` bytes or `MOST_TIMES` it."""
        about = os.fstat(file.fileno())
        is_file = stat.S_ISREG(about.st_mode)
        self.name = name
        self.size = about.st_size if is_file else None
        self.modified_at = _modified_at(about) if is_file else None
        self._read = read
        self._taken = taken
        self._most = most
        self._given = 0

    @property
    def position(self) -> int:
        """Tell how many bytes of the file itself were taken: how far a reading is."""
        return self._taken()

    def read(self, size: int) -> bytes:
        """Give at most `size` bytes, empty at the end.

        Raises:
            UnreadableError: the file is damaged, cut off, or made to fill a disk.
        """
        try:
            piece = self._read(size)
        except EOFError as exc:
            raise UnreadableError(f"{self.name} is cut off, {self._so_far()}") from exc
        except (zlib.error, LZMAError) as exc:
            raise UnreadableError(f"{self.name} is damaged, {self._so_far()}") from exc
        except OSError as exc:
            what = exc.strerror or "is damaged"
            raise UnreadableError(f"{self.name}: {what}, {self._so_far()}") from exc
        self._given += len(piece)
        if self._most is not None and self._given > self._most:
            times = self._given // max(self._taken(), 1)
            if times > MOST_TIMES:
                raise UnreadableError(
                    f"{self.name} is {times} times as large unpacked as it is, "
                    f"the limit is {MOST_TIMES}"
                )
        return piece

    def skip(self, count: int) -> None:
        """Go on behind as many bytes.

        Raises:
            UnreadableError: as for `read`, or there are fewer.
        """
        left = count
        while left:
            piece = self.read(min(left, _PIECE))
            if not piece:
                raise UnreadableError(
                    f"{self.name} has {count - left} bytes, {count} were read before"
                )
            left -= len(piece)

    def _so_far(self) -> str:
        return f"{self._given} bytes into what is in it"


def _modified_at(about: os.stat_result) -> datetime | None:
    try:
        return datetime.fromtimestamp(about.st_mtime, tz=UTC)
    except (OverflowError, ValueError):
        return None  # archives may restore any time


class _Counted(io.RawIOBase):
    """A file that counts the bytes taken from it, for pipes do not tell."""

    def __init__(self, file: io.FileIO) -> None:
        self.taken = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        taken = self._file.readinto(buffer)
        self.taken += taken
        return taken


@contextmanager
def opened(
    path: Path, *, start: int = 0, always_allowed: int = ALWAYS_ALLOWED
) -> Iterator[Source]:
    """Open a file or a named pipe, to be read from that byte of what is in it.

    Raises:
        UnreadableError: it cannot be opened or unpacked, or ends before that byte.
    """
    name = printable(str(path))
    try:
        file = path.open("rb", buffering=0)
    except OSError as exc:
        raise UnreadableError(f"{name}: {exc.strerror}") from exc
    with (
        file,
        opened_stream(
            file, name=name, start=start, always_allowed=always_allowed
        ) as source,
    ):
        yield source


@contextmanager
def opened_stream(
    file: io.FileIO, *, name: str, start: int = 0, always_allowed: int = ALWAYS_ALLOWED
) -> Iterator[Source]:
    """Read what is open already, standard input for one, in the same way.

    Raises:
        UnreadableError: it cannot be unpacked, or ends before that byte.
    """
    counted = _Counted(file)
    with ExitStack() as stack:
        buffered = stack.enter_context(io.BufferedReader(counted))
        try:
            mark = buffered.peek(len(_XZ))
            read, is_packed = _reading(mark, file, buffered, name=name, stack=stack)
        except OSError as exc:
            raise UnreadableError(f"{name}: {exc.strerror}") from exc
        taken = file.tell if mark.startswith(_ZSTD) else lambda: counted.taken
        source = Source(
            file,
            name=name,
            read=read,
            taken=taken,
            most=always_allowed if is_packed else None,
        )
        source.skip(start)
        yield source


def _reading(
    mark: bytes,
    file: io.FileIO,
    buffered: io.BufferedReader[_Counted],
    *,
    name: str,
    stack: ExitStack,
) -> tuple[Read, bool]:
    """Choose by its first bytes how a file is read, and tell whether it is packed."""
    if mark.startswith(_GZIP):
        return stack.enter_context(gzip.GzipFile(fileobj=buffered)).read1, True
    if mark.startswith(_BZIP2):
        return stack.enter_context(bz2.BZ2File(buffered)).read1, True
    if mark.startswith(_XZ):
        return XzReader(buffered.read1).read, True
    if mark.startswith(_ZSTD):
        return stack.enter_context(unzstd(file, name=name)), True
    return buffered.read1, False
