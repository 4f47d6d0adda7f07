"""fail2ban's configuration as it would be with other files of ours, tried aside."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import OURS, configured
from f2b_enrich.health.fail2ban import Fail2BanError, RefusedError, parse_dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from f2b_enrich.health.fail2ban import Command, Fail2Ban

JAIL_FILE = f"jail.d/{OURS}.conf"
ACTION_FILE = f"action.d/{OURS}.conf"
MODULE_FILE = f"action.d/{OURS}.py"

ONLY_THE_NAME = "[DEFAULT]\naction_f2b_enrich =\n"
"""Our jail.d file with no say in what a jail does; who names us in one still may."""

_FOLDERS = ("action.d", "jail.d")
_STARTS = tuple(f"{name}/" for name in _FOLDERS)


@contextlib.contextmanager
def tried(etc: Path, changes: Mapping[str, str | Path | None]) -> Iterator[Path]:
    """Give a folder that reads like `etc` but for some files; nothing is copied.

    `changes` maps names such as jail.d/x.conf to a text, a file, or None for no file.

    Raises:
        Fail2BanError: `etc` cannot be read.
        ValueError: a change lies in a folder that is not ours to change.
    """
    for relative in changes:
        # The other folders are links: what is written there is written for real.
        if relative.count("/") != 1 or not relative.startswith(_STARTS):
            raise ValueError(f"{relative} is neither in action.d nor in jail.d")
    # Links, for other files may hold passwords; fail2ban follows them.
    with tempfile.TemporaryDirectory(prefix="f2b-enrich-") as name:
        folder = Path(name)
        try:
            _link(etc.absolute(), folder, set(changes))
        except OSError as exc:
            raise Fail2BanError(f"{exc.filename}: {exc.strerror}") from exc
        for relative, change in changes.items():
            if isinstance(change, str):
                (folder / relative).write_text(change)
            elif change is not None:
                (folder / relative).symlink_to(change.absolute())
        yield folder


def _link(etc: Path, folder: Path, changed: set[str]) -> None:
    for entry in etc.iterdir():
        if entry.name not in _FOLDERS:
            (folder / entry.name).symlink_to(entry)
    for name in _FOLDERS:
        (folder / name).mkdir()
        with contextlib.suppress(FileNotFoundError):
            for entry in (etc / name).iterdir():
                if f"{name}/{entry.name}" not in changed:
                    (folder / name / entry.name).symlink_to(entry)


def dump(
    fail2ban: Fail2Ban, etc: Path, changes: Mapping[str, str | Path | None]
) -> tuple[Command, ...]:
    """Read what the configuration in `etc` would mean with those changes.

    Raises:
        Fail2BanError: it would mean nothing.
    """
    with tried(etc, changes) as folder:
        told = fail2ban.send("-c", str(folder), "-d")
    # Both dumps of a comparison speak of the same folder.
    return parse_dump(told.replace(str(folder), str(etc.absolute())))


def mistakes_without(
    fail2ban: Fail2Ban, etc: Path, files: Iterable[str]
) -> tuple[str, ...]:
    """Tell why fail2ban would not start without some files, and does with them.

    What is wrong already is none of it.

    Raises:
        Fail2BanError: fail2ban does not answer.
    """
    try:
        known = set(configured(dump(fail2ban, etc, {})).mistakes)
    except RefusedError:
        return ()  # it does not start as it is
    try:
        left = configured(dump(fail2ban, etc, dict.fromkeys(files)))
    except RefusedError as exc:
        return (exc.reason,)
    return tuple(each for each in left.mistakes if each not in known)
