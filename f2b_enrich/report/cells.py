"""Bans put into cells that are coarsened until each stands for enough addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

NOWHERE = -1
"""The cell of a ban that is told in none."""


def coarsened(
    steps: Sequence[Callable[[Numbers], Numbers]], who: Numbers, *, least: int
) -> tuple[Numbers, list[int]]:
    """Give each ban its cell, and how many bans each step told.

    A step gives the cells of bans, by their places in `who`, which numbers those that
    were banned. A ban is told at the first step at which its cell stands for `least` of
    them, or is told already; what is left at the end is in no cell.
    """
    told = np.full(len(who), NOWHERE, np.int64)
    cells_told = np.empty(0, np.int64)
    rest = np.arange(len(who))
    people = int(who.max(initial=0)) + 1
    counts: list[int] = []
    for step in steps:
        cells, cell = np.unique(step(rest), return_inverse=True)
        # Each with the same person is one, however often that was banned.
        pairs = np.unique(cell * people + who[rest])
        found = np.bincount(pairs // people, minlength=len(cells))
        is_enough = (found >= least) | np.isin(cells, cells_told)
        is_told = is_enough[cell]
        told[rest[is_told]] = cells[cell[is_told]]
        cells_told = np.union1d(cells_told, cells[is_enough])
        rest = rest[~is_told]
        counts.append(int(np.count_nonzero(is_told)))
    return told, counts
