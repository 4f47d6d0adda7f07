"""Log lines from a file or a pipe, as soon as they arrive."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.inert import without_nul
from f2b_enrich.store.lines import MAX_LINE, kept

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

STANDARD_INPUT = "-"

_AT_ONCE = 64 * 1024
_BEGINNING = MAX_LINE + 1
"""How many bytes of a line are looked at: one more shows that there were more."""


class InputError(F2bEnrichError):
    """A file of log lines, or of rules that are tried, cannot be read."""


@contextlib.contextmanager
def opened(name: str) -> Iterator[io.BufferedReader]:
    """Open a file of log lines, `-` for the standard input.

    Raises:
        InputError: it is not there or cannot be read.
    """
    if name == STANDARD_INPUT:
        # A second reader, so that it shows what is there without waiting for more.
        with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
            yield stream
        return
    with contextlib.ExitStack() as stack:
        with errors_of(name):
            stream = stack.enter_context(Path(name).open("rb"))
        yield stream


def arrivals(stream: io.BufferedReader, *, name: str) -> Iterator[tuple[str, ...]]:
    """Give lines as a ban would keep them, those together that arrived together.

    However long a line is, only its beginning is held.

    Raises:
        InputError: the file, called `name`, cannot be read.
    """
    begun = b""
    while chunk := _read(stream, name):
        first, *others = chunk.split(b"\n")
        pieces = [begun + first, *others]
        begun = pieces.pop()[:_BEGINNING]
        yield tuple(map(_as_kept, pieces))
    if begun:
        yield (_as_kept(begun),)


def _read(stream: io.BufferedReader, name: str) -> bytes:
    with errors_of(name):
        return stream.read1(_AT_ONCE)


def _as_kept(raw: bytes) -> str:
    # Fail2Ban takes the same from the end of a line.
    text = raw[:_BEGINNING].rstrip(b"\r").decode("utf-8", "replace")
    ((_, line),) = kept((without_nul(text),))
    return line


@contextlib.contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Name the file that cannot be read.

    Raises:
        InputError: in place of what hinders it.
    """
    try:
        yield
    except UnicodeDecodeError as exc:
        raise InputError(f"{name}: {exc}") from exc
    except OSError as exc:
        raise InputError(f"{name}: {exc.strerror}") from exc
