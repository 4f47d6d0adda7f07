"""Mails out of mbox files, Maildirs and folders, in memory that does not grow."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.importing.mail_letter import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK = 1024 * 1024
"""Bytes read at a time."""

MOST_DEEP = 32
"""Folders in folders."""

_MAX_POSTMARK = 400
_FROM = b"From "
_START = b"\n" + _FROM
_BLANK = b"\n\r"
"""What may be the end of the line before, and the beginning of a blank one."""

BEFORE_MAIL = len(_BLANK) + 1
"""Bytes before a mail in an mbox that show that one begins."""

# A line of a text may begin so too; none holds a date of asctime in its place.
_POSTMARK = re.compile(
    rb"From [^\n]{0,300}?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[ ,]{1,3}"
    rb"(?:[A-Z][a-z]{2} {1,2}\d{1,2}|\d{1,2} [A-Z][a-z]{2})\b[^\n]{0,60}\r?\n"
)
_QUOTED = re.compile(rb"^>(>{0,50}From )", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail; `start` and `end` are its place in the file, unpacked, in bytes.

    Of what is longer than `MAX_BYTES` the rest is left out of `content`.
    """

    content: bytes
    start: int
    end: int


def files_in(path: Path) -> Iterator[Path]:
    """Give the files below a folder, of a Maildir all but what is being delivered.

    A path that is no folder is given as it is. Links in folders are not followed.

    Raises:
        OSError: a folder cannot be read.
    """
    if path.is_dir():
        yield from _files(path, 0)
    else:
        yield path


def _files(folder: Path, deep: int) -> Iterator[Path]:
    is_maildir = (folder / "cur").is_dir() and (folder / "new").is_dir()
    # A Maildir may hold millions: they come as the file system gives them.
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if deep < MOST_DEEP and not (is_maildir and entry.name == "tmp"):
                    yield from _files(path, deep + 1)
            elif entry.is_file(follow_symlinks=False) and not is_maildir:
                yield path


def mails(read: Callable[[int], bytes], *, start: int = 0) -> Iterator[Mail]:
    """Give the mails of an mbox, or the one mail of a file of another kind.

    `read` gives at most so many bytes, none at the end; what it raises passes through.
    Its first byte is the one at `start`, where a mail began that was given before.
    """
    blocks = iter(lambda: read(BLOCK), b"")
    first = b""
    for block in blocks:
        begun = (first + block).lstrip(b"\r\n")
        start += len(first) + len(block) - len(begun)
        first = begun
        if len(first) >= len(_FROM):
            break
    if first.startswith(_FROM):
        yield from _parted(first, blocks, start)
    elif first:
        yield _single(first, blocks, start)


def mails_between(
    read: Callable[[int], bytes], *, start: int, end: int
) -> Iterator[Mail]:
    """Give the mails of a plain mbox that begin at `start` or later, before `end`.

    The first byte that `read` gives is the one `BEFORE_MAIL` before `start`, or the
    file's first. Pieces of a file give together what the whole of it gives.
    """
    if start <= BEFORE_MAIL:
        found = mails(read)
    else:
        blocks = iter(lambda: read(BLOCK), b"")
        found = _parted(next(blocks, b""), blocks, start - BEFORE_MAIL)
    for mail in found:
        if mail.start >= end:
            return
        if mail.start >= start:  # not what is left of the mail before, nor one of there
            yield mail


def _single(first: bytes, blocks: Iterator[bytes], start: int) -> Mail:
    content, size = first[:MAX_BYTES], len(first)
    for block in blocks:
        content += block[: MAX_BYTES - len(content)]
        size += len(block)
    return Mail(content=content, start=start, end=start + size)


def _parted(first: bytes, blocks: Iterator[bytes], start: int) -> Iterator[Mail]:
    """Part an mbox at its lines that begin with `From `, after a blank one."""
    mail = _Mail(start=start)
    buffer = first
    is_last = False
    while not is_last:
        block = next(blocks, b"")
        is_last = not block
        # A line that begins a mail may be cut here: the next round sees it whole.
        seen = len(buffer) if is_last else max(len(buffer) - _MAX_POSTMARK, 0)
        begin = 0
        for position in _starts(buffer, seen):
            mail.add(buffer[begin:position])
            yield mail.finished()
            mail = _Mail(start=mail.end)
            begin = position
        rest = max(begin, seen if is_last else seen - len(_BLANK))
        mail.add(buffer[begin:rest])
        buffer = buffer[rest:] + block
    yield mail.finished()


def _starts(buffer: bytes, seen: int) -> Iterator[int]:
    position = buffer.find(_START)
    while 0 <= position < seen:
        is_after_blank = buffer.endswith((b"\n", _BLANK), 0, position)
        if is_after_blank and _POSTMARK.match(buffer, position + 1):
            yield position + 1
        position = buffer.find(_START, position + 1)


class _Mail:
    """A mail that is being read."""

    def __init__(self, *, start: int) -> None:
        self._start = self.end = start
        self._content = b""

    def add(self, piece: bytes) -> None:
        self.end += len(piece)
        if len(self._content) < MAX_BYTES:
            room = MAX_BYTES - len(self._content)
            self._content = (
                self._content + piece[:room] if self._content else piece[:room]
            )

    def finished(self) -> Mail:
        content = self._content
        if b"\n>" in content:
            content = _QUOTED.sub(rb"\1", content)
        return Mail(content=content, start=self._start, end=self.end)
