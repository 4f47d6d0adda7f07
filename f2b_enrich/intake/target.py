"""The store that an import writes to, and what is to be minded while it does."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.store.connection import openers_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from f2b_enrich.intake.stopping import Stop
    from f2b_enrich.store.wishes import LookUp

_STEPS_OF_MACHINE = 100_000
"""SQLite's, between two looks at whether to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A writer's connection, and who may want the store, or want it to stop.

    `look_up` is what is wished of bans that are new.
    """

    connection: sqlite3.Connection
    look_up: LookUp
    now: datetime
    is_daemon_there: Callable[[], bool]
    stop: Stop

    @contextmanager
    def openers_waiting(self) -> Iterator[None]:
        """Have others wait, after those that another import has wait.

        Raises:
            StoppedError: somebody wants it to stop.
        """
        with ExitStack() as stack:
            with self.stop.at_once():
                stack.enter_context(openers_waiting(self.connection))
            yield

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Stop in the middle of a statement, which undoes its transaction.

        Raises:
            StoppedError: somebody wants it to stop.
        """
        self.stop.check()
        self.connection.set_progress_handler(
            lambda: self.stop.is_wanted, _STEPS_OF_MACHINE
        )
        try:
            yield
        except sqlite3.OperationalError:
            self.stop.check()
            raise
        finally:
            self.connection.set_progress_handler(None, 0)
