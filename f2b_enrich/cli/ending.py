"""Being told to end in the midst of a file."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, NoReturn

from f2b_enrich.intake.stopping import StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextlib.contextmanager
def left_when_told_to_end() -> Iterator[None]:
    """Leave by an error at SIGTERM or SIGHUP, so that what was begun is removed."""
    before = {
        number: handler
        for number in (signal.SIGTERM, signal.SIGHUP)
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN  # as nohup does
    }

    def leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
        # Once: of a terminal that is closed both the shell and the kernel tell.
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise StoppedError("interrupted")

    for number in before:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
