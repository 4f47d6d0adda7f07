"""fail2ban's databases read into portions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.importing.fail2ban_db import opened_database
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.portions import Gathering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.importing.fail2ban_db import Page
    from f2b_enrich.intake.naming import Names
    from f2b_enrich.intake.portions import Portion


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseJob:
    """A database of fail2ban's."""

    path: Path
    names: Names
    now: datetime


def read_database(job: DatabaseJob) -> Iterator[Portion]:
    """Read one page after the other; nothing needs to be remembered of it."""
    gathering = Gathering()
    gathering.portion.counts["files"] += 1
    try:
        with opened_database(job.path) as database:
            for page in database.pages():
                _take(page, gathering.portion, job)
                yield from gathering.full()
    except UnreadableError as exc:
        gathering.portion.problems.append(str(exc))
    yield gathering.rest()


def _take(page: Page, portion: Portion, job: DatabaseJob) -> None:
    tally = page.tally
    portion.count(
        {
            "rows": tally.rows,
            "rows-repeated": tally.repeated,
            "rows-without-data": tally.without_data,
            "rows-unread": tally.unread.total(),
        }
    )
    portion.show(f"a row with {why}" for why in tally.unread.elements())
    for record in page.records:
        portion.add(record, job.names, reference=printable(str(job.path)), now=job.now)
