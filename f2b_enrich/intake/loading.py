"""Logs taken into a store on which no daemon works, very many lines at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.intake.doubts import Doubts
from f2b_enrich.intake.loaded_places import LoadedPlaces
from f2b_enrich.joining.running_bans import RunningBans
from f2b_enrich.model import time_text
from f2b_enrich.store.connection import copy_back, transaction
from f2b_enrich.store.intake import note_hosts
from f2b_enrich.store.loading import Load
from f2b_enrich.store.plain import first_of
from f2b_enrich.store.retention import purged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from f2b_enrich.intake.packing import Key
    from f2b_enrich.intake.portions import Portion, Step
    from f2b_enrich.intake.target import Target
    from f2b_enrich.joining.plain_lines import PlainLine

    Lines: TypeAlias = dict[Key, list[PlainLine]]

MOST_LOADED = 3_000_000
"""Bans and counts of finds gathered, each: an interruption costs what was gathered,
about a minute."""


class DisturbedError(Exception):
    """The store has changed since it was looked at, or a daemon works on it."""


class Loading:
    """Gathers the lines of logs that tell of their bans beyond doubt.

    It looks at the store as it is when it begins, and nobody else may write to it from
    then on; otherwise the lines are given back, to be decided on one by one. `written`
    counts the bans that are in the store.
    """

    def __init__(self, target: Target) -> None:
        """Begin with nothing."""
        connection = target.connection
        self.written = 0
        self._target = target
        self._connection = connection
        self._load = Load(connection)
        self._doubts = Doubts(connection, now=target.now)
        self._places = LoadedPlaces(self._load)
        self._running = RunningBans(since=first_of(purged(connection).bans))
        self._log = "", ""
        self._hosts: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to write it."""
        return max(self._load.bans, self._load.found) >= MOST_LOADED

    @property
    def is_disturbed(self) -> bool:
        """Tell whether others have written to the store meanwhile, or will soon."""
        return self._load.is_disturbed or self._target.is_daemon_there()

    def take(self, portion: Portion) -> Lines:
        """Take the runs and places out of a portion; give the lines in doubt."""
        left: Lines = {}
        for run in portion.runs:
            if (run.host, run.log) != self._log:
                self._end_log()
                self._log = run.host, run.log
                self._hosts.add(run.host)
            told = self._running.take(run.lines, in_doubt=self._doubts.in_run(run))
            self._load.add(run.host, run.log, told.bans)
            for at, kind, jail, ip in told.left:
                line = (at, kind, jail, run.log)
                left.setdefault((run.host, ip), []).append(line)
        portion.runs = []
        self._places.take(step for step in portion.steps if step.kind == "log")
        portion.steps = [step for step in portion.steps if step.kind != "log"]
        return left

    def _end_log(self) -> None:
        self._load.add(*self._log, self._running.end_log())

    def write(self) -> None:
        """Write the bans, and count them; `note` follows when all else is written.

        Raises:
            DisturbedError: the store is not ours alone; a part may be written.
            StoppedError: somebody wants it to stop; a part may be written.
        """
        self._end_log()
        self._running = RunningBans()  # there is better use for its memory
        now, look_up = time_text(self._target.now), self._target.look_up
        with self._target.openers_waiting(), self._target.interruptible():
            for part in self._load.parts:
                with transaction(self._connection):
                    if self.is_disturbed:
                        raise DisturbedError
                    note_hosts(self._connection, self._hosts, now)
                    new = self._load.write(part, now=now, look_up=look_up)
                self.written += new
            with transaction(self._connection):
                self._load.raise_wishes(look_up)
            if self._target.is_daemon_there():  # it waits, and its bans will
                copy_back(self._connection)

    def note(self) -> None:
        """Note the places, with what was found up to there.

        Raises:
            DisturbedError: a daemon works on the store; nothing was noted.
            StoppedError: somebody wants it to stop; nothing was noted.
        """
        with (
            self._target.openers_waiting(),
            self._target.interruptible(),
            transaction(self._connection),
        ):
            # What is written with a place is written only if that is still the same.
            if self._target.is_daemon_there():
                raise DisturbedError
            self._places.note(self._connection, now=self._target.now)

    def given_back(self) -> Iterator[tuple[Key, list[PlainLine]]]:
        """Give back all lines, by address."""
        self._end_log()
        for host, ip, lines in self._load.told():
            yield (host, ip), lines

    def steps(self) -> list[Step]:
        """Give back the places as they came."""
        return self._places.as_they_came()


def lines_of(portion: Portion) -> Lines:
    """Take the runs out of a portion, as lines by address."""
    lines: Lines = {}
    for run in portion.runs:
        for at, kind, jail, ip in run.lines:
            lines.setdefault((run.host, ip), []).append((at, kind, jail, run.log))
    portion.runs = []
    return lines
