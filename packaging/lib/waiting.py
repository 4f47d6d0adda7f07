"""Move the bans that wait in one spool to another: waiting.py FROM TO.

Root does this where the daemon's user can write: no path is looked up twice, and
nothing but a plain file that has this one name is taken.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from contextlib import suppress

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def main(source: str, target: str) -> None:
    """Move each; what a run that was killed has moved is overwritten with the same."""
    from_folder, to_folder = os.open(source, _FOLDER), os.open(target, _FOLDER)
    for name in sorted(os.listdir(from_folder)):  # noqa: PTH208
        if name.endswith(".ban") and _copied(name, from_folder, to_folder):
            os.unlink(name, dir_fd=from_folder)


def _copied(name: str, from_folder: int, to_folder: int) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        ban = os.open(name, flags, dir_fd=from_folder)
    except OSError:
        return False  # a link, or whatever else is no ban
    try:
        about = os.fstat(ban)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
            return False
        return _copied_by(about.st_uid, ban, name, to_folder)
    finally:
        os.close(ban)


def _copied_by(user: int, ban: int, name: str, to_folder: int) -> bool:
    part = f"{name}.part"  # which the daemon does not take
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=to_folder)  # of a run that was killed
    new = os.open(part, _NEW, 0o600, dir_fd=to_folder)
    try:
        with os.fdopen(new, "wb") as copy, os.fdopen(ban, "rb", closefd=False) as left:
            # The daemon asks who left it.
            os.fchown(new, user, os.fstat(to_folder).st_gid)
            os.fchmod(new, 0o640)
            shutil.copyfileobj(left, copy)
            copy.flush()
            os.fsync(new)
        # One of that name is the same ban: its name is its time and its client.
        os.rename(part, name, src_dir_fd=to_folder, dst_dir_fd=to_folder)
    except OSError:
        os.unlink(part, dir_fd=to_folder)
        raise
    return True


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as exc:
        sys.exit(f"install.sh: {sys.argv[1]}: {exc}")
