"""The bans that a running fail2ban holds, and where it keeps its database."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health.check_fail2ban import answers_to
from f2b_enrich.health.fail2ban import RefusedError
from f2b_enrich.importing.fail2ban_rows import MAX_NAME
from f2b_enrich.inert import without_nul

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.health.fail2ban import Fail2Ban

IN_MEMORY = ":memory:"

_FILE = re.compile(r"^`- (?P<path>.+)$", re.MULTILINE)
_DISABLED = "disabled"

# As fail2ban writes a ticket (1.0.2, server/banmanager.py, getBanList). What it bans
# may be any text of a log line, one that looks like the rest among it: so the last of
# what could be the rest is.
_HELD = re.compile(
    r"(?P<ip>.+) \t(?P<minute>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2})"
    r":(?P<second>[0-5][0-9]) \+ (?P<bantime>-?[0-9]{1,12})"
    r" = [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
    re.DOTALL,
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

    def earlier(self, seconds: int) -> HeldBan:
        """Put its time back."""
        return replace(self, at=tuple(at - seconds for at in self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldList:
    """What a jail holds; `unread` are lines that tell of no ban one could name."""

    bans: tuple[HeldBan, ...] = ()
    unread: int = 0


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


def held_bans(fail2ban: Fail2Ban, jails: Sequence[str]) -> dict[str, HeldList]:
    """List the bans that running jails hold, asked by one program.

    A jail that is gone meanwhile, or a fail2ban that does not tell times, has lines
    that are not read.
    """
    questions = [("get", jail, "banip", "--with-time") for jail in jails]
    answers = answers_to(fail2ban, questions)
    minutes: dict[str, tuple[int, ...]] = {}
    return {
        jail: _listed(answer, minutes)
        for jail, answer in zip(jails, answers, strict=True)
    }


def _listed(answer: str, minutes: dict[str, tuple[int, ...]]) -> HeldList:
    # Not splitlines: what is banned may hold what that takes for the end of a line.
    lines = [line for line in answer.split("\n") if line.strip()]
    found = [_held(line, minutes) for line in lines]
    bans = tuple(ban for ban in found if ban is not None)
    return HeldList(bans=bans, unread=len(found) - len(bans))


def _held(line: str, minutes: dict[str, tuple[int, ...]]) -> HeldBan | None:
    """Read a line; `minutes` keeps what each minute of local time is in Unix time."""
    found = _HELD.fullmatch(line)
    if found is None or len(found["ip"].encode()) > MAX_NAME:
        return None
    minute = found["minute"]
    try:
        begun = minutes[minute] if minute in minutes else _unix_times(minute)
    except (ValueError, OverflowError, OSError):  # no such day, or none to count from
        return None
    minutes[minute] = begun
    second = int(found["second"])
    return HeldBan(
        ip=without_nul(found["ip"]),
        at=tuple(at + second for at in begun),
        bantime_seconds=int(found["bantime"]),
    )


def _unix_times(minute: str) -> tuple[int, ...]:
    local = datetime.fromisoformat(minute)
    return tuple(sorted({int(local.replace(fold=fold).timestamp()) for fold in (0, 1)}))
