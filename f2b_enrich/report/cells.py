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


def told(
    steps: Sequence[Callable[[Numbers], Numbers]],
    who: Numbers,
    kinds: Numbers,
    *,
    least: int,
) -> tuple[Numbers, Numbers, list[int]]:
    """Give the cells that are told in order, the bans of each, and those of each step.

    The kind of a ban is what all steps tell, so that each kind has cells of its own:
    they are coarsened one after another, as few fit where all would take much memory.
    """
    cells, bans = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    counts = np.zeros(len(steps), np.int64)
    for kind in np.unique(kinds):
        # To look for each takes less than to sort, and nothing to keep.
        alike = np.flatnonzero(kinds == kind)
        of_kind = [_among(alike, step) for step in steps]
        found, of_steps = coarsened(of_kind, who[alike], least=least)
        each, many = np.unique(found[found != NOWHERE], return_counts=True)
        cells.append(each)
        bans.append(many)
        counts += of_steps
    every = np.concatenate(cells)
    order = np.argsort(every)
    return every[order], np.concatenate(bans)[order], counts.tolist()


def _among(
    places: Numbers, step: Callable[[Numbers], Numbers]
) -> Callable[[Numbers], Numbers]:
    return lambda rest: step(places[rest])


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
