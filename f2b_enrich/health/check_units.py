"""Whether systemd holds the socket of a daemon that does not run."""

from __future__ import annotations

import subprocess
from pathlib import Path

_BOOTED = Path("/run/systemd/system")
_SERVICE, _SOCKET = "f2b-enrich.service", "f2b-enrich.socket"
_SECONDS = 3.0


def waiting(
    path: Path, *, program: str = "systemctl", booted: Path = _BOOTED
) -> str | None:
    """Give the service's state where connecting to its socket would start it.

    None where it runs, where it is not systemd that listens there, or where systemd
    does not tell.
    """
    if not booted.is_dir():
        return None
    asked = ("show", "--property=Id,ActiveState,Listen", _SERVICE, _SOCKET)
    try:
        done = subprocess.run(  # noqa: S603 - no shell, the words are ours
            [program, *asked],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    units = _units(done.stdout.decode("utf-8", "replace"))
    service, socket = units.get(_SERVICE, {}), units.get(_SOCKET, {})
    state = service.get("ActiveState")
    if socket.get("ActiveState") != "active" or state in {"active", "reloading"}:
        return None
    return state if socket.get("Listen") == f"{path} (Stream)" else None


def _units(text: str) -> dict[str, dict[str, str]]:
    """Read `Name=value` lines, an empty one between two units."""
    found = {}
    for block in text.split("\n\n"):
        lines = (line.partition("=") for line in block.splitlines())
        unit = {name: value for name, _, value in lines}
        found[unit.get("Id", "")] = unit
    return found
