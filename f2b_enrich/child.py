"""A process that does what this one tells it, and never outlives it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    Serve = Callable[[Connection], None]

Sent = TypeVar("Sent")


class ChildError(F2bEnrichError):
    """A process ended before its work was done."""


class Child(Generic[Sent]):
    """A process of its own, and the connection to it."""

    def __init__(self, serve: Serve, *, does: str) -> None:
        """Begin it; `serve` runs in it until nobody asks any more.

        `does` is a word for it, "counts".
        """
        # A copy of this process would have the store open, and its locks.
        context = multiprocessing.get_context("spawn")
        self._does = does
        self.connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_run, args=(serve, theirs), name=f"f2b-enrich-{does}", daemon=True
        )
        self._process.start()
        theirs.close()

    def send(self, what: object) -> None:
        """Tell it something.

        Raises:
            ChildError: it died.
        """
        try:
            self.connection.send(what)
        except OSError:
            self._died()

    def receive(self) -> Sent:
        """Take what it sends.

        Raises:
            ChildError: it died.
            F2bEnrichError: what it sends is that.
        """
        try:
            what: Sent | F2bEnrichError = self.connection.recv()
        except (EOFError, OSError):
            self._died()
        if isinstance(what, F2bEnrichError):
            raise what
        return what

    def _died(self) -> NoReturn:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        if code == -signal.SIGKILL:
            how += ", out of memory?"
        if code == errno.ENOMEM:
            how = "out of memory"
        told = f"a process that {self._does} ended too early: {how}"
        raise ChildError(told) from None

    def end(self) -> None:
        """Let it go, wherever it is: it only reads."""
        self.connection.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _run(serve: Serve, connection: Connection) -> None:
    # A terminal sends Ctrl-C to both; the one that asked says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        with suppress(EOFError, OSError):  # nobody listens any more
            serve(connection)
    except MemoryError:
        # There may be none left to tell it with: the one that asked does.
        os._exit(errno.ENOMEM)


def _end_with_parent() -> None:
    """End this process with the one that began it, however that was ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
