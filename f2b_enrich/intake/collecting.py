"""Python's search for garbage in circles, which millions of records only delay."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_THRESHOLDS = 20_000, 20, 100
"""Objects made before the youngest are looked at, and how many of those looks before
older ones are: records hold no circles, and what a mail is taken apart into few."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look seldom, and never at what is there already: a fifth less time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
