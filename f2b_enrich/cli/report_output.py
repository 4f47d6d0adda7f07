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

from f2b_enrich.cli.ending import left_when_told_to_end
from f2b_enrich.errors import ReportError
from f2b_enrich.health.check_report import has_extra
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from f2b_enrich.config import Settings

_STANDARD = Path("-")
_SECONDS_BEFORE = 1.5
_CLEAR = "\r\x1b[K"

_BESIDE_STORE = ("-wal", "-shm", "-journal", ".lock", ".daemon")


def check_page(output: Path | None) -> None:
    """See, before anything is counted, that a page can be made and has somewhere to go.

    Raises:
        click.UsageError: it would go to a terminal.
        ReportError: what draws the charts is not installed.
    """
    if output in {None, _STANDARD} and sys.stdout.isatty():
        raise click.UsageError("--format html needs --output FILE")
    if not has_extra():
        raise ReportError(
            "--format html needs Altair and vl-convert: ./install.sh --with report"
        )


def refuse_store(settings: Settings, output: Path | None) -> None:
    """See that what is written does not take the place of the store's files.

    Raises:
        click.UsageError: it would.
    """
    if output is None:
        return
    store = Path(os.path.realpath(settings.store.path))
    # SQLite's log of what is in no store yet, too, whether or not it is there now.
    files = [store.with_name(store.name + end) for end in ("", *_BESIDE_STORE)]
    is_one = os.path.realpath(output) in map(os.path.realpath, files)
    if is_one or (output.exists() and store.exists() and output.samefile(store)):
        raise click.UsageError(f"--output {printable(str(output))} is the store")


def write(text: str, output: Path | None) -> None:
    """Write a report to a file, or to standard output where none is named.

    A file is only its owner's, unless it was there with other rights, which it keeps:
    it tells of addresses and user names.

    Raises:
        OSError: standard output takes no more.
        ReportError: the file cannot be written; what was there stays.
    """
    write_parts((text,), output)


def write_parts(parts: Iterable[str], output: Path | None) -> None:
    """Write what is too long for one text in the same way, part by part.

    Raises:
        OSError: standard output takes no more.
        ReportError: the file cannot be written; what was there stays.
    """
    if output is None or output == _STANDARD:
        for part in parts:
            click.echo(part, nl=False)
        return
    with _told(output):
        if output.exists() and not output.is_file():  # a pipe, /dev/stdout
            with output.open("w", encoding="utf-8") as file:
                file.writelines(parts)
            return
        with (
            _replaced(output) as (handle, _),
            open(handle, "w", encoding="utf-8", closefd=False) as file,
        ):
            file.writelines(parts)


def fill(write_to: Callable[[Path], None], output: Path) -> None:
    """Have a file written by what needs its name.

    Raises:
        ReportError: the file cannot be written; what was there stays.
    """
    with _told(output):
        if output.exists() and not output.is_file():
            raise ReportError(f"{output}: is no file that could be replaced")
        with _replaced(output) as (_, draft):
            write_to(draft)


@contextlib.contextmanager
def _told(output: Path) -> Iterator[None]:
    """Say of what is wrong which file it is about."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as exc:
        # Its own name, if any, is that of a draft, which nobody gave.
        raise ReportError(f"{output}: {exc.strerror or exc}") from exc


@contextlib.contextmanager
def _replaced(output: Path) -> Iterator[tuple[int, Path]]:
    """Give a draft, open and by its name, that takes the place of a file in the end."""
    # A link to itself is an error to `resolve`, of a kind of its own.
    path = Path(os.path.realpath(output))
    with left_when_told_to_end():
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        draft = Path(name)
        try:
            yield handle, draft
            with contextlib.suppress(FileNotFoundError):
                _give_rights(handle, path.stat())
            os.fsync(handle)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)


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
