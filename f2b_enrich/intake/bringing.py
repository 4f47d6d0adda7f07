"""The whole way of an import: read side by side, written in one place, counted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.intake.collecting import seldom_collecting
from f2b_enrich.intake.processes import read_beside, read_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from f2b_enrich.intake.jobs import Job
    from f2b_enrich.intake.portions import Portion
    from f2b_enrich.intake.stopping import Stop
    from f2b_enrich.intake.tallies import Tally
    from f2b_enrich.intake.writing import Writer

WORTH_A_PROCESS = 8 * 1024 * 1024
"""Bytes to read; to start a process takes as long as reading some of them."""

MOST_PROCESSES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringing:
    """How an import runs; without a `writer` it only counts.

    `processes` read beside this one, 0 for none. `moved` is told after each portion
    how many bytes of the files were taken with it.
    """

    stop: Stop
    writer: Writer | None
    processes: int
    moved: Callable[[int], None]

    def run(self, jobs: Iterable[Job], tally: Tally) -> None:
        """Do the jobs, and count in `tally` what was read, and written by then.

        Raises:
            StoppedError: somebody wanted it to stop; what is counted is in the store.
            ChildError: a process that reads died.
        """
        try:
            with seldom_collecting():
                for portion in self._portions(jobs):
                    tally.add(portion)
                    if self.writer is not None:
                        self.writer.add(portion)
                    self.moved(portion.taken)
                if self.writer is not None:
                    self.writer.flush()
        finally:
            if self.writer is not None:
                tally.wrote(self.writer.taken)

    def _portions(self, jobs: Iterable[Job]) -> Iterator[Portion]:
        if self.processes:
            return read_beside(jobs, self.stop, processes=self.processes)
        return read_here(jobs, self.stop)


def processes_for(size: int | None, *, jobs_side_by_side: bool) -> int:
    """Choose how many processes read files of so many bytes, None for not known.

    The rest of the machine keeps a core, if there are more than two.
    """
    if size is not None and size < WORTH_A_PROCESS:
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(max(cores - 1, 2), MOST_PROCESSES) if jobs_side_by_side else 1
