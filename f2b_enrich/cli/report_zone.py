"""The time zone of a report, with the name that it is told by."""

from __future__ import annotations

import io
import os
from pathlib import Path
from zoneinfo import ZoneInfo

from f2b_enrich.inert import printable

_LOCAL = Path("/etc/localtime")
_FOLDER = "zoneinfo"

_LARGEST = 1_000_000
"""Bytes; what is larger is no zone's file, and may have no end."""

_LONGEST_RULE = 60
"""Characters."""

_WITHOUT_RULE = b"\0"
"""The first version of such files, by their fifth byte."""

_UTC = (
    b"TZif" + bytes(16 + 16) + (1).to_bytes(4) + (4).to_bytes(4) + bytes(6) + b"UTC\0"
)
"""A file of a zone without changes (RFC 9636), for machines that have none."""


def zone_called(name: str) -> ZoneInfo:
    """Give the zone of that name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what is not found is a KeyError
        if name.upper() == "UTC":
            return ZoneInfo.from_file(io.BytesIO(_UTC), key="UTC")
        raise ValueError(
            f"no time zone is called {printable(name):.100}, expected a name such as "
            "Europe/Berlin or UTC"
        ) from None


def local_zone(local: Path = _LOCAL) -> ZoneInfo:
    """Give this machine's zone, as `TZ` or the link of /etc names it.

    One that lies there without its name is called by the rule that its file ends with,
    `CET-1CEST,M3.5.0,M10.5.0/3`, or else by its path; where there is none it is UTC.

    Raises:
        ValueError: `TZ` names one that there is not.
    """
    name = os.environ.get("TZ", "").removeprefix(":")
    if name and not name.startswith("/"):
        return zone_called(name)
    path = Path(name) if name else local
    try:
        parts = path.resolve().parts
        if _FOLDER in parts:
            inside = parts[len(parts) - parts[::-1].index(_FOLDER) :]
            return ZoneInfo("/".join(inside))
        with path.open("rb") as file:
            content = file.read(_LARGEST)
        return ZoneInfo.from_file(io.BytesIO(content), key=_rule(content) or str(path))
    except (KeyError, ValueError, OSError):
        return zone_called("UTC")


def _rule(content: bytes) -> str:
    """Give the last line of a zone's file (RFC 9636), which may be empty."""
    if content[4:5] == _WITHOUT_RULE:
        return ""
    rule = content.rstrip(b"\n").rpartition(b"\n")[2]
    return printable(rule.decode("utf-8", "replace"))[:_LONGEST_RULE]
