"""Whose process the daemon is, and what the kernel lets it do."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from f2b_enrich.health.locks import holders

PROC = Path("/proc")
USER = "f2b-enrich"
"""Who the daemon is where an installation made a user for it."""

READ, WRITE, SEARCH = 4, 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user and the groups that count for it, by number."""

    user: int
    groups: frozenset[int]

    @property
    def name(self) -> str:
        """Give what chown takes."""
        try:
            return pwd.getpwuid(self.user).pw_name
        except KeyError:
            return str(self.user)

    def may(self, found: os.stat_result, wanted: int) -> bool:
        """Tell whether the mode gives it all of READ, WRITE and SEARCH that is wanted.

        Root is held to what the owner may.
        """
        bits = found.st_mode
        if self.user in {0, found.st_uid}:
            bits >>= 6
        elif found.st_gid in self.groups:
            bits >>= 3
        return bits & wanted == wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The daemon at work; `gains` lets programs that it starts have more rights."""

    account: Account
    gains: bool


def holder(lock: Path, *, proc: Path = PROC) -> Process | None:
    """Find the process that holds the daemon's lock; None where none is seen."""
    try:
        processes = holders(lock.stat().st_ino, proc / "locks")
    except (OSError, ValueError):
        return None
    # Another file may have that number on another disk: the name decides.
    found = (_process(proc / process) for process in processes)
    return next(filter(None, found), None)


def installed() -> Account | None:
    """Give the account that an installation made; None where there is none."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return None
    groups = os.getgrouplist(USER, entry.pw_gid)
    return Account(user=entry.pw_uid, groups=frozenset(groups))


def _process(folder: Path) -> Process | None:
    try:
        if b"f2b" not in (folder / "cmdline").read_bytes():
            return None
        text = (folder / "status").read_text("utf-8", "replace")
        facts = dict(
            line.split(":\t", 1) for line in text.splitlines() if ":\t" in line
        )
        # Real, effective, saved, and for files.
        groups = {int(facts["Gid"].split()[3]), *map(int, facts["Groups"].split())}
        account = Account(user=int(facts["Uid"].split()[3]), groups=frozenset(groups))
    except (OSError, ValueError, KeyError, IndexError):
        return None
    return Process(account=account, gains=facts.get("NoNewPrivs", "0") == "0")
