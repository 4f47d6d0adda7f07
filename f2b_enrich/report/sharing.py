"""One share of the addresses: read, filtered and counted, in a process of its own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from f2b_enrich.report import columns, counters, counting, host_counting
from f2b_enrich.report.grouping import counted, lists, pairs
from f2b_enrich.report.part import Part, add, sum_of
from f2b_enrich.selection import Share
from f2b_enrich.store import repeats, selected
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from f2b_enrich.report.columns import BriefColumns, Columns, Location, Network
    from f2b_enrich.report.counters import Asked
    from f2b_enrich.report.host_counting import HostsAsked
    from f2b_enrich.selection import Selection

_QUARTERS = 4
"""Of an hour."""

UNKNOWN = "unknown"
"""How the country is called of addresses whose country is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """How it is told when anything was recorded: by the hour, or by its quarters."""

    by_host: bool
    by_quarter: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is read of the store, and which addresses of it count.

    `networks` are AS numbers, written AS64500, addresses and CIDR networks. A brief
    count has only what two periods are compared by. `records` are wanted where the
    selection has all of its hosts' bans.
    """

    selection: Selection
    countries: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    without_jails: tuple[str, ...] = ()
    without_scanners: bool = False
    top: int = 10
    is_brief: bool = False
    records: Records | None = None


def count(
    store: Path,
    wanted: Sequence[Wanted],
    hosts_of: Callable[[Part], HostsAsked],
    *,
    processes: int,
) -> list[Part]:
    """Count what is wanted, each in as many shares as there are processes.

    `hosts_of` chooses the hosts of which more is told, by what all shares came to;
    a brief count has none.

    Raises:
        ChildError: a process that counts died.
        StoreError: the store cannot be read.
    """
    works = [
        partial(_count_each, store, wanted, Share(number=number, of=processes))
        for number in range(processes)
    ]
    whole: list[Part] = []
    is_alone = processes == 1
    with counters.here(works[0]) if is_alone else counters.beside(works) as ask:
        for one in wanted:
            part = sum_of(ask(None))
            if not one.is_brief:
                for of_hosts in ask(hosts_of(part)):
                    add(part, of_hosts)
            whole.append(part)
    return whole


def _count_each(
    store: Path, wanted: Sequence[Wanted], share: Share
) -> Generator[Part, Asked, None]:
    for one in wanted:
        yield from count_share(store, one, share)


def count_share(
    store: Path, wanted: Wanted, share: Share
) -> Generator[Part, Asked, None]:
    """Count the bans of one share, then those of the hosts that are asked for.

    Raises:
        StoreError: the store cannot be read.
    """
    with open_reader(store) as connection, selected.unchanging(connection):
        yield from _count(connection, wanted, share)


def _count(
    connection: sqlite3.Connection, wanted: Wanted, share: Share
) -> Generator[Part, Asked, None]:
    beside = Part()
    bans = bans_that_count(connection, wanted, share, beside)
    around = counting.Around(
        services=selected.services(connection),
        host_countries=selected.host_countries(connection),
    )
    part = counting.count(bans, around, top=wanted.top, is_brief=wanted.is_brief)
    add(part, beside)
    asked = yield part
    if asked is not None:
        del part
        yield host_counting.count(bans, around, asked)


def bans_that_count(
    connection: sqlite3.Connection, wanted: Wanted, share: Share, beside: Part
) -> Columns:
    """Read the bans of one share that are wanted and repeat no others.

    What is left out of them is counted in `beside`.
    """
    bans = columns.read(connection, wanted.selection, share)
    if wanted.records is not None:
        _count_records(bans, wanted.records, beside)
    _leave_addresses_out(bans, wanted)
    _leave_out(bans, wanted, repeats.jails(connection), beside)
    _count_scanners(bans, beside)
    if wanted.without_scanners:
        bans.keep_addresses(_is_no_scanner)
    return bans


def brief_bans_that_count(
    connection: sqlite3.Connection, wanted: Wanted
) -> BriefColumns:
    """Read in brief the same bans of all shares; what is left out is not counted."""
    bans = columns.read_brief(connection, wanted.selection)
    _leave_addresses_out(bans, wanted)
    _leave_out(bans, wanted, repeats.jails(connection), Part())
    if wanted.without_scanners:
        bans.keep_addresses(_is_no_scanner)
    return bans


def _leave_addresses_out(bans: BriefColumns, wanted: Wanted) -> None:
    if wanted.countries or wanted.networks:
        bans.keep_addresses(_Filter(wanted).is_wanted)


def _count_records(bans: Columns, records: Records, beside: Part) -> None:
    """Count when anything was recorded, whatever is left out of it later."""
    quarter = bans.quarter
    if not records.by_quarter:
        quarter = quarter // _QUARTERS * _QUARTERS
    if not records.by_host:
        beside.recorded.update({("", at): found for at, found in counted(quarter)})
        return
    told = pairs(quarter, bans.host, len(bans.hosts))
    for at, host, found in zip(*lists(told), strict=True):
        beside.recorded[bans.hosts[host], at] = found


def _leave_out(
    bans: BriefColumns, wanted: Wanted, repeating: frozenset[str], beside: Part
) -> None:
    """Leave out repeats, and the jails that are not wanted; count them."""
    is_repeat = np.array([jail in repeating for jail in bans.jails], bool)[bans.jail]
    beside.repeats = int(np.count_nonzero(is_repeat))
    bans.keep(~is_repeat)
    for number, jail in enumerate(bans.jails):
        if jail not in wanted.without_jails:
            continue
        is_of = bans.jail == number
        if not is_of.any():
            continue
        beside.left_out.bans[jail] = int(np.count_nonzero(is_of))
        beside.left_out.addresses[jail] = len(np.unique(bans.address[is_of]))
        bans.keep(~is_of)


class _Filter:
    """Tells which addresses are wanted, by where and whose they are."""

    def __init__(self, wanted: Wanted) -> None:
        self._countries = {
            "" if code.casefold() == UNKNOWN else code.upper()
            for code in wanted.countries
        }
        self._asns = {
            int(name[2:]) for name in wanted.networks if name[:2].upper() == "AS"
        }
        self._cidrs = [
            ipaddress.ip_network(name, strict=False)
            for name in wanted.networks
            if name[:2].upper() != "AS"
        ]

    def is_wanted(self, ip: str, location: Location, network: Network) -> bool:
        if self._countries and location.country_code not in self._countries:
            return False
        if not self._asns and not self._cidrs:
            return True
        return network.asn in self._asns or (bool(self._cidrs) and self._is_within(ip))

    def _is_within(self, ip: str) -> bool:
        try:
            banned = ipaddress.ip_network(ip, strict=False)
        except ValueError:
            return False
        return any(
            banned.version == cidr.version and banned.subnet_of(cidr)  # type: ignore[arg-type]
            for cidr in self._cidrs
        )


def _is_no_scanner(ip: str, location: Location, network: Network) -> bool:  # noqa: ARG001
    return not network.scanner


def _count_scanners(bans: Columns, beside: Part) -> None:
    """Count those that look at everybody, whether they are left out or not."""
    of = bans.addresses
    names = [network.scanner for network in of.networks]
    is_scanner = np.array(list(map(bool, names)), bool)
    by_ban = is_scanner[of.network][bans.address] if len(bans) else is_scanner[:0]
    address, found = np.unique(bans.address[by_ban], return_counts=True)
    for network, many in zip(of.network[address].tolist(), found.tolist(), strict=True):
        beside.scanners.addresses[names[network]] += 1
        beside.scanners.bans[names[network]] += many
    beside.scanner_attempts = int(bans.failures[by_ban].sum())
