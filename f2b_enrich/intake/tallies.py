"""What an import came to, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.intake.portions import MOST_UNREAD
from f2b_enrich.intake.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from f2b_enrich.intake.portions import Portion

MOST_GAPS = 10


@dataclass(slots=True, kw_only=True)
class Tally:
    """All that was read and written up to now."""

    counts: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    taken: int = 0
    dry_run: bool = False

    def add(self, portion: Portion) -> None:
        """Count a portion."""
        self.counts.update(portion.counts)
        self.days.update(portion.days)
        self.taken += portion.taken
        self.problems.extend(portion.problems)
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
