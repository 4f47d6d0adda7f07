"""The bans of a selection as columns of numbers, and what is known of each address."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from f2b_enrich.store import selected

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from f2b_enrich.report.grouping import Numbers
    from f2b_enrich.selection import Selection, Share

_READ, _CODED = 8, 4
"""Columns that are read; so many of them are texts, which become numbers."""

_READ_IN_BRIEF, _CODED_IN_BRIEF = 3, 2


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
class BriefColumns:
    """Who was banned, by which jail and when, a ban in each line, in small numbers.

    `quarter` is a quarter-hour since 1970.
    """

    NAMES: ClassVar[tuple[str, ...]] = ("address", "jail", "quarter")

    address: NDArray[np.signedinteger]
    jail: NDArray[np.signedinteger]
    quarter: NDArray[np.signedinteger]
    jails: list[str]
    addresses: Addresses

    def __len__(self) -> int:
        """Count the bans."""
        return len(self.address)

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Leave out the other bans."""
        if wanted.all():
            return
        for name in self.NAMES:
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


@dataclass(slots=True, kw_only=True)
class Columns(BriefColumns):
    """A column of each kind, a ban in each line; the names by their numbers.

    `shown` are the classes that log lines show, and how many, `tried` the user names.
    """

    NAMES: ClassVar[tuple[str, ...]] = (
        *("address", "jail", "host", "attack", "shown", "tried"),
        *("quarter", "failures", "number", "bantime"),
    )

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
    hosts: list[str]
    attacks: list[str]
    all_shown: list[tuple[tuple[str, int], ...]]
    all_tried: list[tuple[str, ...]]


def read_brief(connection: sqlite3.Connection, wanted: Selection) -> BriefColumns:
    """Read all bans of a selection in brief; where look-ups are from is not told."""
    codes = [_Code() for _ in range(_CODED_IN_BRIEF)]
    rows = selected.brief_rows(connection, wanted)
    address, jail, quarter = _read(rows, codes, _READ_IN_BRIEF, dtype=np.int32)
    who, jails = map(list, codes)
    # As large as what is read next.
    del codes
    numbers, addresses = _addresses(connection, who, with_sources=False)
    return BriefColumns(
        address=numbers.astype(np.int32)[address],
        jail=jail,
        quarter=quarter,
        jails=jails,
        addresses=addresses,
    )


def read(connection: sqlite3.Connection, wanted: Selection, share: Share) -> Columns:
    """Read a selection's bans of some addresses, and the look-ups of those."""
    codes = [_Code() for _ in range(_CODED)]
    rows = selected.rows(connection, wanted, share)
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
        **dict(zip(Columns.NAMES, (numbers[address], *told, *others), strict=True)),
        jails=jails,
        hosts=hosts,
        attacks=attacks,
        all_shown=list(map(selected.read_shown, shown)),
        all_tried=list(map(selected.read_tried, tried)),
        addresses=addresses,
    )


def _read(
    batches: Iterable[list[Any]],
    codes: Sequence[_Code],
    count: int,
    *,
    dtype: DTypeLike = np.int64,
) -> list[Any]:
    """Read columns, the first ones as numbers for their values."""
    found: list[list[NDArray[Any]]] = [[np.zeros(0, dtype)] for _ in range(count)]
    for batch in batches:
        columns = zip(*batch, strict=True)
        for place, values in enumerate(islice(columns, count)):
            if place < len(codes):
                found[place].append(codes[place].numbers(values, dtype))
            else:
                found[place].append(np.fromiter(values, dtype, len(values)))
    # Each column's parts go before the next one is put together.
    return [np.concatenate(found.pop(0)) for _ in range(count)]


class _Code(defaultdict[Any, int]):
    """Numbers for values, from 0 in the order in which they come."""

    def __init__(self) -> None:
        super().__init__(count().__next__)

    def numbers(
        self, values: Collection[Any], dtype: DTypeLike = np.int64
    ) -> NDArray[Any]:
        """Give the numbers of values, each of which may be new."""
        return np.fromiter(map(self.__getitem__, values), dtype, len(values))


def _addresses(
    connection: sqlite3.Connection,
    who: Sequence[selected.Who],
    *,
    with_sources: bool = True,
) -> tuple[Numbers, Addresses]:
    """Number the addresses; of several look-ups of one the newest tells.

    First come their numbers in the order of `who`. Without sources, the `look_up` of
    each is none.
    """
    ips, locations, networks, look_ups = codes = _Code(), _Code(), _Code(), _Code()
    nothing = locations[_NOWHERE], networks[_NOBODY], look_ups[_NEVER]
    is_id = np.array([isinstance(each, int) for each in who], bool)
    numbers = np.zeros(len(who), np.int64)
    numbers[~is_id] = ips.numbers([each for each in who if isinstance(each, str)])
    ids = np.array([each for each in who if isinstance(each, int)], np.int64)
    order = np.argsort(ids)
    ids = ids[order]
    told = codes if with_sources else codes[:-1]
    address, *columns = _read(
        selected.look_ups(connection, ids.tolist()), told, len(told)
    )
    numbers[np.flatnonzero(is_id)[order]] = address
    known = [np.full(len(ips), number) for number in nothing]
    order = _oldest_first(connection, ids, address)
    address = address[order]
    for column, found in zip(known, columns, strict=False):
        # Of several for one address the last stays.
        column[address] = found[order]
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


def _oldest_first(
    connection: sqlite3.Connection, ids: Numbers, address: Numbers
) -> Numbers:
    """Order look-ups by age where an address has several; each is of an address."""
    has_several = np.bincount(address)[address] > 1
    alone, several = np.flatnonzero(~has_several), ids[has_several]
    in_order = selected.oldest_first(connection, several.tolist())
    return np.concatenate([alone, np.searchsorted(ids, in_order)])
