"""fail2ban.log, syslog and the journal's output read into records, block by block."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_batches import Batch, BlockReader, Place
from f2b_enrich.importing.log_blocks import BLOCK, blocks
from f2b_enrich.importing.log_lines import LONGEST_LINE, yearless
from f2b_enrich.importing.log_times import Years, YearsPlace, year_of_last

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
    from there the turns of the year are counted backwards, through the whole log.
    """
    years, last = Years(YearsPlace()), None
    for block in blocks(read, size=size):
        for line in block.data.split(b"\n"):
            stamp = yearless(line)
            if stamp is not None:
                years.turns(stamp)
                last = stamp
        if last is None:
            return None  # nor will those after a whole block without
    return year_of_last(last, by=by) - years.place.turns if last else None


def fingerprint(read: Callable[[int], bytes]) -> str | None:
    """Name a log by its first line, the same however it was rotated and packed since.

    That line holds a time to the millisecond, and mostly a process. None when there is
    no whole line yet.
    """
    for block in blocks(read, size=LONGEST_LINE):
        line, newline, _ = block.data.partition(b"\n")
        return hashlib.sha256(line).hexdigest() if newline else None
    return None
