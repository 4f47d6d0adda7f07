"""Being told to stop by Ctrl-C or SIGTERM, without leaving work half done."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

AGAIN_SECONDS = 0.1
"""Until what waits is told again to stop."""


class StoppedError(F2bEnrichError):
    """Somebody wanted it to stop."""


class Stop:
    """Whether to stop, and a file that can be read from when so.

    `is_at_once` says that it may stop in the middle of what it does.
    """

    def __init__(self) -> None:
        """Go on until told otherwise."""
        self._reading, self._writing = os.pipe()
        self.is_wanted = False
        self.is_at_once = False

    def fileno(self) -> int:
        """Give what becomes readable."""
        return self._reading

    def want(self) -> None:
        """Stop as soon as nothing is half done."""
        self.is_wanted = True
        os.write(self._writing, b"\0")

    def check(self) -> None:
        """Stop here if it is wanted.

        Raises:
            StoppedError: it is.
        """
        if self.is_wanted:
            raise StoppedError("interrupted")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Stop in the middle of this too, which changes nothing but may wait for ever.

        A read that a signal comes into is begun again (PEP 475), unless the signal's
        handler raises: so for pipes, for files that nobody opens at the other end, and
        for servers.

        Raises:
            StoppedError: it is wanted, before or meanwhile.
        """
        self.is_at_once = True
        try:
            self.check()
            yield
        finally:
            self.is_at_once = False

    def close(self) -> None:
        """Be told nothing more."""
        os.close(self._reading)
        os.close(self._writing)


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Stop at the first signal; a second one does what it always did."""
    stop = Stop()
    numbers = (*_SIGNALS, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.want()
        for each in _SIGNALS:
            signal.signal(each, before[each])
        # One that came just before a read began to wait would be lost on it.
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        again(number, frame)

    def again(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if stop.is_at_once:
            stop.check()

    signal.signal(signal.SIGALRM, again)
    for each in _SIGNALS:
        signal.signal(each, handle)
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
        stop.close()
