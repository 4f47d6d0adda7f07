"""Standard input, read as a file is."""

from __future__ import annotations

import fcntl
import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from f2b_enrich.importing.opening import opened_stream
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.importing.opening import Source

NAME = "standard input"
_NUMBER = 0


@contextmanager
def opened_standard_input() -> Iterator[Source]:
    """Open it; it stays open for others.

    Raises:
        UnreadableError: it is closed, or cannot be unpacked.
    """
    try:
        mode = fcntl.fcntl(_NUMBER, fcntl.F_GETFL) & os.O_ACCMODE
        file = io.FileIO(_NUMBER, closefd=False)
    except OSError as exc:
        raise UnreadableError(f"{NAME}: {exc.strerror}") from exc
    if mode == os.O_WRONLY:  # what stands in for one that is closed
        raise UnreadableError(f"{NAME} is closed")
    with file, opened_stream(file, name=NAME) as source:
        yield source
