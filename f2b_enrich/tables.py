"""Tables as text and as CSV; what an attacker wrote moves no cursor."""

from __future__ import annotations

import csv
import io
import itertools
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from f2b_enrich.inert import cell, printable
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GAP = "  "
_LEAST = 12


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is shown; one that is empty throughout is left out."""

    title: str
    right: bool = False
    limit: int = 48


def fit(
    columns: Sequence[Column],
    rows: Sequence[Sequence[object]],
    *,
    width: int | None = None,
) -> Iterator[str]:
    """Give heading and rows, as wide as their values; the last column takes the rest.

    `width` is the screen's, None where there is none.
    """
    texts = [[_cell(value) for value in row] for row in rows]
    used = [i for i in range(len(columns)) if any(row[i] for row in texts)]
    limits = [columns[i].limit for i in used]
    titles = [columns[i].title for i in used]
    table = [titles] + [[row[i] or "-" for i in used] for row in texts]
    if width is not None:
        limits = _narrowed(limits, table, width)
    shown = [
        [cut(text, limit) for text, limit in zip(row, limits, strict=True)]
        for row in table
    ]
    widths = [max(map(columns_of, values)) for values in zip(*shown, strict=True)]
    for row in shown:
        cells = (
            padded(text, size, right=columns[i].right)
            for text, size, i in zip(row, widths, used, strict=True)
        )
        yield _GAP.join(cells).rstrip()


def _narrowed(limits: list[int], table: list[list[str]], width: int) -> list[int]:
    """Cut the last column so that a row stays on one line of the screen."""
    taken = sum(
        min(max(columns_of(row[i]) for row in table), limits[i]) + len(_GAP)
        for i in range(len(limits) - 1)
    )
    return [*limits[:-1], min(limits[-1], max(width - taken, _LEAST))]


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value))


def padded(text: str, size: int, *, right: bool) -> str:
    """Fill text with blanks to so many columns."""
    blanks = " " * (size - columns_of(text))
    return blanks + text if right else text + blanks


def cut(text: str, limit: int) -> str:
    """Shorten text to so many columns, ending in U+2026 where it was cut."""
    if columns_of(text) <= limit:
        return text
    taken = itertools.accumulate(map(_width, text))
    kept = sum(1 for _ in itertools.takewhile(lambda columns: columns < limit, taken))
    return f"{text[:kept]}\u2026"


def columns_of(text: str) -> int:
    """Count the columns of a terminal that a text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:  # drawn over what is before
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def csv_lines(
    columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[str]:
    """Write rows as CSV that no spreadsheet takes for formulas."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="")
    for row in itertools.chain((columns,), rows):
        writer.writerow(map(_safe, row))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _safe(value: object) -> object:
    if value.__class__ is str:
        return cell(str(value))
    # A number is no formula, even below zero.
    return time_text(value) if isinstance(value, datetime) else value
