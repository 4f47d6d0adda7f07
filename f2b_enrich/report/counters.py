"""Processes that count side by side, and never outlive the one that asked them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import wait
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from f2b_enrich.report.host_counting import HostsAsked
    from f2b_enrich.report.part import Part

    Asked = HostsAsked | None
    Work = Callable[[], Generator[Part, Asked, None]]
    Ask = Callable[[Asked], list[Part]]


class CounterError(F2bEnrichError):
    """A counting process ended before its work was done."""


@contextmanager
def here(work: Work) -> Iterator[Ask]:
    """Do a work in this process, a step each time; the first one takes None."""
    with closing(work()) as steps:
        yield lambda asked: [steps.send(asked)]


@contextmanager
def beside(works: Sequence[Work]) -> Iterator[Ask]:
    """Do each work in a process of its own, all of them the same step.

    Asking for a step raises:
        CounterError: one died.
        F2bEnrichError: what one raised.
    """
    counters: list[_Counter] = []
    try:
        for work in works:
            counters.append(_Counter())
            counters[-1].send(work)

        def ask(asked: Asked) -> list[Part]:
            for counter in counters:
                counter.send(asked)
            return _received(counters)

        yield ask
    finally:
        for counter in counters:
            counter.end()


def _received(counters: Sequence[_Counter]) -> list[Part]:
    busy = {counter.connection: counter for counter in counters}
    parts: list[Part] = []
    while busy:
        ready = wait(list(busy))
        parts += [busy.pop(one).receive() for one in ready]  # type: ignore[call-overload]
    return parts


class _Counter:
    """A process that counts."""

    def __init__(self) -> None:
        # A copy of this process would have the store open, and its locks.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(theirs,), name="f2b-enrich-counter", daemon=True
        )
        self._process.start()
        theirs.close()

    def send(self, what: Work | Asked) -> None:
        """Tell what to count, or to go on with the next step."""
        try:
            self.connection.send(what)
        except OSError:
            self._died()

    def receive(self) -> Part:
        """Take a part.

        Raises:
            CounterError: it died.
        """
        try:
            part: Part | F2bEnrichError = self.connection.recv()
        except (EOFError, OSError):
            self._died()
        if isinstance(part, F2bEnrichError):
            raise part
        return part

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
            with here(work) as ask:
                while True:
                    (part,) = ask(connection.recv())
                    connection.send(part)
        except F2bEnrichError as exc:
            connection.send(exc)


def _end_with_parent() -> None:
    """End this process with the one that began it, however that was ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
