"""A fail2ban.log as long as one likes, the same from the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from ipaddress import IPv4Address
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZONE = ZoneInfo("Europe/Berlin")
BEGUN = datetime(2012, 3, 1, tzinfo=UTC)
MEAN_SECONDS = 30.0
"""Between two lines: ten million are nine and a half years."""

_FOUND = (3, 7)
"""Lines about what an address did before it is banned."""

_BANTIMES = (600, 600, 3600)
_OFTEN = {"already-banned": 0.3, "prolonged": 0.1, "other": 0.2}
"""How often a ban comes with a line like that."""

_JAILS = ("sshd", "sshd", "sshd", "postfix-sasl", "dovecot", "nginx-botsearch")
_NETWORK = 198 << 24 | 18 << 16
_ADDRESSES = 1 << 17
"""198.18.0.0/15 is for measuring (RFC 2544): nine bans an address in ten million lines,
some of IPv6, that have come once, besides."""

_FOREVER = "permanent -> infinite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One line, and what is true of it; `at` is Unix time, to the millisecond."""

    kind: str
    at: float
    jail: str
    ip: str
    text: str


def written(
    lines: int, *, seed: int, mean_seconds: float = MEAN_SECONDS
) -> Iterator[Written]:
    """Yield the lines of a log in their order: 0.8 first, 0.9 and 1.0 later."""
    chance = random.Random(seed)  # noqa: S311 - the same log from the same seed
    at = BEGUN.timestamp()
    coming: list[tuple[str, str, str]] = []
    ends: list[tuple[float, str, str]] = []
    for number in range(lines):
        at = round(at + chance.random() * 2 * mean_seconds, 3)
        era = number * 4 // lines
        if ends and ends[0][0] <= at:
            kind, (_, jail, ip) = "unban", heappop(ends)
        else:
            coming = coming or _attack(chance, era)
            kind, jail, ip = coming.pop()
        if kind == "ban":
            heappush(ends, (at + chance.choice(_BANTIMES), jail, ip))
        clock = datetime.fromtimestamp(at, ZONE).isoformat(" ", "milliseconds")[:23]
        said = _said(kind, jail, ip, clock[:19], era=era)
        text = f"{clock.replace('.', ',')} {_head(kind, era)}{said}"
        yield Written(kind=kind, at=at, jail=jail, ip=ip, text=text)


def _attack(chance: random.Random, era: int) -> list[tuple[str, str, str]]:
    """Give the kinds of lines about an address, the last first."""
    jail, ip = chance.choice(_JAILS), _address(chance, era)
    said = ["found"] * chance.randint(*_FOUND)
    said += [
        "ban",
        *(kind for kind, often in _OFTEN.items() if chance.random() < often),
    ]
    return [(kind, jail, ip) for kind in reversed(said)]


def write(path: Path, lines: int, *, seed: int) -> None:
    """Write such a log to a file."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line in written(lines, seed=seed):
            file.write(line.text)
            file.write("\n")


def _address(chance: random.Random, era: int) -> str:
    if era < 2 or chance.random() < 0.9:  # IPv6 since 0.10
        return str(IPv4Address(_NETWORK + chance.randrange(_ADDRESSES)))
    return f"2001:db8:{chance.randrange(1, 65536):x}::{chance.randrange(1, 8):x}"


def _head(kind: str, era: int) -> str:
    logger = "fail2ban.filter" if kind in {"found", "other"} else "fail2ban.actions"
    level = "INFO" if kind in {"found", "other"} else "NOTICE"
    if era == 0:
        return f"{logger:<16}: {level.replace('NOTICE', 'WARNING'):<6} "
    return f"{logger:<24}[{9000 + era}]: {level:<7} "


def _said(kind: str, jail: str, ip: str, second: str, *, era: int) -> str:
    match kind:
        case "found":
            happened = f" - {second}" if era > 1 else ""
            return f"[{jail}] Found {ip}{happened}"
        case "ban" | "unban":
            return f"[{jail}] {kind.title()} {ip}"
        case "already-banned":
            return f"[{jail}] {ip} already banned"
        case "prolonged":
            return f"[{jail}] Increase Ban {ip} (3 # {_FOREVER})"
        case _:
            return f"[{jail}] Added a journal match"
