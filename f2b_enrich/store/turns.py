"""Short transactions of a long work, between which others write."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from f2b_enrich.store.connection import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

LONGEST_TRANSACTION = 0.02
"""Seconds after which nothing more is taken into one; the commit is yet to come."""

SHORTEST_PAUSE = 0.005
"""Seconds between two of them, in which others write."""


class Turns:
    """Transactions, and pauses between them that are as long as those took."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Take a writer's connection; `clock` counts seconds, `pause` waits so many."""
        self.took = 0.0
        self._connection = connection
        self._clock = clock
        self._pause = pause
        self._begun = clock()
        self._others_until = self._begun + SHORTEST_PAUSE  # opening a store writes too

    @property
    def lasts(self) -> float:
        """Tell for how many seconds the transaction has been open."""
        return self._clock() - self._begun

    @contextmanager
    def transaction(self, *, is_alone: bool = False) -> Iterator[None]:
        """Make one, after the pause unless nobody else writes."""
        if not is_alone:
            self._pause(max(self._others_until - self._clock(), 0.0))
        with transaction(self._connection):
            self._begun = self._clock()
            yield
        # Others get the store for as long as they may have had to wait for it.
        ended = self._clock()
        self.took = ended - self._begun
        self._others_until = ended + max(self.took, SHORTEST_PAUSE)
