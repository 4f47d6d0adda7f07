"""How a jail hands over: the program and the paths that our action was told there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

_EVENT = "EVENT=ban"
_PATHS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """What a jail runs for a ban: a Python with its options, and three paths."""

    python: tuple[str, ...]
    client: Path
    socket: Path
    spool: Path


STOCK = Handing(
    python=("/usr/bin/python3", "-I", "-S"),
    client=Path("/usr/local/lib/f2b-enrich/client.py"),
    socket=Path("/run/f2b-enrich/f2b-enrich.sock"),
    spool=Path("/var/spool/f2b-enrich"),
)
"""What action.d/f2b-enrich.conf says."""


def handing_of(actionban: str) -> Handing | None:
    """Read `exec PYTHON... "CLIENT" "SOCKET" "SPOOL" EVENT=ban ...`; None if it is not.

    An administrator may have put anything there.
    """
    try:
        words = shlex.split(actionban)
    except ValueError:
        return None
    if words[:1] == ["exec"]:
        del words[0]
    if _EVENT not in words:
        return None
    head = words[: words.index(_EVENT)]
    if len(head) <= _PATHS:
        return None
    client, socket, spool = map(Path, head[-_PATHS:])
    python = tuple(head[:-_PATHS])
    return Handing(python=python, client=client, socket=socket, spool=spool)
