"""What the mail of a report is made of, when all its words are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from f2b_enrich.mail.view import Typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that goes with the mail; `alt` says in words what it shows.

    `png` is twice as large as it is shown, for screens with small pixels.
    """

    name: str
    title: str
    alt: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPicture:
    """A picture as the HTML names it; `source` is the part of the mail that has it."""

    source: Typed
    title: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name, what is said below it in smaller letters, and its numbers."""

    name: str
    numbers: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its heading; `about` says of what its numbers are."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    about: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """The words of the HTML part; a field that is empty has nothing to show.

    A finding is pieces of a sentence, for no value may be long.
    """

    subject: str
    title: str
    span: str
    confined: tuple[str, ...]
    findings: tuple[tuple[str, ...], ...]
    first_tables: tuple[Table, ...]
    tables: tuple[Table, ...]
    without_pictures: str
    attribution: str
    host: str
    version: str
    pictures: tuple[ShownPicture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A report for one recipient; `label` is the time that it is about."""

    host: str
    recipient: str
    sender: str
    message_id: str
    timezone: tzinfo | None
    label: str
    text: str
    shown: LetterView
    pictures: tuple[Picture, ...] = ()
