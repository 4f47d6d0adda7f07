"""The bans of a selection as columns of numbers, and what is known of each address."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from f2b_enrich.store import selected

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from f2b_enrich.report.grouping import Numbers
    from f2b_enrich.selection import Selection, Share

_READ, _CODED = 8, 4
"""Columns that are read; so many of them are texts, which become numbers."""


class Location(NamedTuple):
    """Where addresses are; empty text is not known, nor is a point that is None."""

    country_code: str
    country: str
    region: str
    city: str
    latitude: float | None
    longitude: float | None


class Network(NamedTuple):
    """Whose addresses are; 0 and empty text are not known."""

    asn: int
    as_name: str
    scanner: str


class LookUp(NamedTuple):
    """From where that is known, and since when; empty text is never."""

    source: str
    looked_up_at: str


_NOWHERE, _NOBODY, _NEVER = ("\0\0\0", None, None), (0, "\0"), ("", "")
"""What is known of an address without a look-up, as the store would write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses by their numbers, and what the newest look-up of each tells.

    Where, whose and since when are numbers, too: many addresses are alike.
    """

    ips: list[str]
    location: Numbers
    network: Numbers
    look_up: Numbers
    locations: list[Location]
    networks: list[Network]
    look_ups: list[LookUp]


@dataclass(slots=True, kw_only=True)
class Columns:
    """A column of each kind, a ban in each line; the names by their numbers.

    `shown` are the classes that log lines show, and how many, `tried` the user names;
    `quarter` is a quarter-hour since 1970.
    """

    address: Numbers
    jail: Numbers
    host: Numbers
    attack: Numbers
    shown: Numbers
    tried: Numbers
    quarter: Numbers
    failures: Numbers
    number: Numbers
    bantime: Numbers
    jails: list[str]
    hosts: list[str]
    attacks: list[str]
    all_shown: list[tuple[tuple[str, int], ...]]
    all_tried: list[tuple[str, ...]]
    addresses: Addresses

    def __len__(self) -> int:
        """Count the bans."""
        return len(self.address)

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Leave out the other bans."""
        if wanted.all():
            return
        for name in _NAMES:
            setattr(self, name, getattr(self, name)[wanted])

    def keep_addresses(self, is_kept: Callable[[str, Location, Network], bool]) -> None:
        """Leave out the bans of other addresses, by what is known of them."""
        of = self.addresses
        places = zip(of.ips, of.location.tolist(), of.network.tolist(), strict=True)
        kept = [
            is_kept(ip, of.locations[location], of.networks[network])
            for ip, location, network in places
        ]
        self.keep(np.array(kept, dtype=bool)[self.address])


_NAMES = (
    *("address", "jail", "host", "attack", "shown", "tried"),
    *("quarter", "failures", "number", "bantime"),
)


def read(
    connection: sqlite3.Connection,
    wanted: Selection,
    share: Share,
    *,
    with_lines: bool = True,
) -> Columns:
    """Read a selection's bans of some addresses, and the look-ups of those.

    Without lines, no class is `shown` and no name `tried`.
    """
    codes = [_Code() for _ in range(_CODED)]
    rows = selected.rows(connection, wanted, share, with_lines=with_lines)
    address, by, *others = _read(rows, codes, _READ)
    who, by_whom, shown, tried = map(list, codes)
    numbers, addresses = _addresses(connection, who)
    names = _Code(), _Code(), _Code()
    whose = [selected.read_names(text, len(names)) for text in by_whom]
    told = [
        code.numbers([each[place] for each in whose])[by]
        for place, code in enumerate(names)
    ]
    jails, hosts, attacks = map(list, names)
    return Columns(
        **dict(zip(_NAMES, (numbers[address], *told, *others), strict=True)),
        jails=jails,
        hosts=hosts,
        attacks=attacks,
        all_shown=list(map(selected.read_shown, shown)),
        all_tried=list(map(selected.read_tried, tried)),
        addresses=addresses,
    )


def _read(
    batches: Iterable[list[Any]], codes: Sequence[_Code], count: int
) -> list[Numbers]:
    """Read columns, the first ones as numbers for their values."""
    found: list[list[Numbers]] = [[] for _ in range(count)]
    for batch in batches:
        for place, values in enumerate(zip(*batch, strict=True)):
            if place < len(codes):
                found[place].append(codes[place].numbers(values))
            else:
                found[place].append(np.fromiter(values, np.int64, len(values)))
    return [
        np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in found
    ]


class _Code(defaultdict[Any, int]):
    """Numbers for values, from 0 in the order in which they come."""

    def __init__(self) -> None:
        super().__init__(count().__next__)

    def numbers(self, values: Collection[Any]) -> Numbers:
        """Give the numbers of values, each of which may be new."""
        return np.fromiter(map(self.__getitem__, values), np.int64, len(values))


def _addresses(
    connection: sqlite3.Connection, who: Sequence[selected.Who]
) -> tuple[Numbers, Addresses]:
    """Number the addresses; of several look-ups of one the newest tells.

    First come their numbers in the order of `who`.
    """
    ips, locations, networks, look_ups = codes = _Code(), _Code(), _Code(), _Code()
    nothing = locations[_NOWHERE], networks[_NOBODY], look_ups[_NEVER]
    number_of: dict[selected.Who, int] = {
        each: ips[each] for each in who if isinstance(each, str)
    }
    ids = sorted(each for each in who if isinstance(each, int))
    address, *columns = _read(selected.look_ups(connection, ids), codes, len(codes))
    number_of.update(zip(ids, address.tolist(), strict=True))
    numbers = np.fromiter(map(number_of.__getitem__, who), np.int64, len(who))
    if len(address) and np.bincount(address).max() > 1:
        order = _oldest_first(columns[-1], [at for _, at in look_ups])
        address, *columns = [column[order] for column in (address, *columns)]
    known = [np.full(len(ips), number) for number in nothing]
    for column, found in zip(known, columns, strict=True):
        # Of several for one address the last stays.
        column[address] = found
    location, network, look_up = known
    return numbers, Addresses(
        ips=list(ips),
        location=location,
        network=network,
        look_up=look_up,
        locations=[
            Location._make([*selected.read_names(names, 4), latitude, longitude])
            for names, latitude, longitude in locations
        ],
        networks=[
            Network(asn, *selected.read_names(names, 2)) for asn, names in networks
        ],
        look_ups=[LookUp(*each) for each in look_ups],
    )


def _oldest_first(look_up: Numbers, times: Sequence[str]) -> Numbers:
    """Order look-ups by when they were made; of the same time, by their numbers.

    What was written later may have been made earlier: stores are merged.
    """
    _, rank = np.unique(np.array(times), return_inverse=True)
    return np.argsort(rank[look_up], kind="stable")
