"""Tables of two sides: classes, countries, services and hosts against each other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.report.figures_rankings import Cell, Cross

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from f2b_enrich.report.part import Pair

MOST_COLUMNS = 8


def most(counts: Mapping[str, int], names: Mapping[str, str], top: int) -> list[str]:
    """Name the keys with the most, what is equal in the order of its names."""
    ordered = sorted(counts, key=lambda key: (-counts[key], names.get(key, key)))
    return ordered[:top]


def with_tied(
    counts: Mapping[str, int], names: Mapping[str, str], top: int
) -> list[str]:
    """Name the keys with the most, and all that have as much as the last of them."""
    ordered = most(counts, names, len(counts))
    if top >= len(ordered):
        return ordered
    least = counts[ordered[top - 1]]
    return [key for key in ordered if counts[key] >= least]


def cross(
    pair: Pair,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    row_names: Mapping[str, str],
    column_names: Mapping[str, str],
    bans: int | None = None,
) -> Cross:
    """Make a table of what was counted by two things, and count what is not in it.

    `bans` are there in all, where not all of them were counted so.
    """
    total = pair.bans.total() if bans is None else bans
    shown = [(row, column) for row in rows for column in columns]
    cells = tuple(
        Cell(
            row=row,
            column=column,
            addresses=pair.addresses[row, column],
            bans=pair.bans[row, column],
        )
        for row, column in shown
        if pair.bans[row, column]
    )
    return Cross(
        rows=tuple((row, row_names.get(row, row)) for row in rows),
        columns=tuple((column, column_names.get(column, column)) for column in columns),
        cells=cells,
        others=total - sum(cell.bans for cell in cells),
    )


def turned(pair: Pair) -> Pair:
    """Change the sides."""
    return type(pair)(
        addresses=Counter({(b, a): found for (a, b), found in pair.addresses.items()}),
        bans=Counter({(b, a): found for (a, b), found in pair.bans.items()}),
    )
