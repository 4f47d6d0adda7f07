"""The mails of an IMAP folder, which stay as they are: nothing is marked or deleted."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from f2b_enrich.importing.imap_connection import MOST_OCTETS, Connection, connected
from f2b_enrich.importing.mail_boxes import Mail
from f2b_enrich.importing.mail_letter import MAX_BYTES
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from f2b_enrich.importing.imap_place import ImapPlace

PAGE = 1000
"""Mails whose sizes are asked for at once."""

MOST_AT_ONCE = 100
"""Mails read at once."""

BYTES_AT_ONCE = 4 * 1024 * 1024
"""Bytes read at once, as far as the server tells sizes rightly."""

_LEAST = 4096
_MAX_NUMBER = 0xFFFFFFFF
_ITEM = re.compile(rb"(\d{1,10}) \(")
_UID = re.compile(rb"[ (]UID (\d{1,10})[ )]")
_SIZE = re.compile(rb"[ (]RFC822\.SIZE (\d{1,20})[ )]")
_SEEN = re.compile(r"(\d{1,10}):(\d{1,10})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The last mail that was read; in a folder of another `validity` it is none."""

    validity: int
    uid: int

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what was written by `str`; None when it was not."""
        found = _SEEN.fullmatch(text)
        return found and cls(validity=int(found[1]), uid=int(found[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    number: int
    uid: int
    size: int


class ImapFolder:
    """A folder that is open for reading; `count` is how many mails are in it."""

    def __init__(self, connection: Connection, *, validity: int, count: int) -> None:
        self.validity = validity
        self.count = count
        self._connection = connection

    def first_after(self, seen: Seen | None) -> int:
        """Tell at which place, from 1 on, the first unread mail is; none: one more."""
        if seen is None or seen.validity != self.validity:
            return 1
        low, high = 1, self.count + 1
        # UIDs ascend with the places: a million mails take twenty questions.
        while low < high:
            middle = (low + high) // 2
            listed = self._listed(middle, middle)
            if not listed:
                raise self._unreadable(f"does not show mail {middle} of {self.count}")
            if listed[0].uid > seen.uid:
                high = middle
            else:
                low = middle + 1
        return low

    def mails(self, first: int = 1) -> Iterator[tuple[Mail, Seen]]:
        """Give the mails from a place on, each with where to go on after it.

        Their places in bytes are counted from the first one here. What is longer than
        `MAX_BYTES` is not fetched further.
        """
        start = 0
        for begin in range(first, self.count + 1, PAGE):
            listed = self._listed(begin, min(begin + PAGE - 1, self.count))
            if not listed:
                raise self._unreadable(f"shows no mail from {begin} of {self.count} on")
            for batch in _batches(listed):
                contents = self._contents(batch)
                for each in batch:
                    end = start + each.size
                    if each.number in contents:
                        content = contents.pop(each.number)
                        mail = Mail(content=content, start=start, end=end)
                        yield mail, Seen(validity=self.validity, uid=each.uid)
                    start = end

    def _listed(self, first: int, last: int) -> list[_Listed]:
        """Ask for numbers and sizes; what is no answer to that is passed over."""
        numbers = str(first) if first == last else f"{first}:{last}"
        said = self._connection.fetch(numbers, "(UID RFC822.SIZE)", octets=MOST_OCTETS)
        found: dict[int, _Listed] = {}
        for line in said:
            item = _ITEM.match(line) if isinstance(line, bytes) else None
            if item is None or not first <= int(item[1]) <= last:
                continue
            uid, size = _UID.search(line), _SIZE.search(line)
            if uid is not None and size is not None:
                number = int(item[1])
                found[number] = _Listed(
                    number=number, uid=int(uid[1]), size=int(size[1])
                )
        listed = [found[number] for number in sorted(found)]
        uids = [0, *(each.uid for each in listed), _MAX_NUMBER + 1]
        if any(one >= following for one, following in pairwise(uids)):
            raise self._unreadable("gives its mails numbers that do not ascend")
        return listed

    def _contents(self, batch: list[_Listed]) -> dict[int, bytes]:
        asked = {each.number: each for each in batch}
        said = self._connection.fetch(
            ",".join(map(str, asked)),
            f"(UID BODY.PEEK[]<0.{MAX_BYTES}>)",
            # Some servers guess sizes.
            octets=2 * sum(map(_weight, batch)) + MOST_OCTETS,
        )
        found: dict[int, bytes] = {}
        for head, content in _literals(said):
            item = _ITEM.match(head)
            each = asked.get(int(item[1])) if item is not None else None
            if each is None or b"BODY[]" not in head.upper():
                continue
            uid = _UID.search(head)
            if uid is not None and int(uid[1]) != each.uid:
                raise self._unreadable(f"gave mail {each.uid} another number meanwhile")
            found.setdefault(each.number, content[:MAX_BYTES])
        return found

    def _unreadable(self, why: str) -> UnreadableError:
        return UnreadableError(f"{self._connection.name}: {why}")


@contextmanager
def opened_folder(
    place: ImapPlace,
    *,
    password: str,
    ca_file: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ImapFolder]:
    """Open a folder without changing it; `ca_file` is trusted, not the system's.

    Raises:
        UnreadableError: it cannot be opened, or what is read from it in the block.
    """
    with connected(place, password=password, ca_file=ca_file, clock=clock) as server:
        validity, count = server.examine(place.folder_name)
        yield ImapFolder(server, validity=validity, count=count)


def imap_mails(
    place: ImapPlace,
    *,
    password: str,
    seen: Seen | None = None,
    ca_file: Path | None = None,
) -> Iterator[tuple[Mail, Seen]]:
    """Give the mails of a folder that came after one, each with where it stands.

    Raises:
        UnreadableError: the server cannot be reached, is not trusted, or refuses.
    """
    with opened_folder(place, password=password, ca_file=ca_file) as folder:
        yield from folder.mails(folder.first_after(seen))


def _weight(listed: _Listed) -> int:
    return min(max(listed.size, _LEAST), MAX_BYTES)


def _batches(listed: list[_Listed]) -> Iterator[list[_Listed]]:
    batch: list[_Listed] = []
    weight = 0
    for each in listed:
        if batch and (
            len(batch) == MOST_AT_ONCE or weight + _weight(each) > BYTES_AT_ONCE
        ):
            yield batch
            batch, weight = [], 0
        batch.append(each)
        weight += _weight(each)
    yield batch


def _literals(said: list[Any]) -> Iterator[tuple[bytes, bytes]]:
    """Find the mails among lines; one without a byte is no literal and left out."""
    for each in said:
        if isinstance(each, tuple) and len(each) == 2:
            yield each
