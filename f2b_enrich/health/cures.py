"""The commands that mend what `check` found, as root pastes them into a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from pathlib import Path

# A socket unit that is up does not make a lost socket anew, and units that were given
# up do not start: so both, from the beginning.
RESTART = (
    "systemctl reset-failed f2b-enrich f2b-enrich.socket; "
    "systemctl restart f2b-enrich.socket f2b-enrich"
)
STOP = "systemctl stop f2b-enrich.socket f2b-enrich"
"""With the socket: else the next ban starts the daemon again."""

MOVE = (
    "which needs ReadWritePaths= in a drop-in of the unit (docs/how-to/"
    "troubleshooting.md)"
)


def command(*words: str | Path) -> str:
    """Write a command so that each word stays one: some come from log lines."""
    return shlex.join(printable(str(word)) for word in words)
