"""How far logs were read that are loaded at once, with what they found."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.intake.portions import follows
from f2b_enrich.intake.remembering import remember

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import date, datetime

    from f2b_enrich.intake.portions import Step
    from f2b_enrich.store.loading import FoundRow, Load


class LoadedPlaces:
    """Places in logs, those that follow each other as one."""

    def __init__(self, load: Load) -> None:
        """Begin with none; what they found is gathered there."""
        self._load = load
        self._steps: list[Step] = []
        self._last_of: dict[str, int] = {}

    def take(self, steps: Iterable[Step]) -> None:
        """Take places in their order."""
        rows: list[FoundRow] = []
        kept: list[bytes] = []
        days: dict[date, str] = {}
        for step in steps:
            kept.append(pickle.dumps(step))
            log = self._log_of(step)
            for (host, jail, ip, day), lines in step.all_found().items():
                text = days.get(day) or days.setdefault(day, day.isoformat())
                rows.append((log, text, ip, host, jail, lines))
        self._load.keep_steps(kept)
        self._load.add_found(rows)

    def _log_of(self, step: Step) -> int:
        """Give the number of the place that a step goes on with, or of a new one."""
        last = self._last_of.get(step.fingerprint)
        if last is not None and follows(self._steps[last], step):
            self._steps[last] = replace(self._steps[last], place=step.place)
            return last
        self._last_of[step.fingerprint] = number = len(self._steps)
        self._steps.append(replace(step, found=Counter(), packed=()))
        return number

    def note(self, connection: sqlite3.Connection, *, now: datetime) -> None:
        """Note them with what they found, inside the caller's transaction."""
        for log, step in enumerate(self._steps):
            number = remember(connection, step, now=now)
            if number is not None:
                self._load.write_found(log, number)

    def as_they_came(self) -> list[Step]:
        """Give them back one by one."""
        return list(map(pickle.loads, self._load.steps()))
