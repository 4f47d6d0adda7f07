"""The bans of a selection as columns of numbers, and what is known of each address."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from f2b_enrich.store import selected

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from f2b_enrich.selection import Selection, Share

_CODED = 6
"""Of the columns so many are names, which become numbers; the others are some."""

_COLUMNS = 10


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


_NOWHERE, _NOBODY, _NEVER = (
    Location(*4 * ("",), None, None),
    Network(0, "", ""),
    LookUp("", ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses by their numbers, and what the newest look-up of each tells.

    Where, whose and since when are numbers, too: many addresses are alike.
    """

    ips: list[str]
    location: NDArray[np.int64]
    network: NDArray[np.int64]
    look_up: NDArray[np.int64]
    locations: list[Location]
    networks: list[Network]
    look_ups: list[LookUp]


@dataclass(slots=True, kw_only=True)
class Columns:
    """A column of each kind, a ban in each line; the names by their numbers.

    `shown` are the classes that log lines show, and how many, `tried` the user names;
    `quarter` is a quarter-hour since 1970.
    """

    address: NDArray[np.int64]
    jail: NDArray[np.int64]
    host: NDArray[np.int64]
    attack: NDArray[np.int64]
    shown: NDArray[np.int64]
    tried: NDArray[np.int64]
    quarter: NDArray[np.int64]
    failures: NDArray[np.int64]
    number: NDArray[np.int64]
    bantime: NDArray[np.int64]
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
    found = [array("q") for _ in range(_COLUMNS)]
    codes = [defaultdict[Any, int](count().__next__) for _ in range(_CODED)]
    for batch in selected.rows(connection, wanted, share, with_lines=with_lines):
        for column, values in enumerate(zip(*batch, strict=True)):
            coded: Iterable[int] = values
            if column < _CODED:
                coded = map(codes[column].__getitem__, values)
            found[column].extend(coded)
    who, jails, hosts, attacks, shown, tried = map(list, codes)
    numbers, addresses = _addresses(connection, who)
    columns = [np.frombuffer(column, np.int64) for column in found]
    columns[0] = numbers[columns[0]]
    return Columns(
        **dict(zip(_NAMES, columns, strict=True)),
        jails=jails,
        hosts=hosts,
        attacks=attacks,
        all_shown=list(map(selected.read_shown, shown)),
        all_tried=list(map(selected.read_tried, tried)),
        addresses=addresses,
    )


def _addresses(
    connection: sqlite3.Connection, who: Sequence[selected.Who]
) -> tuple[NDArray[np.int64], Addresses]:
    """Number the addresses; of several look-ups of one the newest tells.

    First come their numbers in the order of `who`.
    """
    ips: dict[str, int] = {}
    number_of: dict[selected.Who, int] = {}
    for each in who:
        if isinstance(each, str):
            number_of[each] = ips.setdefault(each, len(ips))
    codes = [defaultdict[Any, int](count().__next__) for _ in range(3)]
    nothing = [
        code[of] for code, of in zip(codes, (_NOWHERE, _NOBODY, _NEVER), strict=True)
    ]
    known = [[number] * len(ips) for number in nothing]
    ids = [each for each in who if isinstance(each, int)]
    where, whose, when = known
    locations, networks, look_ups = codes
    made_at = [""]
    for row in selected.look_ups(connection, ids):
        number = number_of[row[0]] = ips.setdefault(row[1], len(ips))
        look_up = look_ups[row[11:]]
        if look_up == len(made_at):
            made_at.append(row[12])
        if number == len(where):
            where.append(locations[row[2:8]])
            whose.append(networks[row[8:11]])
            when.append(look_up)
        # What was written later may have been made earlier: stores are merged.
        elif row[12] >= made_at[when[number]]:
            where[number] = locations[row[2:8]]
            whose[number] = networks[row[8:11]]
            when[number] = look_up
    numbers = np.fromiter(map(number_of.__getitem__, who), np.int64, len(who))
    return numbers, Addresses(
        ips=list(ips),
        location=np.array(where, np.int64),
        network=np.array(whose, np.int64),
        look_up=np.array(when, np.int64),
        locations=[Location(*each) for each in locations],
        networks=[Network(*each) for each in networks],
        look_ups=[LookUp(*each) for each in look_ups],
    )
