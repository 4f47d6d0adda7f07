"""Ctrl-C between two steps of a work, not in the midst of one."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CTRL_C = {signal.SIGINT}


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until what is done here is counted as well.

    It holds for this thread, so only where there is no other.

    Raises:
        KeyboardInterrupt: it came meanwhile; all was done.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
