"""The bans of some addresses counted: once by each two things that are told together.

Numbers stand for names until the end; NumPy goes over the bans.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from f2b_enrich.address import subnet_of
from f2b_enrich.model import read_time
from f2b_enrich.report.figures import LAST_NUMBER
from f2b_enrich.report.grouping import (
    counted,
    lists,
    named,
    named_pair,
    numbered,
    pairs,
    sums,
    weighted,
)
from f2b_enrich.report.part import (
    NO_POINT,
    Known,
    LookedUp,
    Pair,
    Part,
    Point,
    Subnets,
    Widest,
    add_source,
)
from f2b_enrich.report.tops import Tops, tops

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from f2b_enrich.report.columns import Columns, Location, LookUp
    from f2b_enrich.report.part import Scope

    Numbers: TypeAlias = NDArray[np.int64]

QUARTER_SECONDS = 900

LATER_SECONDS = 30 * 24 * 3600
"""So long after a ban its address may be somebody else's."""

SEVERAL = 2
"""Hosts from which on an address is told to be on several."""

TO_CITY, TO_COUNTRY, NOWHERE = "city", "country", ""
"""How well a place is known."""

_OTHER_SERVICE = "other"
_LONG_AGO = -(1 << 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is told of jails and hosts beside their bans.

    Jails of which nothing is told guard something other, and hosts stand nowhere.
    """

    services: Mapping[str, str]
    host_countries: Mapping[str, str]

    def service_of(self, jail: str) -> str:
        """Name the service that a jail guards."""
        return self.services.get(jail, _OTHER_SERVICE)


def count(
    columns: Columns, around: Around, *, top: int, is_brief: bool = False
) -> Part:
    """Count the bans in columns; `top` is how many of each kind will be listed.

    A brief count has only what two periods are compared by.
    """
    part = Part()
    if len(columns):
        counting = _Counting(columns, around, part, top)
        counting.what_is_compared()
        if not is_brief:
            counting.what_is_told()
    return part


class _Counting:
    """Fills a part with what columns come to."""

    def __init__(self, columns: Columns, around: Around, part: Part, top: int) -> None:
        self._columns, self._part, self._top = columns, part, top
        self._around, self._of = around, columns.addresses
        self._services, of_jails = numbered(
            [around.service_of(jail) for jail in columns.jails]
        )
        self._service = of_jails[columns.jail]
        self._countries, of_locations = numbered(
            [(each.country_code, each.country) for each in self._of.locations]
        )
        self._country = of_locations[self._of.location]
        self._bans = np.bincount(columns.address, minlength=len(self._of.ips))
        self._subnets, self._subnet = numbered(list(map(_subnet_of, self._of.ips)))

    def what_is_compared(self) -> None:
        """Count by service, place, class and jail."""
        self._count_services()
        self._count_places()
        self._count_attacks()
        columns, part = self._columns, self._part
        _, jails, _ = pairs(columns.address, columns.jail, len(columns.jails))
        part.jails = named_pair(columns.jails, jails, columns.jail)
        part.hosts.bans = named(columns.hosts, np.bincount(columns.host))
        part.cidr_bans = sum(
            bans
            for ip, bans in zip(self._of.ips, self._bans.tolist(), strict=True)
            if "/" in ip
        )

    def what_is_told(self) -> None:
        """Count everything else: times, addresses and hosts."""
        self._count_addresses()
        self._count_hosts()
        self._count_look_ups()
        self._count_lines_and_names()
        columns, part = self._columns, self._part
        part.quarters.update(dict(counted(columns.quarter)))
        number = np.clip(columns.number, 1, LAST_NUMBER)
        times = pairs(columns.bantime, number, LAST_NUMBER + 1)
        for seconds, nth, bans in zip(*lists(times), strict=True):
            part.ban_times[nth, seconds] = bans

    def _count_services(self) -> None:
        columns, part, services = self._columns, self._part, len(self._services)
        self._pairs = pairs(columns.address, self._service, services)
        address, service, _ = self._pairs
        part.services = named_pair(self._services, service, self._service)
        part.services.addresses[None] = int(np.count_nonzero(self._bans))
        part.services.bans[None] = len(columns)
        part.several_services = int(np.count_nonzero(np.bincount(address) > 1))
        for number, name in enumerate(self._services):
            attempts = int(columns.failures[self._service == number].sum())
            part.attempts[name] = attempts
            part.attempts[None] += attempts

    def _count_places(self) -> None:
        """Count addresses and bans by where and whose they are, in each service."""
        part, of = self._part, self._of
        networks, of_networks = numbered(
            [(each.asn, each.as_name) for each in of.networks]
        )
        cities, of_cities = numbered(
            [
                (each.country_code, each.region, each.city)
                if _precision(each) == TO_CITY
                else ()
                for each in of.locations
            ]
        )
        kinds: tuple[tuple[dict[Scope, Pair], list[Any], Numbers], ...] = (
            (part.countries, self._countries, self._country),
            (part.networks, networks, of_networks[of.network]),
            (part.cities, cities, of_cities[of.location]),
        )
        (present,) = np.nonzero(self._bans)
        scopes: list[tuple[Scope, Numbers, Numbers]] = [
            (None, present, self._bans[present])
        ]
        address, service, bans = self._pairs
        for number, name in enumerate(self._services):
            is_in = service == number
            scopes.append((name, address[is_in], bans[is_in]))
        points, of_points = numbered(list(map(_point, self._of.locations)))
        part.points = weighted(
            points, of_points[of.location[present]], self._bans[present]
        )
        for scope, addresses, many in scopes:
            for found, names, index in kinds:
                found[scope] = weighted(names, index[addresses], many)
            part.subnets[scope] = self._subnets_of(addresses, many)

    def _subnets_of(self, addresses: Numbers, bans: Numbers) -> Subnets:
        subnet = self._subnet[addresses]
        counts = np.bincount(subnet)
        of_subnets = sums(subnet, bans)
        kept = tops(counts, self._top)
        names = self._subnets
        return Subnets(
            tops=_renamed(kept, names),
            bans={names[number]: int(of_subnets[number]) for number in kept.kept},
            count=int(np.count_nonzero(counts)),
        )

    def _count_attacks(self) -> None:
        columns, part = self._columns, self._part
        attacks, services = len(columns.attacks), len(self._services)
        address, attack, bans = pairs(columns.address, columns.attack, attacks)
        part.attacks = named_pair(columns.attacks, attack, columns.attack)
        part.attack_countries = self._by_country(columns.attacks, attack, address, bans)
        both = columns.attack * services + self._service
        _, found, _ = pairs(columns.address, both, attacks * services)
        names = [(one, two) for one in columns.attacks for two in self._services]
        part.attack_services = named_pair(names, found, both)

    def _by_country(
        self, names: Sequence[str], thing: Numbers, address: Numbers, bans: Numbers
    ) -> Pair:
        """Count things by the countries of their addresses."""
        countries = len(self._countries)
        keys = thing * countries + self._country[address]
        pair = Pair()
        totals, counts = sums(keys, bans), np.bincount(keys)
        for key in np.nonzero(counts)[0].tolist():
            number, country = divmod(key, countries)
            name = names[number], self._countries[country][0]
            pair.addresses[name] += int(counts[key])
            pair.bans[name] += int(totals[key])
        return pair

    def _count_addresses(self) -> None:
        columns, part, of = self._columns, self._part, self._of
        times, addresses = np.unique(self._bans[self._bans > 0], return_counts=True)
        part.banned.update(dict(zip(times.tolist(), addresses.tolist(), strict=True)))
        self._of_hosts = pairs(columns.address, columns.host, len(columns.hosts))
        hosts = np.bincount(self._of_hosts[0], minlength=len(of.ips))
        offenders = tops(self._bans, self._top, least=2)
        part.offenders = _renamed(offenders, of.ips)
        part.widest = self._widest(hosts)
        (present,) = np.nonzero(self._bans)
        nets = np.bincount(self._subnet[present])
        bans_of_nets = sums(self._subnet[present], self._bans[present])
        for number in offenders.kept:
            network, subnet = of.networks[of.network[number]], self._subnet[number]
            part.known[of.ips[number]] = Known(
                country_code=self._countries[self._country[number]][0],
                asn=network.asn,
                as_name=network.as_name,
                scanner=network.scanner,
                subnet=self._subnets[subnet],
                subnet_addresses=int(nets[subnet]),
                subnet_bans=int(bans_of_nets[subnet]),
            )

    def _widest(self, hosts: Numbers) -> Widest | None:
        most = int(hosts.max())
        if most < SEVERAL:
            return None
        (those,) = np.nonzero(hosts == most)
        bans = self._bans[those]
        (first,) = np.nonzero(bans == bans.max())
        return Widest(
            hosts=most,
            bans=int(bans.max()),
            ip=min(self._of.ips[number] for number in those[first].tolist()),
            others=len(those) - 1,
        )

    def _count_hosts(self) -> None:
        """Count each host's addresses, and who attacks hosts in which countries."""
        columns, part = self._columns, self._part
        _, host, _ = self._of_hosts
        part.hosts = named_pair(columns.hosts, host, columns.host)
        if self._around.host_countries:
            there, numbers = numbered(
                [self._around.host_countries.get(host, "") for host in columns.hosts]
            )
            of_bans = numbers[columns.host]
            address, country, bans = pairs(columns.address, of_bans, len(there))
            part.between_countries = self._by_country(there, country, address, bans)

    def _count_look_ups(self) -> None:
        """Count how well places are known, and from what."""
        part, of = self._part, self._of
        (present,) = np.nonzero(self._bans)
        for location, addresses in counted(of.location[present]):
            place = of.locations[location]
            part.precisions[_precision(place)] += addresses
        for number, addresses in counted(of.look_up[present]):
            source, at = of.look_ups[number]
            if source:
                add_source(
                    part.sources,
                    source,
                    LookedUp(addresses=addresses, oldest_at=at, newest_at=at),
                )
        first = np.array([_old_before(each) for each in of.look_ups], np.int64)
        of_bans = first[of.look_up][self._columns.address]
        part.looked_up_later = int(np.count_nonzero(self._columns.quarter < of_bans))

    def _count_lines_and_names(self) -> None:
        columns, part = self._columns, self._part
        for number, bans in counted(columns.shown):
            for attack, lines in columns.all_shown[number]:
                part.lines[attack] += lines * bans
        names, name = numbered(list(chain.from_iterable(columns.all_tried)))
        lengths = np.array(list(map(len, columns.all_tried)), np.int64)
        begins = np.cumsum(lengths) - lengths
        (with_names,) = np.nonzero(lengths[columns.tried])
        tried = columns.tried[with_names]
        # The names of each ban in a row, and beside them its address.
        many = lengths[tried]
        ahead = np.cumsum(many) - many
        every = name[np.arange(many.sum()) + np.repeat(begins[tried] - ahead, many)]
        who, once, _ = pairs(
            np.repeat(columns.address[with_names], many), every, len(name)
        )
        part.names = named_pair(names, once, every)
        part.addresses_with_names = len(np.unique(who))


def _renamed(found: Tops[int], names: Sequence[str]) -> Tops[str]:
    kept = {names[number]: value for number, value in found.kept.items()}
    return Tops(kept=kept, values=found.values)


def _precision(place: Location) -> str:
    """Tell how well a place is known; a city of no known country may be any."""
    if not place.country_code:
        return NOWHERE
    return TO_CITY if place.city else TO_COUNTRY


def _point(place: Location) -> Point:
    """Give a city and its point, else the country alone; of no country nothing."""
    if _precision(place) == NOWHERE:
        return NO_POINT
    latitude, longitude = place.latitude, place.longitude
    if not place.city or latitude is None or longitude is None:
        return Point(place.country_code, "", "", None)
    return Point(place.country_code, place.region, place.city, (latitude, longitude))


def _old_before(look_up: LookUp) -> int:
    """Tell before which quarter-hour a ban is too old for what a look-up tells."""
    if not look_up.looked_up_at:
        return _LONG_AGO
    at = read_time(look_up.looked_up_at)
    return (int(at.timestamp()) - LATER_SECONDS) // QUARTER_SECONDS


def _subnet_of(ip: str) -> str:
    return subnet_of(ip) or ip
