"""What a reading process is asked to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich.intake.reading_databases import DatabaseJob, read_database
from f2b_enrich.intake.reading_logs import LogJob, read_logs
from f2b_enrich.intake.reading_mailboxes import (
    ImapJob,
    MaildirJob,
    read_imap,
    read_maildir,
)
from f2b_enrich.intake.reading_mails import MailJob, PieceJob, read_mails, read_piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.intake.portions import Portion

Job: TypeAlias = LogJob | DatabaseJob | MailJob | PieceJob | ImapJob | MaildirJob


def portions_of(job: Job) -> Iterator[Portion]:
    """Read what a job names."""
    match job:
        case LogJob():
            return read_logs(job)
        case DatabaseJob():
            return read_database(job)
        case MailJob():
            return read_mails(job)
        case PieceJob():
            return read_piece(job)
        case ImapJob():
            return read_imap(job)
        case MaildirJob():
            return read_maildir(job)
