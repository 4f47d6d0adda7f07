"""An open log, a file or a pipe, and what it is known again by."""

from __future__ import annotations

import hashlib
import stat
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import fstat
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_blocks import BLOCK
from f2b_enrich.importing.log_reading import beginning_of
from f2b_enrich.importing.opening import opened_stream
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.standard_input import opened_standard_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from io import FileIO
    from pathlib import Path
    from typing import Any, TypeAlias

    from f2b_enrich.importing.opening import Source

    Opening: TypeAlias = Callable[[], AbstractContextManager[Source]]

_MARKED = 4096
"""Bytes before a place by which it is known again."""

_HEADS = (256, 1024, 4096)
"""Bytes from the first dated line on by which a log is, as many as it has: also one
that is shorter than what was read of it later."""

_KEPT = _MARKED + 2 * BLOCK
"""Bytes kept of those read: a block of lines ends less than another before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Where to begin in a log of which some was read.

    What was found is `counted` up to that byte, None says that it counts no more;
    `instead` is the mark of the place of another version, whose counts are replaced.
    Of a pipe `reached` is that place, to be compared when it is passed.
    """

    at: int = 0
    counted: int | None = 0
    instead: str | None = None
    reached: Mapping[str, Any] | None = None


class OpenedLog:
    """A log that stays open while it is looked at and read.

    So all that is said of it is of one file, whatever a rotation puts in its place. A
    file can be begun again, a pipe cannot.
    """

    def __init__(self, opening: Opening, *, is_pipe: bool, stack: ExitStack) -> None:
        """Begin it; the stack closes it."""
        self.is_pipe = is_pipe
        self._edge = 0
        self._opening = opening
        self._stack = stack.enter_context(ExitStack())
        self.begin()
        self._beginning = self._look()
        known = beginning_of(self._beginning)
        self.fingerprint = None if known is None else known.fingerprint
        self._first = 0 if known is None else known.first

    def begin(self) -> None:
        """Go to its first byte."""
        self._stack.close()
        self.source = self._stack.enter_context(self._opening())
        self.position = 0
        self._ahead = self._last = b""

    def begin_at(self, position: int, *, edge: int) -> None:
        """Have it read from there, its beginning or where it is, in pieces.

        No piece goes over the byte `edge`.
        """
        if not position and self.position:
            self.begin()
        self._edge = edge

    def read(self, size: int) -> bytes:
        """Give at most so many bytes, empty at the end.

        Raises:
            UnreadableError: it is damaged or cut off.
        """
        most = self._most(size)
        if self._ahead:
            piece, self._ahead = self._ahead[:most], self._ahead[most:]
        else:
            piece = self.source.read(most)
        self.position += len(piece)
        self._last = (self._last + piece)[-_KEPT:]
        return piece

    def go_to(self, position: int) -> bool:
        """Go on to that byte; tell whether there are so many.

        Raises:
            UnreadableError: as for `read`.
        """
        while self.position < position:
            if not self.read(min(position - self.position, BLOCK)):
                return False
        return True

    def marks(self, position: int) -> dict[str, Any]:
        """Tell what a place is known again by; it was passed just now."""
        return {"mark": self._mark(position), "heads": self._heads(position)}

    def begins_as(self, place: Mapping[str, Any]) -> bool:
        """Tell whether it begins as the log in which that place is."""
        known = place.get("heads", {})
        ours = self._heads(len(self._beginning))
        return all(ours[size] == known[size] for size in ours.keys() & known.keys())

    def is_at(self, place: Mapping[str, Any]) -> bool:
        """Tell whether what was read just now ends as what lies before that place."""
        known = place.get("mark")
        return known is None or self._mark(place["position"]) == known

    def _most(self, size: int) -> int:
        if 0 < self._edge == self.position and not self._last.endswith(b"\n"):
            self._edge += 1  # half a line lies before it: its rest belongs to that
        if self.position < self._edge:
            return min(size, self._edge - self.position)
        return size

    def _look(self) -> bytes:
        while len(self._ahead) < BLOCK:
            piece = self.source.read(BLOCK - len(self._ahead))
            if not piece:
                break
            self._ahead += piece
        return self._ahead

    def _mark(self, position: int) -> str:
        kept_from = self.position - len(self._last)
        start = max(position - _MARKED, min(self._first, position))
        before = self._last[start - kept_from : position - kept_from]
        return hashlib.sha256(before).hexdigest()

    def _heads(self, position: int) -> dict[str, str]:
        there = self._beginning[:position][self._first :]
        return {
            str(size): hashlib.sha256(there[:size]).hexdigest()
            for size in _HEADS
            if size <= len(there)
        }


def begin_of(log: OpenedLog, before: Mapping[str, Any], *, again: bool) -> Begin:
    """Tell where to begin, by the place up to which its namesake was read.

    A file that has all that was read before, byte for byte at its beginning and before
    the place, goes on there. A shorter one is an older copy or a part: all that it
    found may be counted. A longer one that differs takes the place of what was read,
    which was a part, or edited since. Nobody knows how long a pipe is: it is read from
    its beginning, and differs if it begins otherwise, or shows it at the place.

    Raises:
        UnreadableError: it is damaged, or cut off.
    """
    position = before["position"]
    if log.is_pipe:
        if not log.begins_as(before):
            return Begin(counted=None, reached=before)
        return Begin(counted=position, reached=before)
    if not log.go_to(position):
        return Begin(counted=None)
    if log.begins_as(before) and log.is_at(before):
        return Begin(at=0 if again else position, counted=position)
    return Begin(instead=before["mark"])


@contextmanager
def opened_log(path: Path | None) -> Iterator[OpenedLog]:
    """Open a log; None is standard input.

    Raises:
        UnreadableError: it cannot be opened or unpacked.
    """
    with ExitStack() as stack:
        if path is None:
            yield OpenedLog(opened_standard_input, is_pipe=True, stack=stack)
            return
        name = printable(str(path))
        try:
            file = stack.enter_context(path.open("rb", buffering=0))
        except OSError as exc:
            raise UnreadableError(f"{name}: {exc.strerror}") from exc
        is_pipe = not stat.S_ISREG(fstat(file.fileno()).st_mode)

        def opening() -> AbstractContextManager[Source]:
            return _from_beginning(file, name=name, is_pipe=is_pipe)

        yield OpenedLog(opening, is_pipe=is_pipe, stack=stack)


@contextmanager
def _from_beginning(file: FileIO, *, name: str, is_pipe: bool) -> Iterator[Source]:
    if not is_pipe:
        file.seek(0)
    with opened_stream(file, name=name) as source:
        yield source
