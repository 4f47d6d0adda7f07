"""Days without any record, told from days on which nothing happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, log
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEWEST_DAYS = 14
"""Days with bans from which on it can be told what gap is usual."""

SHORTEST_GAP = 3
"""Days without a ban that are worth a word."""

TIMES_USUAL = 10
"""How many times as long as usual a gap must be."""

RARE = 1 / 3000
"""The chance below which days without a ban in a row are none: once in eight years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Days without any ban, the first and the last."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Count them."""
        return (self.last - self.first).days + 1


def usual_gap(days: Iterable[date]) -> int | None:
    """Tell how many days usually lie between two with bans; None if too few are known.

    It is the median, so single holes, however long, do not change it.
    """
    ordered = sorted(days)
    if len(ordered) < FEWEST_DAYS:
        return None
    steps = [(later - earlier).days for earlier, later in pairwise(ordered)]
    return int(median(steps))


def gaps(days: Iterable[date]) -> list[Gap]:
    """Find the days without any ban in a row that are more than usual, in order."""
    ordered = sorted(days)
    usual = usual_gap(ordered)
    if usual is None:
        return []
    least = max(SHORTEST_GAP, TIMES_USUAL * (usual - 1), _rare(ordered))
    found = [
        Gap(first=earlier + timedelta(days=1), last=later - timedelta(days=1))
        for earlier, later in pairwise(ordered)
        if (later - earlier).days > 1
    ]
    return [gap for gap in found if gap.days >= least]


def _rare(ordered: Sequence[date]) -> int:
    """Tell how many days without a ban in a row are no chance, where bans are few.

    How often a day with bans is followed by another tells how often there are any;
    single holes, however long, hardly change it. Where it is never so, bans are by a
    rule, each Monday, and no chance.
    """
    steps = [later - earlier for earlier, later in pairwise(ordered)]
    without = 1 - steps.count(timedelta(days=1)) / len(steps)
    return ceil(log(RARE, without)) if 0 < without < 1 else 0
