"""Reading in processes of their own, while this one writes."""

from __future__ import annotations

import os
from multiprocessing.connection import wait
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

from f2b_enrich.child import Child
from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.intake.collecting import seldom_collecting
from f2b_enrich.intake.jobs import portions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection

    from f2b_enrich.intake.jobs import Job
    from f2b_enrich.intake.portions import Portion
    from f2b_enrich.intake.stopping import Stop


MOST_AHEAD = 4
"""Portions that a process has read and not handed over: the other writes for seconds,
and then takes many at once."""


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
        ChildError: one died.
        StoppedError: somebody wants it to stop.
    """
    left: Iterator[Job] = iter(jobs)
    readers: list[Child[Portion | None]] = []
    try:
        for job in _some(left, processes):
            readers.append(Child(_serve, does="reads"))
            readers[-1].send(job)
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
                    reader.send(following)
                else:
                    del busy[reader.connection]
    finally:
        for reader in readers:
            reader.end()


def _some(jobs: Iterator[Job], count: int) -> Iterator[Job]:
    for _ in range(count):
        if (job := next(jobs, None)) is not None:
            yield job


def _serve(connection: Connection) -> None:
    """Do jobs until nobody asks for more; what is here runs in the other process."""
    said: Queue[Portion | F2bEnrichError | None] = Queue(MOST_AHEAD)
    Thread(target=_send, args=(connection, said), daemon=True).start()
    with seldom_collecting():
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
