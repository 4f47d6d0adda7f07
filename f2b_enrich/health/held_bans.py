"""The bans that a running fail2ban holds, and where it keeps its database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health.fail2ban import RefusedError

if TYPE_CHECKING:
    from f2b_enrich.health.fail2ban import Fail2Ban

IN_MEMORY = ":memory:"

_FILE = re.compile(r"^`- (?P<path>.+)$", re.MULTILINE)
_DISABLED = "disabled"

# As fail2ban writes a ticket (1.0.2, server/banmanager.py, getBanList).
_HELD = re.compile(
    r"^(?P<ip>.+?) \t(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \+ (?P<seconds>-?\d+) = "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBan:
    """A ban that is in place, by the address as fail2ban writes it.

    `at` is the Unix time of the failure, its fraction cut off: two of them where that
    hour of local time comes twice.
    """

    ip: str
    at: tuple[int, ...]
    bantime_seconds: int

    def began(self, failed_at: int) -> bool:
        """Tell whether it is the ban of that failure, whose time was rounded."""
        return any(0 <= failed_at - at <= 1 for at in self.at)


def database_of(fail2ban: Fail2Ban) -> Path | None:
    """Tell where the server keeps its database, None where it has no file.

    Raises:
        RefusedError: it does not say.
    """
    answer = fail2ban.send("get", "dbfile")
    found = _FILE.search(answer)
    if found is not None:
        return None if found["path"] == IN_MEMORY else Path(found["path"])
    if _DISABLED in answer:
        return None
    raise RefusedError("get dbfile", "it names no file")


def held_bans(fail2ban: Fail2Ban, jail: str) -> tuple[HeldBan, ...]:
    """List the bans that a running jail holds.

    Raises:
        RefusedError: there is no such jail, or this fail2ban does not tell times.
    """
    answer = fail2ban.send("get", jail, "banip", "--with-time")
    return tuple(map(_held, filter(str.strip, answer.splitlines())))


def _held(line: str) -> HeldBan:
    found = _HELD.match(line)
    if found is None:
        raise RefusedError("get banip --with-time", "it names a ban without its time")
    local = datetime.fromisoformat(found["at"])
    both = {int(local.replace(fold=fold).timestamp()) for fold in (0, 1)}
    return HeldBan(
        ip=found["ip"],
        at=tuple(sorted(both)),
        bantime_seconds=int(found["seconds"]),
    )
