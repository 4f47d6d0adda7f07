"""Addresses that came back: how often, the worst of them, and for how long."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.model import FOR_EVER, read_time
from f2b_enrich.report.figures_addresses import (
    Addresses,
    BannedTimes,
    BanTime,
    Offender,
)
from f2b_enrich.report.places import tied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from f2b_enrich.report.naming import Naming
    from f2b_enrich.report.part import Part

    Ban = tuple[str, str, str, int, int]

MOST_NAMED = 20
"""Hosts and jails that are named of one address."""


def addresses(
    part: Part,
    bans_of: Callable[[str], Sequence[Ban]],
    naming: Naming,
    *,
    top: int,
) -> Addresses:
    """Tell how many were banned how often, and name the worst.

    `bans_of` gives an address's bans, the oldest first: host, jail, time, failures and
    ban time in seconds.
    """
    names = {ip: ip for ip in part.offenders.kept}
    listed = part.offenders.listed(top, names)
    return Addresses(
        banned=tuple(
            BannedTimes(bans=bans, addresses=found)
            for bans, found in sorted(part.banned.items())
        ),
        offenders=tuple(
            _offender(part, rank, ip, bans, naming)
            for rank, ip, _ in listed.ranked
            # Other processes counted, of a store that was written to meanwhile.
            if (bans := bans_of(ip))
        ),
        tied=tied(listed),
        ban_times=_ban_times(part.ban_times),
    )


def _offender(
    part: Part,
    rank: int,
    ip: str,
    bans: Sequence[Ban],
    naming: Naming,
) -> Offender:
    known = part.known[ip]
    _, organisation = naming.organisations[known.asn, known.as_name]
    return Offender(
        rank=rank,
        ip=ip,
        bans=part.offenders.kept[ip],
        attempts=sum(failures for *_, failures, _ in bans),
        host_count=len({host for host, *_ in bans}),
        hosts=_most(host for host, *_ in bans),
        jail_count=len({jail for _, jail, *_ in bans}),
        jails=_most(jail for _, jail, *_ in bans),
        country_code=known.country_code or None,
        organisation=organisation or None,
        scanner=known.scanner or None,
        first_at=read_time(bans[0][2]),
        last_at=read_time(bans[-1][2]),
        first_bantime=_known(bans[0][4]),
        longest_bantime=_longest(seconds for *_, seconds in bans),
        neighbours=known.subnet_addresses - 1,
        neighbours_bans=known.subnet_bans - part.offenders.kept[ip],
    )


def _most(names: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(names)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(ordered[:MOST_NAMED])


def _known(seconds: int) -> int | None:
    return seconds if seconds >= FOR_EVER else None


def _longest(spans: Iterable[int]) -> int | None:
    known = [seconds for seconds in spans if seconds >= FOR_EVER]
    return FOR_EVER if FOR_EVER in known else max(known, default=None)


def _ban_times(counts: Mapping[tuple[int, int], int]) -> tuple[BanTime, ...]:
    by_number: dict[int, Counter[int]] = {}
    for (number, seconds), bans in counts.items():
        by_number.setdefault(number, Counter())[seconds] += bans
    return tuple(
        BanTime(
            number=number,
            bans=spans.total(),
            median_seconds=_median(spans),
            for_ever=spans[FOR_EVER],
        )
        for number, spans in sorted(by_number.items())
    )


def _median(spans: Counter[int]) -> int | None:
    """Give the lower one of two in the middle."""
    ended = sorted((seconds, bans) for seconds, bans in spans.items() if seconds >= 0)
    left = (sum(bans for _, bans in ended) + 1) // 2
    for seconds, bans in ended:
        left -= bans
        if left <= 0:
            return seconds
    return None
