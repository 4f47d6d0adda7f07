"""Who walks through user names over many bans, told from who guesses passwords."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from f2b_enrich.address import read_address
from f2b_enrich.model import Campaign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

Scope: TypeAlias = Literal["address", "subnet", "network"]

LEAST_BANS = 3
"""What is tried in one ban or two is a list of log-ins like any other."""

LEAST_NAMES = MappingProxyType[Scope, int](
    {"address": 12, "subnet": 12, "network": 24},
)
"""The names of a walk in the order of the alphabet. Few robots have so many accounts
that everybody tries (root, admin, test, ubuntu and their like), and fewer sort them.
The bans of a network may be of strangers, so of it more is asked."""

MANY_NAMES = MappingProxyType[Scope, int](
    {"address": 24, "subnet": 24, "network": 36},
)
"""The names of a walk in no order. A robot that goes once through its 15 or 20 usual
log-ins tries each in one ban or two, as a walk does: only a longer list is more."""

FEW_BANS = 2
"""Bans in which a name may be tried and be passed over: one ends between two tries of a
name, the next goes on with it. Who tries it in more wants its password."""

MOSTLY = 0.5
"""Share of the tries that names which are passed over have of all, one for each name of
a ban. Less is what beside a few log-ins in every ban is tried of others."""

SPLIT = 0.8
"""Share of the names that only one address of a subnet, or one subnet of a network,
tries. A list dealt out gives this but for tries that were cut off; strangers all try
the same favourites."""

BUSIEST = 0.75
"""Share of the walk that one of them may have. More is its own walk, which it is named
for, and others nearby."""

RISING = 0.85
"""Share of rising steps in the order of the alphabet. A dozen names shuffled over three
bans reach it in 1 of 100 cases, 20 over four in 1 of 5,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A user name that was tried in a ban; `at` is the time of the ban."""

    name: str
    at: datetime
    ban_id: str
    ip: str


def campaign(tries: Iterable[Try], *, scope: Scope, who: str) -> Campaign | None:
    """Tell whether all these tries of an address, subnet or network are a walk.

    It is from `LEAST_NAMES` on if they are in the order of the alphabet, else from
    `MANY_NAMES`. Its counts are of the names that are passed over, and of their bans
    and addresses.
    """
    tries = tuple(tries)
    bans = Counter(name for name, _ in {(each.name, each.ban_id) for each in tries})
    walked = {name for name, count in bans.items() if count <= FEW_BANS}
    if sum(bans[name] for name in walked) < MOSTLY * bans.total():
        return None
    steps = [each for each in tries if each.name in walked]
    many_bans = len({each.ban_id for each in steps}) >= LEAST_BANS
    if len(walked) < LEAST_NAMES[scope] or not many_bans:
        return None
    if scope != "address" and not _is_shared(tries, walked, scope=scope):
        return None
    found = _named(steps, scope=scope, who=who)
    return found if found.in_order or found.names >= MANY_NAMES[scope] else None


def _is_shared(tries: Sequence[Try], walked: Collection[str], *, scope: Scope) -> bool:
    """Tell whether at least two parts deal the names out, and none has most of them."""
    parts = {each.ip: _part(each.ip, scope) for each in tries}
    tried = {(each.name, parts[each.ip]) for each in tries}
    sharing = Counter(name for name, _ in tried)
    alone = sum(count == 1 for count in sharing.values())
    busiest = max(Counter(part for name, part in tried if name in walked).values())
    return alone >= SPLIT * len(sharing) and busiest <= BUSIEST * len(walked)


def _part(ip: str, scope: Scope) -> str:
    """Name what a wider scope is made of; a text that is no address is its own."""
    return (read_address(ip).subnet or ip) if scope == "network" else ip


def _named(steps: Sequence[Try], *, scope: Scope, who: str) -> Campaign:
    order = _in_time(steps)
    times = tuple(order.values())
    return Campaign(
        kind="user-name-enumeration",
        scope=scope,
        who=who,
        first_at=min(order),
        last_at=max(each.at for each in steps),
        bans=len({each.ban_id for each in steps}),
        addresses=len({each.ip for each in steps}),
        names=len({each.name for each in steps}),
        in_order=in_order(times),
        first_name=times[0][0],
        last_name=times[-1][-1],
    )


def _in_time(steps: Iterable[Try]) -> Mapping[datetime, Sequence[str]]:
    """Give the names by the time they were first tried.

    In which order the names of one time were tried nobody knows; here they stand in
    that of the alphabet.
    """
    first: dict[str, datetime] = {}
    for each in steps:
        first[each.name] = min(each.at, first.get(each.name, each.at))
    order: defaultdict[datetime, list[str]] = defaultdict(list)
    for name in sorted(first, key=lambda name: (name.casefold(), name)):
        order[first[name]].append(name)
    return dict(sorted(order.items()))


def in_order(times: Iterable[Iterable[str]]) -> bool:
    """Tell whether names, by the times they came at, mostly rise in the alphabet.

    Each time against the one before it, so that a list that begins anew is in order
    too; or against all before it, for those who walk side by side take turns.
    """
    keys = [sorted(name.casefold() for name in names) for names in times]
    return len(keys) >= LEAST_BANS and (
        _rising_steps(keys) >= RISING or _rising_pairs(keys) >= RISING
    )


def _rising_steps(times: Sequence[Sequence[str]]) -> float:
    """Give the share of rising pairs between two times, on average of all steps."""
    shares = [
        sum(bisect_left(before, name) for name in now) / (len(before) * len(now))
        for before, now in pairwise(times)
    ]
    return sum(shares) / len(shares)


def _rising_pairs(times: Iterable[Sequence[str]]) -> float:
    """Give the share of rising pairs among all pairs of names of two times."""
    before: list[str] = []
    rising = pairs = 0
    for now in times:
        rising += sum(bisect_left(before, name) for name in now)
        pairs += len(before) * len(now)
        for name in now:
            insort(before, name)
    return rising / pairs
