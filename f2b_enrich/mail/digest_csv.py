"""The bans of a digest as a table: what the attachment holds."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from f2b_enrich.figures import FoldedBan

NAME = "bans.csv"

LARGEST = 1_000_000
"""Bytes that are sent as they are; more is packed, or 50,000 bans were refused by a
mail server that takes 10 MB, which Postfix does unless told otherwise."""

_LONGEST = 200
"""Where a cell is cut, in characters: four long ones leave a line under 998."""

COLUMNS = (
    *("banned_at", "received_at", "host", "jail", "service", "ip", "country_code"),
    *("asn", "as_name", "failures", "bantime_seconds", "attack", "is_repeat", "id"),
)
"""Named as in the view `ban_log`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a mail brings with it."""

    name: str
    content: str | bytes


def attachment(bans: Iterable[FoldedBan]) -> Attachment:
    """Write a row for each ban, in their order; the same bytes at every attempt."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(tuple, map(_row, bans)))
    content = text.getvalue()
    if len(content) <= LARGEST:
        return Attachment(name=NAME, content=content)
    packed = gzip.compress(content.encode(), mtime=0)
    return Attachment(name=f"{NAME}.gz", content=packed)


def _row(ban: FoldedBan) -> Iterator[str | int | None]:
    yield time_text(ban.banned_at)
    yield time_text(ban.received_at)
    yield _cell(ban.host)
    yield _cell(ban.jail)
    yield _cell(ban.service)
    yield _cell(ban.ip)
    yield _cell(ban.country_code)
    yield ban.asn
    yield _cell(ban.as_name)
    yield ban.failures
    yield ban.bantime_seconds
    yield _cell(ban.attack)
    yield int(ban.is_repeat)
    yield ban.id


def _cell(text: str | None) -> str:
    return inert.cut(inert.cell(inert.without_secrets(text or "")), _LONGEST)
