"""What systemd says of the units: whether a socket waits, whether a timer runs."""

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
    units = shown(
        "ActiveState,Listen", _SERVICE, _SOCKET, program=program, booted=booted
    )
    service, socket = units.get(_SERVICE, {}), units.get(_SOCKET, {})
    state = service.get("ActiveState")
    if socket.get("ActiveState") != "active" or state in {"active", "reloading"}:
        return None
    return state if socket.get("Listen") == f"{path} (Stream)" else None


def shown(
    properties: str, *units: str, program: str = "systemctl", booted: Path = _BOOTED
) -> dict[str, dict[str, str]]:
    """Give properties of units by their names; nothing where systemd does not tell."""
    if not booted.is_dir():
        return {}
    asked = ("show", f"--property=Id,{properties}", *units)
    try:
        done = subprocess.run(  # noqa: S603 - no shell, the words are ours
            [program, *asked],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return _units(done.stdout.decode("utf-8", "replace"))


def _units(text: str) -> dict[str, dict[str, str]]:
    """Read `Name=value` lines, an empty one between two units."""
    found = {}
    for block in text.split("\n\n"):
        lines = (line.partition("=") for line in block.splitlines())
        unit = {name: value for name, _, value in lines}
        found[unit.get("Id", "")] = unit
    return found
