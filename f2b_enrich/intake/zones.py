"""The time zone of the machine that wrote a log."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from datetime import tzinfo

_LOCAL = Path("/etc/localtime")


class ZoneError(F2bEnrichError):
    """A time zone that nobody knows."""


def zone_of(name: str | None) -> tzinfo:
    """Give the zone of that name, None is this machine's.

    Raises:
        ZoneError: there is none of that name.
    """
    if name is not None:
        return _named(name)
    name = os.environ.get("TZ", "").removeprefix(":")
    if name and not name.startswith("/"):
        return _named(name)
    try:
        with (Path(name) if name else _LOCAL).open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


def _named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what is not found is a KeyError
        raise ZoneError(
            f"no time zone is called {printable(name):.100}, expected a name such as "
            "Europe/Berlin or UTC"
        ) from None
