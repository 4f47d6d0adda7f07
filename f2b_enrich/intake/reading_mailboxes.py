"""Mails that come in time and again: an IMAP folder, and a watched Maildir."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.importing.imap import Seen, opened_folder
from f2b_enrich.importing.mail_boxes import mails
from f2b_enrich.importing.maildirs import MaildirPlace, look, opened_mail
from f2b_enrich.importing.opening import opened_stream
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.portions import Gathering, Step
from f2b_enrich.intake.reading_mails import MailReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from pydantic import SecretStr

    from f2b_enrich.importing.imap_place import ImapPlace
    from f2b_enrich.intake.naming import Names
    from f2b_enrich.intake.portions import Portion


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapJob:
    """A folder of an IMAP server; `reached` is where an earlier run was, if any."""

    place: ImapPlace
    password: SecretStr
    names: Names
    now: datetime
    ca_file: Path | None = None
    reached: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirJob:
    """A watched Maildir; `reached` is where an earlier run was, if any."""

    path: Path
    names: Names
    now: datetime
    reached: Mapping[str, Any] | None = None


def read_imap(job: ImapJob) -> Iterator[Portion]:
    """Read what came into the folder since."""
    reader, gathering = MailReader(job.names, now=job.now), Gathering()
    gathering.portion.counts["files"] += 1
    seen = None if job.reached is None else Seen(**job.reached)
    try:
        with opened_folder(
            job.place, password=job.password.get_secret_value(), ca_file=job.ca_file
        ) as folder:
            for mail, stands in folder.mails(folder.first_after(seen)):
                reader.take(mail.content, gathering.portion)
                gathering.portion.taken += mail.end - mail.start
                seen = stands
                if gathering.portion.is_full:
                    gathering.portion.steps.append(_imap_step(job, stands))
                    yield gathering.rest()
    except UnreadableError as exc:
        gathering.portion.problems.append(str(exc))
    if seen is not None:
        gathering.portion.steps.append(_imap_step(job, seen))
    yield gathering.rest()


def _imap_step(job: ImapJob, seen: Seen) -> Step:
    return Step(
        kind="imap",
        name=printable(job.place.url),
        fingerprint=job.place.url,
        host=job.names.host_of(None),
        place={"validity": seen.validity, "uid": seen.uid},
    )


def read_maildir(job: MaildirJob) -> Iterator[Portion]:
    """Read what came into the Maildir since; nothing in it is changed."""
    reader, gathering = MailReader(job.names, now=job.now), Gathering()
    gathering.portion.counts["files"] += 1
    before = MaildirPlace() if job.reached is None else MaildirPlace.read(job.reached)
    place = before
    now = int(job.now.timestamp()) * 1_000_000_000
    is_all = False
    try:
        while not is_all:
            found = look(job.path, place, now=now)
            moved: list[str] = []
            for waiting in found.mails():
                try:
                    _read_one(reader, waiting.path, gathering.portion)
                except FileNotFoundError:
                    moved.append(waiting.path.name)
                if gathering.portion.is_full:
                    step = _maildir_step(job, waiting.place)
                    gathering.portion.steps.append(step)
                    yield gathering.rest()
            # Its reader has seen it meanwhile: it has another name, but the same key.
            place, is_all = found.after.without(moved), found.is_all
            if place != before:
                gathering.portion.steps.append(_maildir_step(job, place))
    except OSError as exc:
        name = printable(str(exc.filename or job.path))
        gathering.portion.problems.append(f"{name}: {exc.strerror}")
    yield gathering.rest()


def _read_one(reader: MailReader, path: Path, portion: Portion) -> None:
    name = printable(str(path))
    try:
        with opened_mail(path) as file, opened_stream(file, name=name) as source:
            for mail in mails(source.read):
                reader.take(mail.content, portion)
            portion.taken += source.position
    except UnreadableError as exc:
        portion.problems.append(str(exc))


def _maildir_step(job: MaildirJob, place: MaildirPlace) -> Step:
    return Step(
        kind="maildir",
        name=printable(str(job.path)),
        fingerprint=str(job.path),
        host=job.names.host_of(None),
        place=place.written(),
    )
