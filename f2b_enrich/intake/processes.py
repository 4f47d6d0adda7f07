"""Reading in processes of their own, while this one writes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.intake.jobs import portions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from f2b_enrich.intake.jobs import Job
    from f2b_enrich.intake.portions import Portion
    from f2b_enrich.intake.stopping import Stop


MOST_AHEAD = 4
"""Portions that a process has read and not handed over: the other writes for seconds,
and then takes many at once."""


class ReaderError(F2bEnrichError):
    """A reading process ended before its work was done."""


def read_here(jobs: Iterable[Job], stop: Stop) -> Iterator[Portion]:
    """Read one job after the other in this process.

    Raises:
        StoppedError: somebody wants it to stop.
    """
    for job in jobs:
        portions = portions_of(job)
        while True:
            with stop.at_once():
                portion = next(portions, None)
            stop.check()
            if portion is None:
                break
            yield portion


def read_beside(
    jobs: Iterable[Job], stop: Stop, *, processes: int
) -> Iterator[Portion]:
    """Read jobs side by side; each process is at most some portions ahead.

    Raises:
        ReaderError: one died.
        StoppedError: somebody wants it to stop.
    """
    left: Iterator[Job] = iter(jobs)
    readers: list[_Reader] = []
    try:
        for job in _some(left, processes):
            readers.append(_Reader())
            readers[-1].begin(job)
        busy = {reader.connection: reader for reader in readers}
        while busy:
            ready = wait([*busy, stop.fileno()])
            stop.check()
            for connection in ready:
                reader = busy[connection]  # type: ignore[index]
                portion = reader.receive()
                if portion is not None:
                    yield portion
                elif (following := next(left, None)) is not None:
                    reader.begin(following)
                else:
                    del busy[reader.connection]
    finally:
        for reader in readers:
            reader.end()


def _some(jobs: Iterator[Job], count: int) -> Iterator[Job]:
    for _ in range(count):
        if (job := next(jobs, None)) is not None:
            yield job


class _Reader:
    """A process that reads what it is told to."""

    def __init__(self) -> None:
        # A copy of this process would have the store open, and its locks.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(theirs,), name="f2b-enrich-reader", daemon=True
        )
        self._process.start()
        theirs.close()

    def begin(self, job: Job) -> None:
        """Tell what to read next."""
        try:
            self.connection.send(job)
        except OSError:
            self._died()

    def receive(self) -> Portion | None:
        """Take a portion; None when its job is done.

        Raises:
            ReaderError: it died.
        """
        try:
            portion: Portion | F2bEnrichError | None = self.connection.recv()
        except (EOFError, OSError):
            self._died()
        if isinstance(portion, F2bEnrichError):
            raise portion
        return portion

    def _died(self) -> NoReturn:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        raise ReaderError(f"a process that reads ended too early: {how}") from None

    def end(self) -> None:
        """Let it go, wherever it is: it only reads."""
        self.connection.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(connection: Connection) -> None:
    """Do jobs until nobody asks for more; what is here runs in the other process."""
    # A terminal sends Ctrl-C to both; the one that writes says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    said: Queue[Portion | F2bEnrichError | None] = Queue(MOST_AHEAD)
    Thread(target=_send, args=(connection, said), daemon=True).start()
    with suppress(EOFError, OSError):  # nobody listens any more
        while True:
            job = connection.recv()
            try:
                for portion in portions_of(job):
                    said.put(portion)
            except F2bEnrichError as exc:
                said.put(exc)
            else:
                said.put(None)


def _send(connection: Connection, said: Queue[Portion | F2bEnrichError | None]) -> None:
    """Hand over what was read, while more is read."""
    try:
        while True:
            connection.send(said.get())
    except OSError:
        os._exit(0)  # nobody listens any more
