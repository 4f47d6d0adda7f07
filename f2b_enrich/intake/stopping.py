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


class StoppedError(F2bEnrichError):
    """Somebody wanted it to stop."""


class Stop:
    """Whether to stop, and a file that can be read from when so."""

    def __init__(self) -> None:
        """Go on until told otherwise."""
        self._reading, self._writing = os.pipe()
        self.is_wanted = False

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

    def close(self) -> None:
        """Be told nothing more."""
        os.close(self._reading)
        os.close(self._writing)


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Stop at the first signal; a second one does what it always did."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.want()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.close()
