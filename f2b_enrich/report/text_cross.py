"""Tables of two sides as text, turned so that they fit the lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.inert import printable
from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import paragraph, table
from f2b_enrich.tables import Column, columns_of, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.report.figures_rankings import Cross

_HEAD = 9
"""Columns of a terminal that the name over numbers may take."""

_NAME = 26


def cross(wanted: Cross, sides: tuple[str, str], width: int) -> Iterator[str]:
    """Give the addresses in each field; `sides` names what rows and columns are.

    What has the shorter names stands on top; what does not fit is counted below.
    """
    rows, columns = sides
    if _longest(wanted.rows) < _longest(wanted.columns):
        wanted, rows, columns = _turned(wanted), columns, rows
    if not wanted.rows or not wanted.columns:
        return
    cells = {(cell.row, cell.column): cell.addresses for cell in wanted.cells}
    heads = [cut(_short(each), _HEAD) for each in wanted.columns]
    # A number is as wide as its name at least, and two blanks are between.
    widest = max((len(f"{count:,}") for count in cells.values()), default=1)
    taken = [max(columns_of(head), widest) + 2 for head in heads]
    title = f"{rows} / {columns}"
    names = min(_NAME, max(columns_of(printable(name)) for _, name in wanted.rows))
    fitting = max(1, _fitting(taken, width - 2 - max(names, len(title))))
    room = max(_NAME, width - 2 - sum(taken[:fitting]))
    shown = wanted.columns[:fitting]
    lines = [
        [name, *(_count(cells.get((key, column))) for column, _ in shown)]
        for key, name in wanted.rows
    ]
    titles = [Column(head, right=True) for head in heads[:fitting]]
    yield from table((Column(title, limit=room), *titles), lines, width=width)
    yield from _rest(wanted, fitting, (rows, columns), width)


def _rest(
    wanted: Cross, fitting: int, sides: tuple[str, str], width: int
) -> Iterator[str]:
    out = {key for key, _ in wanted.columns[fitting:]}
    others = wanted.others + sum(
        cell.bans for cell in wanted.cells if cell.column in out
    )
    if others:
        yield from paragraph(others_told(others, sides), width=width)


def others_told(bans: int, sides: tuple[str, str]) -> str:
    """Say how many bans are in no field."""
    rows, columns = sides
    return f"{words.counted(bans, 'ban')} of another or unknown {rows} or {columns}"


def _fitting(taken: Sequence[int], room: int) -> int:
    """Count the first columns that have room together."""
    return sum(1 for at in range(len(taken)) if sum(taken[: at + 1]) <= room)


def _count(addresses: int | None) -> str:
    return f"{addresses:,}" if addresses else "."


def _short(side: tuple[str, str]) -> str:
    key, name = map(printable, side)
    # What is not known has a name and no key.
    return name if not key or columns_of(name) <= columns_of(key) else key


def _longest(sides: Sequence[tuple[str, str]]) -> int:
    return max((columns_of(_short(side)) for side in sides), default=0)


def _turned(wanted: Cross) -> Cross:
    return replace(
        wanted,
        rows=wanted.columns,
        columns=wanted.rows,
        cells=tuple(
            replace(cell, row=cell.column, column=cell.row) for cell in wanted.cells
        ),
    )
