"""Where a report goes: to standard output, or into a file that is whole at once."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD = Path("-")
_SECONDS_BEFORE = 1.5
_CLEAR = "\r\x1b[K"


def write(text: str, output: Path | None) -> None:
    """Write a report to a file, or to standard output where none is named.

    A file is only its owner's, unless it was there with other rights, which it keeps:
    it tells of addresses and user names.

    Raises:
        OSError: standard output takes no more.
        ReportError: the file cannot be written; what was there stays.
    """
    if output is None or output == _STANDARD:
        click.echo(text, nl=False)
        return
    try:
        if output.exists() and not output.is_file():  # a pipe, /dev/stdout
            with output.open("w", encoding="utf-8") as file:
                file.write(text)
        else:
            # A link to itself is an error to `resolve`, of a kind of its own.
            _replace(Path(os.path.realpath(output)), text)
    except BrokenPipeError:
        raise
    except OSError as exc:
        # Its own name, if any, is that of a draft, which nobody gave.
        raise ReportError(f"{output}: {exc.strerror or exc}") from exc


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
            file.flush()
            with contextlib.suppress(FileNotFoundError):
                _give_rights(handle, path.stat())
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _give_rights(handle: int, there: os.stat_result) -> None:
    """Make a file as readable as the one that was there, and no more.

    Only root can give a file away, and others only to a group of theirs; a group that
    is another one may do what everybody may.
    """
    mode = stat.S_IMODE(there.st_mode)
    try:
        os.fchown(handle, there.st_uid, there.st_gid)
    except OSError:
        try:
            os.fchown(handle, -1, there.st_gid)
        except OSError:
            mode = mode & ~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3
    os.fchmod(handle, mode)


@contextlib.contextmanager
def patience(text: str) -> Iterator[None]:
    """Say on a terminal what takes so long, once it does, and take that away again."""
    if not sys.stderr.isatty():
        yield
        return
    was_told = threading.Event()

    def tell() -> None:
        was_told.set()
        click.echo(text, err=True, nl=False)

    timer = threading.Timer(_SECONDS_BEFORE, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if was_told.is_set():
            click.echo(_CLEAR, err=True, nl=False)
