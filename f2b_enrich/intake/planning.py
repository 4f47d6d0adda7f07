"""What is to be read, parted so that several processes have work."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_files import log_files, set_name
from f2b_enrich.importing.mail_boxes import files_in
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable
from f2b_enrich.intake.places import fingerprint_of_mailbox, is_still_there
from f2b_enrich.intake.problems import Problems
from f2b_enrich.intake.reading_databases import DatabaseJob
from f2b_enrich.intake.reading_logs import LogJob
from f2b_enrich.intake.reading_mailboxes import ImapJob, MaildirJob
from f2b_enrich.intake.reading_mails import MailJob, PieceJob

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any, TypeAlias

    from pydantic import SecretStr

    from f2b_enrich.importing.imap_place import ImapPlace
    from f2b_enrich.intake.naming import Names

    Places: TypeAlias = Mapping[str, Mapping[str, Any]]

PIECE = 16 * 1024 * 1024
"""Bytes of a mailbox that one process reads at a time."""

MOST_FILES = 256
"""Files of a mail each that one process reads at a time."""

STANDARD_INPUT = "-"

_FROM = b"From "


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is read, by which names; `problems` are paths that cannot be.

    `places` are those reached before, by fingerprint; `again` reads all the same.
    """

    names: Names
    now: datetime
    places: Places = field(default_factory=dict)
    again: bool = False
    piece: int = PIECE
    problems: Problems = field(default_factory=Problems)

    def logs(self, words: Sequence[str], *, zone: str | None) -> Iterator[LogJob]:
        """Plan logs, rotated files of one together, from the oldest on."""
        if logs := tuple(self._logs(words)):
            yield LogJob(
                logs=logs,
                names=self.names,
                now=self.now,
                zone=zone,
                places=self.places,
                again=self.again,
            )

    def _logs(self, words: Sequence[str]) -> Iterator[tuple[Path, ...]]:
        readable = []
        for word in words:
            if word == STANDARD_INPUT:
                yield ()
                continue
            try:
                log_files([Path(word)])
                readable.append(Path(word))
            except UnreadableError as exc:
                self.problems.append(str(exc))
        files = log_files(readable) if readable else ()
        for _, of_set in groupby(files, lambda file: (file.parent, set_name(file))):
            yield tuple(of_set)

    def databases(self, words: Sequence[str]) -> Iterator[DatabaseJob]:
        """Plan databases."""
        for word in words:
            yield DatabaseJob(path=Path(word), names=self.names, now=self.now)

    def mails(self, words: Sequence[str]) -> Iterator[MailJob | PieceJob]:
        """Plan mailboxes, large ones in pieces, and folders of mails."""
        for word in words:
            if word == STANDARD_INPUT:
                yield self._files(())
            else:
                yield from self._mails(Path(word))

    def imap(
        self, place: ImapPlace, *, password: SecretStr, ca_file: Path | None
    ) -> Iterator[ImapJob]:
        """Plan what came into a folder of an IMAP server since the last run."""
        yield ImapJob(
            place=place,
            password=password,
            names=self.names,
            now=self.now,
            ca_file=ca_file,
            reached=None if self.again else self.places.get(place.url),
        )

    def maildir(self, path: Path) -> Iterator[MaildirJob]:
        """Plan what came into a watched Maildir since the last run."""
        yield MaildirJob(
            path=path,
            names=self.names,
            now=self.now,
            reached=None if self.again else self.places.get(str(path)),
        )

    def _mails(self, path: Path) -> Iterator[MailJob | PieceJob]:
        together: list[Path] = []
        for file in self._files_in(path):
            try:
                about = file.stat()
                if about.st_size > self.piece and (pieces := self._pieces(file)):
                    yield from pieces
                    continue
            except OSError as exc:
                self.problems.append(f"{printable(str(file))}: {exc.strerror}")
                continue
            if not stat.S_ISREG(about.st_mode) and not stat.S_ISFIFO(about.st_mode):
                self.problems.append(
                    f"{printable(str(file))} is neither a file nor a folder"
                )
                continue
            together.append(file)
            if len(together) >= MOST_FILES:
                yield self._files(tuple(together))
                together.clear()
        if together:
            yield self._files(tuple(together))

    def _files_in(self, path: Path) -> Iterator[Path]:
        is_empty = True
        try:
            for file in files_in(path):
                is_empty = False
                yield file
        except OSError as exc:
            name = printable(str(exc.filename or path))
            self.problems.append(f"{name}: {exc.strerror}")
        else:
            if is_empty:
                self.problems.append(f"{printable(str(path))} holds no mail")

    def _files(self, paths: tuple[Path, ...]) -> MailJob:
        return MailJob(paths=paths, names=self.names, now=self.now)

    def _pieces(self, path: Path) -> list[PieceJob]:
        """Part a plain mailbox; what is none, or packed, has no pieces."""
        with path.open("rb", buffering=0) as file:
            if file.read(len(_FROM)) != _FROM:
                return []
            known = fingerprint_of_mailbox(file)
            before = self.places.get(known)
            if before is None or self.again or not is_still_there(file, before):
                begin = 0
            else:
                begin = before["position"]
            size = os.fstat(file.fileno()).st_size
        starts = range(begin, size, self.piece)
        return [
            PieceJob(
                path=path,
                start=start,
                end=min(start + self.piece, size),
                fingerprint=known,
                is_first=start == begin,
                names=self.names,
                now=self.now,
            )
            for start in starts
        ]
