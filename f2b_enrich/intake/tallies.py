"""What an import came to, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from f2b_enrich.intake.portions import MOST_UNREAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from f2b_enrich.intake.portions import Portion

FEWEST_DAYS = 14
"""Days with bans from which on it can be told what gap is usual."""

SHORTEST_GAP = 3
"""Days without a ban that are worth a word."""

TIMES_USUAL = 10
"""How many times as long as usual a gap must be."""

MOST_GAPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Days without any ban, the first and the last."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Count them."""
        return (self.last - self.first).days + 1


@dataclass(slots=True, kw_only=True)
class Tally:
    """All that was read and written up to now."""

    counts: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    taken: int = 0
    dry_run: bool = False

    def add(self, portion: Portion) -> None:
        """Count a portion."""
        self.counts.update(portion.counts)
        self.days.update(portion.days)
        self.taken += portion.taken
        self.problems += portion.problems
        self.unread += portion.unread[: MOST_UNREAD - len(self.unread)]

    def wrote(self, written: Mapping[str, int]) -> None:
        """Take over what the writer counted."""
        for name in ("new", "refused"):
            self.counts[name] = written.get(name, 0)

    @property
    def of_bans(self) -> int:
        """Count the records that tell of a ban."""
        return self.counts["records-ban"] + self.counts["records-again"]

    @property
    def known(self) -> int:
        """Count the records of bans that were there, or were told of twice."""
        return max(self.of_bans - self.counts["new"] - self.counts["refused"], 0)

    def sum_of(self, prefix: str) -> int:
        """Add up the counts whose names begin so."""
        return sum(
            count for name, count in self.counts.items() if name.startswith(prefix)
        )


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
    least = max(SHORTEST_GAP, TIMES_USUAL * (usual - 1))
    found = [
        Gap(first=earlier + timedelta(days=1), last=later - timedelta(days=1))
        for earlier, later in pairwise(ordered)
        if (later - earlier).days > 1
    ]
    return [gap for gap in found if gap.days > least]
