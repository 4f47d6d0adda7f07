"""The time zone of the machine that wrote a log."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from datetime import tzinfo

_LOCAL = Path("/etc/localtime")
_DATABASE = "/zoneinfo/"
_VERSIONS = ("posix/", "right/")

_LONGEST_RULE = 60
"""Characters."""

_FIRST_YEAR, _LAST_YEAR = 2005, 2037
"""Those of the logs there are, and as long as zones are written down for."""


class ZoneError(F2bEnrichError):
    """A time zone that nobody knows."""


def zone_of(name: str | None) -> tzinfo:
    """Give the zone of that name, None is this machine's.

    Raises:
        ZoneError: there is none of that name.
    """
    if name is not None:
        return _named(name, f"no time zone is called {_shown(name)}, expected a name")
    name = _named_by_machine()
    if name is not None and not name.startswith("/"):
        # What else POSIX allows there, CET-1CEST,M3.5.0,M10.5.0/3 say, has no name.
        what = f"TZ in the environment is {_shown(name)}, which names no time zone"
        return _named(name, f"{what}; give --timezone a name")
    try:
        with (Path(name) if name else _LOCAL).open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


def zone_name(name: str | None) -> str:
    """Give what a zone is called, None is this machine's.

    One that lies there without its name is called by the rule that its file ends with.
    """
    name = _named_by_machine() if name is None else name
    if name is not None and not name.startswith("/"):
        return name
    file = (Path(name) if name else _LOCAL).resolve()
    _, in_database, known = str(file).rpartition(_DATABASE)
    if in_database:
        for version in _VERSIONS:
            known = known.removeprefix(version)
        return known
    try:
        rule = file.read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
    except OSError:
        return "UTC"
    return printable(rule.decode("utf-8", "replace"))[:_LONGEST_RULE]


def is_same_zone(name: str, other: str) -> bool:
    """Tell whether clocks show the same in both zones, however they are called."""
    if name == other:
        return True
    try:
        one, two = _named(name, name), _named(other, other)
    except ZoneError:
        return False
    noon = datetime(_FIRST_YEAR, 1, 1, 12, tzinfo=UTC)
    days = (datetime(_LAST_YEAR, 1, 1, tzinfo=UTC) - noon).days
    dates = (noon + timedelta(days=day) for day in range(days))
    return all(_ahead(at, one) == _ahead(at, two) for at in dates)


def _ahead(at: datetime, zone: tzinfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _named_by_machine() -> str | None:
    """Give what the environment names: a zone, or the path of a file; else None."""
    return os.environ.get("TZ", "").removeprefix(":") or None


def _shown(name: str) -> str:
    return f"{printable(name):.100}" if name.strip() else f'"{name:.100}"'


def _named(name: str, fault: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what is not found is a KeyError
        raise ZoneError(f"{fault} such as Europe/Berlin or UTC") from None
