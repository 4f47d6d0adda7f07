"""The bans of an October that somebody published in tables, invented anew.

The tables tell how many, from where and on what; which address did what is ours. Real
addresses are not told again: those of documents and of measurements stand for them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, count, cycle, islice, repeat
from typing import TYPE_CHECKING

from tests.report_events import DAY, OCTOBER, Told, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.model import Enrichment

MAIL = (
    *(("US", 77), ("DE", 34), ("NL", 24), ("HK", 15), ("TR", 7), ("GB", 7)),
    *(("SG", 3), ("CN", 3), ("BR", 5), ("IN", 5)),
)
BOTH = (("RU", 5), ("PL", 5))
WEB = (
    *(("US", 146), ("SG", 146), ("IE", 104), ("DE", 41), ("CN", 37), ("GB", 35)),
    *(("JP", 34), ("NL", 32), ("AU", 25), ("FR", 25), ("HK", 11), ("VN", 24)),
    *(("KR", 22),),
)
SSH = (("SE", 11), ("", 4))
"""Addresses by country, each in one of the lists; the last four are of none."""

NAMES = {
    "US": "United States",
    "SG": "Singapore",
    "IE": "Ireland",
    "DE": "Germany",
    "NL": "Netherlands",
    "GB": "United Kingdom",
    "CN": "China",
    "JP": "Japan",
    "HK": "Hong Kong",
    "AU": "Australia",
    "FR": "France",
    "TR": "Turkey",
    "BR": "Brazil",
    "IN": "India",
    "RU": "Russia",
    "PL": "Poland",
    "VN": "Vietnam",
    "KR": "South Korea",
    "SE": "Sweden",
    "": "",
}

MAIL_NETWORKS = (
    *(((398324, "Censys, Inc."), 30), ((398722, "Censys Inc"), 20)),
    *(((398705, "CENSYS-ARIN-03"), 8), ((14061, "DigitalOcean, LLC"), 17)),
    *(
        ((135377, "Ucloud Information Technology"), 17),
        ((16509, "Amazon.com, Inc."), 11),
    ),
    *(((401120, "Cheapy.host, LLC"), 6), ((214943, "Railnet"), 6)),
    *(((202425, "IP Volume, Inc."), 6), ((174, "Cogent Communications"), 6)),
)
WEB_NETWORKS = (
    *(((8075, "Microsoft Corporation"), 126), ((14061, "DigitalOcean, LLC"), 92)),
    *(((8849, "Internet Utilities Europe & Asia"), 81),),
    *(((45102, "Alibaba (US) Technology"), 31), ((134963, "Alibaba Cloud"), 10)),
    *(((212238, "Datacamp, Limited"), 45),),
)
SMALL, LARGEST_SMALL = 64500, 5

WORST = "198.18.62.40"
NEIGHBOURS = tuple(f"198.18.62.{last}" for last in (41, 42, 43, 44))
WORST_BANS, NEIGHBOURS_BANS = 17, 4

MAIL_BANS, WEB_BANS, SSH_BANS = 442, 1222, 34


@dataclass(slots=True)
class Month:
    """Bans in any order, what is known of their addresses, and these by service."""

    told: list[Told] = field(default_factory=list)
    known: list[Enrichment] = field(default_factory=list)
    mail: list[str] = field(default_factory=list)
    web: list[str] = field(default_factory=list)
    ssh: list[str] = field(default_factory=list)


def october() -> Month:
    """Invent the month, and bans before and after it which are none of its."""
    month, countries = Month(), dict[str, str]()
    numbers, of_worst = count(), iter((WORST, *NEIGHBOURS))
    lists = (
        (MAIL, (month.mail,)),
        (BOTH, (month.mail, month.web)),
        (WEB, (month.web,)),
        (SSH, (month.ssh,)),
    )
    for wanted, services in lists:
        for code in _each(wanted):
            # The first of the Netherlands, which are on mail, are the worst.
            worst = next(of_worst, None) if code == "NL" else None
            ip = worst or _address(next(numbers))
            countries[ip] = code
            for service in services:
                service.append(ip)
    month.ssh += month.web[-5:]
    networks = _networks(month)
    month.known = [
        place(
            ip,
            (code, NAMES[code]),
            networks[ip] if code else (0, ""),
            scanner="Censys" if networks[ip][1].upper().startswith("CENSYS") else "",
            at=OCTOBER + 20 * DAY,
        )
        for ip, code in countries.items()
    ]
    month.told = [*_mail(month.mail), *_web(month.web), *_ssh(month.ssh)]
    month.told += list(_outside(month.web))
    return month


def _each(wanted: Sequence[tuple[str, int]]) -> Iterator[str]:
    return chain.from_iterable(repeat(code, many) for code, many in wanted)


def _address(number: int) -> str:
    if number % 5 == 0:
        return f"2001:db8:{number + 1:x}::1"
    return f"198.19.{number % 250}.{number // 250 + 1}"


def _networks(month: Month) -> dict[str, tuple[int, str]]:
    """Give the tables' networks to addresses of one service, small ones to the rest."""
    both = {*month.mail} & {*month.web}
    found: dict[str, tuple[int, str]] = {}
    for ips, wanted in ((month.mail, MAIL_NETWORKS), (month.web, WEB_NETWORKS)):
        # The worst address is of nobody who has a line in the tables.
        free = [ip for ip in ips if ip not in both and not ip.startswith("198.18.62.")]
        every = chain.from_iterable(repeat(of, many) for of, many in wanted)
        found |= dict(zip(free, every, strict=False))
    for number, ip in enumerate([*month.mail, *month.web, *month.ssh]):
        small = SMALL + number // LARGEST_SMALL
        found.setdefault(ip, (small, f"Small Network {small}"))
    return found


def _times() -> Iterator[datetime]:
    """Go through the month again and again, from its first second to its last."""
    last = 31 * DAY - timedelta(seconds=1)
    yield from (OCTOBER, OCTOBER + last)
    for number in cycle(range(1, 3000)):
        yield OCTOBER + (number * timedelta(seconds=14_431)) % last


def _spread(ips: Sequence[str], bans: int) -> Iterator[str]:
    """Ban each, and go round until there are so many bans."""
    return islice(cycle(ips), bans)


def _mail(ips: Sequence[str]) -> Iterator[Told]:
    hosts = cycle(("mail1", "web1", "web2"))
    jails = cycle(("postfix", "dovecot"))
    others = [ip for ip in ips if not ip.startswith("198.18.62.")]
    rest = MAIL_BANS - WORST_BANS - NEIGHBOURS_BANS * len(NEIGHBOURS)
    every = chain(
        ((WORST, next(hosts)) for _ in range(WORST_BANS)),
        ((ip, "mail1") for ip in NEIGHBOURS for _ in range(NEIGHBOURS_BANS)),
        ((ip, "mail1") for ip in _spread(others, rest)),
    )
    # 221 bans of one jail for 886 attempts: 219 after four, two after five.
    attempts = chain((5, 5), repeat(4))
    seen: Counter[str] = Counter()
    for at, (ip, host) in zip(_times(), every, strict=False):
        seen[ip] += 1
        told = Told(ip=ip, at=at, host=host, jail=next(jails), number=seen[ip])
        if told.jail == "dovecot":
            attack, lines = "mail-password-guessing", next(attempts)
            shown = ((attack, lines),)
            told = replace(told, attack=attack, failures=lines, shown=shown)
        yield told


def _web(ips: Sequence[str]) -> Iterator[Told]:
    hosts = cycle(("web1", "web2"))
    for at, ip in zip(_times(), _spread(ips, WEB_BANS), strict=False):
        yield Told(ip=ip, at=at, host=next(hosts), jail="nginx-botsearch")


def _ssh(ips: Sequence[str]) -> Iterator[Told]:
    for at, ip in zip(_times(), _spread(ips, SSH_BANS), strict=False):
        yield Told(ip=ip, at=at, host="web1", jail="sshd")


def _outside(ips: Sequence[str]) -> Iterator[Told]:
    """Ban before and after the month, and repeat within it what was counted."""
    second = timedelta(seconds=1)
    for ip in ips[:40]:
        yield Told(ip=ip, at=OCTOBER - second, jail="nginx-botsearch", host="web2")
        yield Told(ip=ip, at=OCTOBER + 31 * DAY, jail="nginx-botsearch", host="web2")
        yield Told(ip=ip, at=OCTOBER + DAY, jail="recidive", host="web2")
