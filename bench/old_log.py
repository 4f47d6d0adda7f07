"""A fail2ban.log as long as one likes, the same from the same seed.

Its lines are in the proportions of real logs that people have published. Of ten lines

- three are of release 0.8, as in a log of 2016 (1,466 lines): half `Ban`, half `Unban`,
  nothing that was found. The same 56 addresses come again and again, 1 to 218 times in
  six days, 13 times in the mean.
- six are of 0.9 to 0.11, as in three logs of 2018 and 2019 (3,049 lines): 18 `Found`
  lines a ban. Two in three of them are about addresses that are never banned, nearly
  all of which come once a day; those that are banned are found six times before. One
  ban in six is seen to end.
- one is of 1.0, as in a run of that release (176 lines): of 32 bans each, 57 `Found`,
  32 `Unban`, 20 `already banned`, and 35 other lines.

So ten million lines tell of 2.0 million bans and 1.7 million unbans, and of what was
found 2.8 million counts by address and day. Of harder things there is more than in
those logs: addresses are drawn from so few that nearly every one comes back after
months, and one ban of 1.0 in a hundred is prolonged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    _Event: TypeAlias = tuple[str, str, str]

ZONE = ZoneInfo("Europe/Berlin")
BEGUN = datetime(2012, 3, 1, tzinfo=UTC)
MEAN_SECONDS = 30.0
"""Between two lines: ten million are nine and a half years."""

_FIRST_FOUND, _FIRST_TIMED, _FIRST_RUN = 3, 6, 9
"""Tenths of the lines from which on it is 0.9, 0.10 (which tells when it was what it
found), and 1.0."""

_BANS = (
    *(218, 98, 67, 25, 24, 22, 21, 20, 20, 20, 19, 19, 18, 18, 16, 14, 13, 11, 10),
    *(5, 5, 3, 3, 3, *(2,) * 8, *(1,) * 24),
)
"""Of each address in 2016; as many are about at any time."""

_BANTIME = 600

_VISITS = 155, 1166
"""Of 2018 and 2019: bans, and addresses that a day saw and that were not banned."""

_SEEN = {1: 1027, 2: 66, 3: 18, 4: 22, 5: 2, 7: 5, 8: 7, 12: 6, 20: 10, 66: 3}
"""How many of the latter were found so often in their day."""

_FOUND = {3: 4, 5: 59, 6: 52, 7: 14, 8: 27, 10: 3}
"""How many bans came after so many finds."""

_UNBANNED = 27 / 155

_RUN = {"found": 57 / 32, "already-banned": 20 / 32, "other": 35 / 32}
"""Lines of 1.0 that come with a ban."""

_PROLONGED = 0.01

_JAILS = ("sshd", "sshd", "sshd", "postfix-sasl", "dovecot", "nginx-botsearch")
_NETWORK = 198 << 24 | 18 << 16
_ADDRESSES = 1 << 17
"""198.18.0.0/15 is for measuring (RFC 2544). Some are of IPv6, since 0.10."""

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
    """Yield the lines of a log in their order, those of old releases first."""
    chance = random.Random(seed)  # noqa: S311 - the same log from the same seed
    at = BEGUN.timestamp()
    attacks = _Attacks(chance)
    coming: list[_Event] = []
    ends: list[tuple[float, str, str]] = []
    for number in range(lines):
        at = round(at + chance.random() * 2 * mean_seconds, 3)
        tenth = number * 10 // lines
        if ends and ends[0][0] <= at:
            kind, (_, jail, ip) = "unban", heappop(ends)
            attacks.end(jail, ip)
        else:
            coming = coming or attacks.next(tenth)
            kind, jail, ip = coming.pop()
        if kind in {"ban", "ban-for-ever"}:
            if kind == "ban":
                heappush(ends, (at + _BANTIME, jail, ip))
            kind = "ban"
        clock = datetime.fromtimestamp(at, ZONE).isoformat(" ", "milliseconds")[:23]
        said = _said(kind, jail, ip, clock[:19], tenth=tenth)
        text = f"{clock.replace('.', ',')} {_head(kind, tenth)}{said}"
        yield Written(kind=kind, at=at, jail=jail, ip=ip, text=text)


class _Attacks:
    """Makes the lines about one address after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._banned: set[tuple[str, str]] = set()
        self._about = [self._comer() for _ in _BANS]

    def next(self, tenth: int) -> list[_Event]:
        """Give the kinds of lines about an address, the last first."""
        if tenth < _FIRST_FOUND:
            return [self._of_2016()]
        jail, ip = self._chance.choice(_JAILS), _address(self._chance)
        kinds = self._of_2018() if tenth < _FIRST_RUN else self._of_a_run()
        return [(kind, jail, ip) for kind in reversed(kinds)]

    def end(self, jail: str, ip: str) -> None:
        """Have an address unbanned."""
        self._banned.discard((jail, ip))

    def _comer(self) -> tuple[int, str, str]:
        jail, ip = self._chance.choice(_JAILS), _address(self._chance, ipv6=0.0)
        return self._chance.choice(_BANS), jail, ip

    def _of_2016(self) -> _Event:
        place = self._chance.randrange(len(_BANS))
        while self._about[place][1:] in self._banned:
            place = (place + 1) % len(_BANS)
        left, jail, ip = self._about[place]
        self._about[place] = (left - 1, jail, ip) if left > 1 else self._comer()
        self._banned.add((jail, ip))
        return "ban", jail, ip

    def _of_2018(self) -> list[str]:
        chance, (banned, others) = self._chance, _VISITS
        if chance.random() >= banned / (banned + others):
            return ["found"] * _one_of(chance, _SEEN)
        ban = "ban" if chance.random() < _UNBANNED else "ban-for-ever"
        return ["found"] * _one_of(chance, _FOUND) + [ban]

    def _of_a_run(self) -> list[str]:
        some = {kind: _about(self._chance, mean) for kind, mean in _RUN.items()}
        kinds = ["found"] * some.pop("found") + ["ban"]
        if self._chance.random() < _PROLONGED:
            kinds.append("prolonged")
        return kinds + [kind for kind, times in some.items() for _ in range(times)]


def _one_of(chance: random.Random, times: Mapping[int, int]) -> int:
    return chance.choices(tuple(times), tuple(times.values()))[0]


def _about(chance: random.Random, mean: float) -> int:
    return int(mean + chance.random())


def write(path: Path, lines: int, *, seed: int) -> None:
    """Write such a log to a file."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line in written(lines, seed=seed):
            file.write(line.text)
            file.write("\n")


def _address(chance: random.Random, *, ipv6: float = 0.1) -> str:
    if chance.random() >= ipv6:
        return str(IPv4Address(_NETWORK + chance.randrange(_ADDRESSES)))
    return f"2001:db8:{chance.randrange(1, 65536):x}::{chance.randrange(1, 8):x}"


def _head(kind: str, tenth: int) -> str:
    logger = "fail2ban.filter" if kind in {"found", "other"} else "fail2ban.actions"
    level = "INFO" if kind in {"found", "other"} else "NOTICE"
    if tenth < _FIRST_FOUND:
        return f"{logger:<16}: {level.replace('NOTICE', 'WARNING'):<6} "
    return f"{logger:<24}[{9000 + tenth}]: {level:<7} "


def _said(kind: str, jail: str, ip: str, second: str, *, tenth: int) -> str:
    match kind:
        case "found":
            happened = f" - {second}" if tenth >= _FIRST_TIMED else ""
            return f"[{jail}] Found {ip}{happened}"
        case "ban" | "unban":
            return f"[{jail}] {kind.title()} {ip}"
        case "already-banned":
            return f"[{jail}] {ip} already banned"
        case "prolonged":
            return f"[{jail}] Increase Ban {ip} (3 # {_FOREVER})"
        case _:
            return f"[{jail}] Added a journal match"
