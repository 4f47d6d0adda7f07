"""What could not be read, in words: the first of it, and how much more there was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PROBLEMS = 100
"""Told in words: a folder may hold a million files that cannot be read."""


@dataclass(slots=True, kw_only=True)
class Problems:
    """A line for each of the `first`, and a count of those behind."""

    first: list[str] = field(default_factory=list)
    more: int = 0

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.first)

    def append(self, text: str) -> None:
        """Add one."""
        if len(self.first) < MOST_PROBLEMS:
            self.first.append(text)
        else:
            self.more += 1

    def extend(self, others: Problems) -> None:
        """Add those of another part of the work."""
        for text in others.first:
            self.append(text)
        self.more += others.more

    def lines(self) -> Iterator[str]:
        """Word them, a line each, and one for all that are only counted."""
        yield from self.first
        if self.more:
            yield f"and {self.more:,} more could not be read"
