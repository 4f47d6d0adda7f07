"""One share of the addresses: read, filtered and counted, in a process of its own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from f2b_enrich.report import columns, counters, counting
from f2b_enrich.report.part import Part, sum_of
from f2b_enrich.selection import Share
from f2b_enrich.store import repeats, selected
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from f2b_enrich.report.columns import Columns, Location, Network
    from f2b_enrich.selection import Selection

UNKNOWN = "unknown"
"""How the country is called of addresses whose country is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is read of the store, and which addresses of it count.

    `networks` are AS numbers, written AS64500, addresses and CIDR networks. A brief
    count has only what two periods are compared by.
    """

    selection: Selection
    countries: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    without_jails: tuple[str, ...] = ()
    without_scanners: bool = False
    top: int = 10
    is_brief: bool = False


def count(store: Path, wanted: Sequence[Wanted], *, processes: int) -> list[Part]:
    """Count what is wanted, each in as many shares as there are processes.

    Raises:
        CounterError: a process that counts died.
        StoreError: the store cannot be read.
    """
    shares = [Share(number=number, of=processes) for number in range(processes)]
    if processes == 1:
        return [sum_of([count_share(store, one, shares[0])]) for one in wanted]
    counted = counters.in_each(
        [partial(_count_each, store, wanted, share) for share in shares]
    )
    return [sum_of(parts) for parts in zip(*counted, strict=True)]


def _count_each(store: Path, wanted: Sequence[Wanted], share: Share) -> Iterator[Part]:
    for one in wanted:
        yield count_share(store, one, share)


def count_share(store: Path, wanted: Wanted, share: Share) -> Part:
    """Count the bans of one share.

    Raises:
        StoreError: the store cannot be read.
    """
    with open_reader(store) as connection, selected.unchanging(connection):
        return _count(connection, wanted, share)


def _count(connection: sqlite3.Connection, wanted: Wanted, share: Share) -> Part:
    bans = columns.read(connection, wanted.selection, share)
    if wanted.countries or wanted.networks:
        bans.keep_addresses(_Filter(wanted).is_wanted)
    beside = Part()
    _leave_out(bans, wanted, repeats.jails(connection), beside)
    _count_scanners(bans, beside)
    if wanted.without_scanners:
        bans.keep_addresses(_is_no_scanner)
    around = counting.Around(
        services=selected.services(connection),
        host_countries=selected.host_countries(connection),
    )
    counted = counting.count(bans, around, top=wanted.top, is_brief=wanted.is_brief)
    counted.repeats, counted.left_out = beside.repeats, beside.left_out
    counted.scanners = beside.scanners
    counted.scanner_attempts = beside.scanner_attempts
    return counted


def _leave_out(
    bans: Columns, wanted: Wanted, repeating: frozenset[str], beside: Part
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
