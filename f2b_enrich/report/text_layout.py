"""What the lines of a report are made of: headings, paragraphs, tables.

No line takes more columns than it is told, whatever the text of attackers is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.inert import printable
from f2b_enrich.tables import columns_of, cut, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.tables import Column

_INDENT = "  "
_NAME = 40
"""Columns of a name within a sentence."""

_LEAST = 6
"""Columns that a name keeps in a table that is too wide."""


def heading(title: str, *, width: int, about: str = "") -> Iterator[str]:
    """Begin a section: its name in capitals, and what its figures are about."""
    text = printable(title).upper()
    yield from paragraph(f"{text}: {about}" if about else text, width=width, first="")


def paragraph(
    text: str, *, width: int, first: str = _INDENT, rest: str = _INDENT
) -> Iterator[str]:
    """Break text between words, `first` before its first line, `rest` before others."""
    line, is_empty = first, True
    for word in printable(text).split():
        longer = f"{line}{word}" if is_empty else f"{line} {word}"
        if columns_of(longer) <= width:
            line, is_empty = longer, False
            continue
        if not is_empty or line.strip():
            yield line.rstrip()
        line = f"{rest}{word}"
        while columns_of(line) > width:
            kept = _beginning(line, width)
            yield kept
            line = f"{rest}{line[len(kept) :]}"
        is_empty = False
    if not is_empty:
        yield line


def _beginning(line: str, width: int) -> str:
    """Give as much of a line as fits, where a character may be two columns wide."""
    kept = len(cut(line, width)) - 1
    return line[: kept + 1] if columns_of(line[: kept + 1]) <= width else line[:kept]


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[object]],
    *,
    width: int,
    gap: int = 2,
) -> Iterator[str]:
    """Give heading and rows; names that are too long are cut, numbers never."""
    texts = [[printable(str(value)) for value in row] for row in rows]
    shown = [[column.title for column in columns], *texts]
    sizes = [
        min(max(columns_of(row[at]) for row in shown), column.limit)
        for at, column in enumerate(columns)
    ]
    names = [at for at, column in enumerate(columns) if not column.right]
    spare = width - len(_INDENT) - gap * (len(columns) - 1)
    while sum(sizes) > spare and names:
        widest = max(names, key=sizes.__getitem__)
        if sizes[widest] <= _LEAST:
            break
        sizes[widest] -= 1
    between = " " * gap
    for row in shown:
        cells = (
            padded(cut(text, size), size, right=column.right)
            for text, size, column in zip(row, sizes, columns, strict=True)
        )
        yield cut(f"{_INDENT}{between.join(cells)}".rstrip(), width)


def few(names: Sequence[str], most: int, count: int | None = None) -> str:
    """Name the first of several, and how many more there are of `count` in all."""
    shown = ", ".join(map(short, names[:most]))
    more = (len(names) if count is None else count) - min(most, len(names))
    return f"{shown} and {more:,} more" if more > 0 else shown


def short(name: str) -> str:
    """Cut a name that stands in a sentence."""
    return cut(printable(name), _NAME)
