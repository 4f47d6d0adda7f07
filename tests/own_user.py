"""A daemon that runs as a user of its own, and a member of its group; only numbers.

with Lab(folder, python=str(own_user.python(folder))) as lab:
    own_user.lay_out(lab)
    lab.write_config(geo={"database": ""}, store={"path": str(lab.store)})
    own_user.start(lab)
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from demo.lab import Lab

DAEMON = 64321
"""User and group that no system gives to anybody; nothing is made in /etc/passwd."""

_MEMBER = 64322

AS_DAEMON = (
    *("setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups"),
    "--no-new-privs",
)
AS_MEMBER = (
    *("setpriv", f"--reuid={_MEMBER}", f"--regid={_MEMBER}", f"--groups={DAEMON}"),
    "--no-new-privs",
)
AS_STRANGER = (
    *("setpriv", f"--reuid={_MEMBER}", f"--regid={_MEMBER}", "--clear-groups"),
    "--no-new-privs",
)


def python(folder: Path) -> Path:
    """Make what starts Python as the daemon's user."""
    program = folder / "python-as-daemon"
    words = shlex.join((*AS_DAEMON, sys.executable))
    program.write_text(f'#!/bin/sh\numask 027\nexec {words} "$@"\n')
    program.chmod(0o755)
    return program


def lay_out(lab: Lab) -> None:
    """Give the folders the owners and modes that they have on a server."""
    state = lab.root / "state"
    state.mkdir(exist_ok=True)
    os.chown(state, DAEMON, DAEMON)
    state.chmod(0o750)
    for name in ("spool", "run", "run/spool"):
        os.chown(lab.root / name, 0, DAEMON)
        (lab.root / name).chmod(0o2770)

    lab.store = state / "bans.db"


def start(lab: Lab) -> None:
    """Start the daemon; it must be able to say that it is ready to our socket."""
    before = os.umask(0)
    try:
        lab.start_daemon()
    finally:
        os.umask(before)
