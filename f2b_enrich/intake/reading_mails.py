"""Mails read into portions: pieces of mailboxes, and files of a mail each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.importing.mail_boxes import BEFORE_MAIL, mails, mails_between
from f2b_enrich.importing.mail_reading import read
from f2b_enrich.importing.opening import opened
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.places import mailbox_place
from f2b_enrich.intake.portions import Gathering, Step, shown
from f2b_enrich.intake.standard_input import opened_standard_input

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.intake.naming import Names
    from f2b_enrich.intake.portions import Portion

_SUBJECT = re.compile(rb"^subject:[^\n]{0,400}", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailJob:
    """Files of mails, packed or not; none is standard input."""

    paths: tuple[Path, ...]
    names: Names
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceJob:
    """The mails of a plain mailbox that begin from `start` on, before `end`.

    `is_first` says that what lies before need not be read any more.
    """

    path: Path
    start: int
    end: int
    fingerprint: str
    is_first: bool
    names: Names
    now: datetime


class MailReader:
    """Puts what mails say into portions."""

    def __init__(self, names: Names, *, now: datetime) -> None:
        """Fold by these names; times after `now` are not believed."""
        self._names = names
        self._now = now

    def take(self, content: bytes, portion: Portion) -> None:
        """Read one mail."""
        reading = read(content, now=self._now)
        portion.counts[f"mails-{reading.what}"] += 1
        portion.counts["bounces"] += reading.is_bounce and reading.what != "other"
        portion.counts["entries-unparsed"] += reading.unread
        if reading.what == "unparsed":
            subject = _SUBJECT.search(content)
            portion.show((shown(subject[0] if subject else content[:400]),))
        for record in reading.bans:
            portion.add(
                record,
                self._names,
                reference=record.message_id or "",
                now=self._now,
                is_dated_by_bounce=reading.is_dated_by_bounce,
                ban_id=reading.ban_id,
            )


def read_mails(job: MailJob) -> Iterator[Portion]:
    """Read files one after the other; one that cannot be read is told of."""
    reader, gathering = MailReader(job.names, now=job.now), Gathering()
    for path in job.paths or (None,):
        gathering.portion.counts["files"] += 1
        try:
            with opened_standard_input() if path is None else opened(path) as source:
                taken = 0
                for mail in mails(source.read):
                    reader.take(mail.content, gathering.portion)
                    gathering.portion.taken += source.position - taken
                    taken = source.position
                    yield from gathering.full()
        except UnreadableError as exc:
            gathering.portion.problems.append(str(exc))
    yield gathering.rest()


def read_piece(job: PieceJob) -> Iterator[Portion]:
    """Read a piece of a mailbox."""
    reader, gathering = MailReader(job.names, now=job.now), Gathering()
    gathering.portion.counts["files"] += job.is_first
    gathering.portion.counts["bytes-before"] += job.start if job.is_first else 0
    name = printable(str(job.path))
    position = job.start
    last_start: int | None = None
    try:
        with job.path.open("rb", buffering=0) as file:
            file.seek(max(job.start - BEFORE_MAIL, 0))
            for mail in mails_between(file.read, start=job.start, end=job.end):
                reader.take(mail.content, gathering.portion)
                gathering.portion.taken += min(mail.end, job.end) - position
                position = min(mail.end, job.end)
                last_start = mail.start
                yield from gathering.full()
            gathering.portion.taken += job.end - position
            # It may still be delivered, and is read again the next time.
            place = {} if last_start is None else mailbox_place(file, last_start)
    except OSError as exc:
        gathering.portion.problems.append(f"{name}: {exc.strerror}")
    else:
        step = Step(
            kind="mailbox",
            name=name,
            fingerprint=job.fingerprint,
            host=job.names.host_of(None),
            place=place,
            after=None if job.is_first else job.start,
            until=job.end,
        )
        gathering.portion.steps.append(step)
    yield gathering.rest()
