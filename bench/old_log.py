"""A fail2ban.log as long as one likes, the same from the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZONE = ZoneInfo("Europe/Berlin")
BEGUN = datetime(2012, 3, 1, tzinfo=UTC)
MEAN_SECONDS = 30.0
"""Between two lines: ten million are nine and a half years."""

_SAME = 0.7
"""How often what is found is of the address that was found last: most try again."""

_JAILS = ("sshd", "sshd", "sshd", "postfix-sasl", "dovecot", "nginx-botsearch")
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
_KINDS = ("found", "ban", "unban", "already-banned", "prolonged", "other")
_WEIGHTS = (70, 11, 11, 4, 2, 2)
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
    jail, ip = _JAILS[0], _address(chance, 0)
    kinds: list[str] = []
    for number in range(lines):
        kinds = kinds or chance.choices(_KINDS, _WEIGHTS, k=1000)
        kind = kinds.pop()
        at = round(at + chance.random() * 2 * mean_seconds, 3)
        era = number * 4 // lines
        clock = datetime.fromtimestamp(at, ZONE).isoformat(" ", "milliseconds")[:23]
        if kind != "found" or chance.random() > _SAME:
            jail, ip = chance.choice(_JAILS), _address(chance, era)
        said = _said(kind, jail, ip, clock[:19], era=era)
        text = f"{clock.replace('.', ',')} {_head(kind, era)}{said}"
        yield Written(kind=kind, at=at, jail=jail, ip=ip, text=text)


def write(path: Path, lines: int, *, seed: int) -> None:
    """Write such a log to a file."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line in written(lines, seed=seed):
            file.write(line.text)
            file.write("\n")


def _address(chance: random.Random, era: int) -> str:
    if era < 2 or chance.random() < 0.9:  # IPv6 since 0.10
        return f"{chance.choice(_NETWORKS)}.{chance.randrange(256)}"
    return f"2001:db8:{chance.randrange(1, 4096):x}::{chance.randrange(1, 8):x}"


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
