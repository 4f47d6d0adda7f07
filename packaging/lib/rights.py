"""Give a folder its owner and its rights: rights.py FOLDER MODE [USER:GROUP].

Root does this beside the daemon's user, who may put a link in the place of a folder:
what is opened is what is changed, and a link is not opened. Nor does a set-group-ID bit
of the folder above stay, which chmod would leave.
"""

from __future__ import annotations

import grp
import os
import pwd
import sys


def main(folder: str, mode: str, owner: str = "") -> None:
    """Set them; `mode` is octal, names or numbers own it, and "" leaves the owner."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if owner:
            user, _, group = owner.partition(":")
            os.fchown(opened, _user(user), _group(group))
        os.fchmod(opened, int(mode, 8))
    finally:
        os.close(opened)


def _user(name: str) -> int:
    return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid


def _group(name: str) -> int:
    return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, KeyError) as exc:
        sys.exit(f"install.sh: rights of {sys.argv[1]}: {exc}")
