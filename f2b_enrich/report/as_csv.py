"""A report as a folder of CSV files, all of one report."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.errors import ReportError
from f2b_enrich.report.csv_tables import TABLES
from f2b_enrich.tables import csv_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from f2b_enrich.report.figures import Figures

_FIRST = "report"
_BEGINNING = b"name,value\nversion,"
_DRAFTS = ".report-"
"""Begins the name of a folder within the folder, where the files are written first."""


def write(figures: Figures, folder: Path) -> list[Path]:
    """Write the files, which only their owner may read, and give their paths.

    The folder is new, empty, or holds an earlier report and nothing else; that report
    is replaced when all of this one is on the disk, `report.csv` last.

    Raises:
        ReportError: the folder holds something else, or cannot be written.
    """
    try:
        is_new = _made(folder)
        if not is_new:
            _refuse_others(folder)
        try:
            return _fill(folder, figures)
        except OSError:
            if is_new:
                folder.rmdir()
            raise
    except OSError as exc:
        raise ReportError(f"{folder}: {exc.strerror or exc}") from exc


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _refuse_others(folder: Path) -> None:
    """Make sure that nothing in a folder is lost but an earlier report."""
    here = [name for name in os.listdir(folder) if not name.startswith(_DRAFTS)]  # noqa: PTH208
    ours = {_file(name) for name in TABLES}
    others = sorted(name for name in here if name not in ours)
    first = folder / _file(_FIRST)
    if here and not others:
        is_report = first.is_file() and _begins_as_report(first)
        others = [] if is_report else sorted(here)
    if others:
        raise ReportError(
            f"{folder}: holds {others[0]!a}, which is of no report; "
            "name a new or an empty folder"
        )


def _begins_as_report(first: Path) -> bool:
    with first.open("rb") as file:
        return file.read(len(_BEGINNING)) == _BEGINNING


def _fill(folder: Path, figures: Figures) -> list[Path]:
    with _alone(folder):
        _drop_drafts(folder)
        return _replaced(folder, figures)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for whoever else writes a report there, who may not lose the drafts."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a disk over the network may have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _drop_drafts(folder: Path) -> None:
    """Remove what a run that was killed has left, and nothing else."""
    ours = {_file(name) for name in TABLES}
    for drafts in folder.glob(f"{_DRAFTS}*"):
        with contextlib.suppress(OSError):
            if not drafts.is_symlink() and set(os.listdir(drafts)) <= ours:  # noqa: PTH208
                shutil.rmtree(drafts)


def _replaced(folder: Path, figures: Figures) -> list[Path]:
    # On the same disk, whatever is mounted; a full disk is met before anything is lost.
    with tempfile.TemporaryDirectory(dir=folder, prefix=_DRAFTS) as drafts:
        for name, table in TABLES.items():
            _write(
                Path(drafts) / _file(name),
                csv_lines(table.columns, table.rows(figures)),
            )
        names = [name for name in TABLES if name != _FIRST]
        for name in (*names, _FIRST):
            (Path(drafts) / _file(name)).replace(folder / _file(name))
    return [folder / _file(name) for name in TABLES]


def _file(name: str) -> str:
    return f"{name}.csv"


def _write(path: Path, lines: Iterable[str]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
