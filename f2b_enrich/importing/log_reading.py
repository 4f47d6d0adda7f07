"""fail2ban.log, syslog and the journal's output read into records, block by block."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from f2b_enrich.importing.log_batches import Batch, BlockReader, Place
from f2b_enrich.importing.log_blocks import BLOCK, blocks
from f2b_enrich.importing.log_lines import LONGEST_LINE, read_line, yearless
from f2b_enrich.importing.log_times import Years, YearsPlace, year_of_last
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, tzinfo


def read_log(
    read: Callable[[int], bytes],
    *,
    zone: tzinfo,
    first_year: int | None = None,
    place: Place | None = None,
    size: int = BLOCK,
) -> Iterator[Batch]:
    """Yield what the lines say, in their order, in blocks of about `size` bytes.

    `read` gives the bytes from `place` on, `zone` is that of the machine that wrote
    them. `first_year` is the year of the log's first line where lines name none (see
    `year_of_first`); without it those lines have no date. The files of a rotated set
    are one log when each is begun at position 0 with the last `place`'s clock.
    """
    place = place or Place()
    reader = BlockReader(zone, first_year=first_year, place=place)
    for block in blocks(read, position=place.position, size=size):
        yield reader.read(block.data, end=block.end)


def year_of_first(
    read: Callable[[int], bytes], *, by: datetime, size: int = BLOCK
) -> int | None:
    """Give the year of a log's first line when its lines name none, else None.

    `by` is when the last one was written, the file's own time as the log's zone has it:
    from there the turns of the year are counted backwards, through the whole log. Of
    one that is cut off the last is the last that can be read.
    """
    years, last = Years(YearsPlace()), None
    with suppress(UnreadableError):  # who reads the lines meets it too, and tells
        for block in blocks(read, size=size):
            for line in block.data.split(b"\n"):
                stamp = yearless(line)
                if stamp is not None:
                    years.turns(stamp)
                    last = stamp
            if last is None:
                return None  # nor will those after a whole block without
    return year_of_last(last, by=by) - years.place.turns if last else None


class Beginning(NamedTuple):
    """What names a log, and the byte at which the line begins that does."""

    fingerprint: str
    first: int


def beginning_of(data: bytes) -> Beginning | None:
    """Name a log by its first dated line, the same however it was rotated and packed.

    That line holds a time to the millisecond, and mostly a process; those before it,
    such as the journal's, may be in other logs too. Without one in `data`, its first
    block, it is the first line. None when there is no whole line yet.
    """
    *lines, rest = data.split(b"\n")
    if not lines and len(rest) <= LONGEST_LINE:
        return None
    position = 0
    for line in lines:
        if read_line(line).stamp is not None:
            return Beginning(hashlib.sha256(line).hexdigest(), position)
        position += len(line) + 1
    first = lines[0] if lines else rest[:LONGEST_LINE]
    return Beginning(hashlib.sha256(first).hexdigest(), 0)
