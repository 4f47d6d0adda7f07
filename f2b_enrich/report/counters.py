"""Processes that count side by side, and never outlive the one that asked them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from f2b_enrich.report.part import Part

    Work = Callable[[], Iterable[Part]]


class CounterError(F2bEnrichError):
    """A counting process ended before its work was done."""


def in_each(works: Sequence[Work]) -> list[list[Part]]:
    """Do each work in a process of its own, and give what each made.

    Raises:
        CounterError: one died.
        F2bEnrichError: what one raised.
    """
    counters: list[_Counter] = []
    try:
        for work in works:
            counters.append(_Counter())
            counters[-1].begin(work)
        busy = {counter.connection: counter for counter in counters}
        while busy:
            for connection in wait(list(busy)):
                if not busy[connection].receive():  # type: ignore[index]
                    del busy[connection]  # type: ignore[arg-type]
        return [counter.parts for counter in counters]
    finally:
        for counter in counters:
            counter.end()


class _Counter:
    """A process that counts, and what it has counted."""

    def __init__(self) -> None:
        # A copy of this process would have the store open, and its locks.
        context = multiprocessing.get_context("spawn")
        self.parts: list[Part] = []
        self.connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(theirs,), name="f2b-enrich-counter", daemon=True
        )
        self._process.start()
        theirs.close()

    def begin(self, work: Work) -> None:
        """Tell what to count."""
        try:
            self.connection.send(work)
        except OSError:
            self._died()

    def receive(self) -> bool:
        """Take a part; tell whether there was one.

        Raises:
            CounterError: it died.
        """
        try:
            part: Part | F2bEnrichError | None = self.connection.recv()
        except (EOFError, OSError):
            self._died()
        if isinstance(part, F2bEnrichError):
            raise part
        if part is not None:
            self.parts.append(part)
        return part is not None

    def _died(self) -> NoReturn:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"exit code {code}"
        if code < 0:
            how = f"killed by signal {-code}"
        if code == -signal.SIGKILL:
            how += ", out of memory?"
        raise CounterError(f"a process that counts ended too early: {how}") from None

    def end(self) -> None:
        """Let it go, wherever it is: it only reads."""
        self.connection.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(connection: Connection) -> None:
    """Do the work; what is here runs in the other process."""
    # A terminal sends Ctrl-C to both; the one that asked says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # nobody listens any more
        work: Work = connection.recv()
        try:
            for part in work():
                connection.send(part)
        except F2bEnrichError as exc:
            connection.send(exc)
        else:
            connection.send(None)


def _end_with_parent() -> None:
    """End this process with the one that began it, however that was ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
