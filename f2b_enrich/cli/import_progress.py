"""How far an import is, on a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from f2b_enrich.importing.log_files import log_files
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from click._termui_impl import ProgressBar

_UNITS = ("B", "kB", "MB", "GB")
_MOST_COUNTED = 1_000_000


def size_of(
    paths: Iterable[Path], *, files: Callable[[Path], Iterable[Path]]
) -> int | None:
    """Add up the bytes of files and folders; None where it cannot be known.

    `files` gives those of a path that are read.
    """
    total = 0
    try:
        for path in paths:
            for number, file in enumerate(files(path)):
                if number >= _MOST_COUNTED:
                    return None
                about = file.stat()
                total += about.st_size
    except OSError:
        return None
    return total


def logs_in(path: Path) -> tuple[Path, ...]:
    """Give the logs at a path; of one that cannot be read is told when it is."""
    try:
        return log_files([path])
    except UnreadableError:
        return ()


@contextmanager
def progress(size: int | None, *, label: str) -> Iterator[Callable[[int], None]]:
    """Show a bar with bytes, their rate and the time left; give what moves it."""
    if size is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    begun, done = time.monotonic(), 0
    shown: ProgressBar[int] = click.progressbar(
        length=size,
        label=label,
        file=sys.stderr,
        item_show_func=lambda _: _rate(done, size, time.monotonic() - begun),
    )
    with shown as bar:

        def move(count: int) -> None:
            nonlocal done
            done += count
            bar.update(count, current_item=count)

        yield move


def _rate(done: int, size: int, seconds: float) -> str:
    if done >= size:
        return f"{amount(done)} read, the last is written"
    rate = amount(int(done / max(seconds, 0.1)))
    return f"{amount(done)} of {amount(size)}, {rate}/s"


def amount(count: int) -> str:
    """Write a number of bytes in the unit that suits it."""
    size = float(count)
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
