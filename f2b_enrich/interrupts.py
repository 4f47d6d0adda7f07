"""Ctrl-C between two steps of a work, not in the midst of one."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until what is done here is counted as well.

    Raises:
        KeyboardInterrupt: it came meanwhile; all was done.
    """
    if current_thread() is not main_thread():  # which alone is interrupted
        yield
        return
    is_wanted = False

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal is_wanted
        is_wanted = True

    # Not by a mask of signals: the kernel would give it to another thread, if there is
    # one, and Python have it handled in this.
    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if is_wanted:
            signal.raise_signal(signal.SIGINT)
