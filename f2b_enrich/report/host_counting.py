"""Hosts that are listed: who attacked each, when and on what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from f2b_enrich.report.grouping import counted, named_pair, numbered, weighted
from f2b_enrich.report.part import OfHost, Part

if TYPE_CHECKING:
    from f2b_enrich.report.columns import Columns
    from f2b_enrich.report.counting import Around
    from f2b_enrich.report.grouping import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsAsked:
    """Hosts of which more is told, and the day of each quarter-hour with bans.

    The quarters are in their order; their days are counted from the first one.
    """

    hosts: tuple[str, ...]
    quarters: Numbers
    days: Numbers


def count(columns: Columns, around: Around, asked: HostsAsked) -> Part:
    """Count the bans of some hosts, each of which may have none here."""
    numbers = {host: number for number, host in enumerate(columns.hosts)}
    wanted = [numbers[host] for host in asked.hosts if host in numbers]
    part = Part()
    if not wanted or not len(columns):
        return part
    is_wanted = np.zeros(len(columns.hosts), bool)
    is_wanted[wanted] = True
    (bans,) = np.nonzero(is_wanted[columns.host])
    bans = bans[np.argsort(columns.host[bans], kind="stable")]
    ends = np.searchsorted(columns.host[bans], wanted, side="right")
    begins = np.searchsorted(columns.host[bans], wanted, side="left")
    counting = _Counting(columns, around, asked)
    for number, begin, end in zip(wanted, begins, ends, strict=True):
        if begin < end:
            host = columns.hosts[number]
            part.of_hosts[host] = counting.of_host(bans[begin:end])
    return part


class _Counting:
    """Counts the bans of one host after the other."""

    def __init__(self, columns: Columns, around: Around, asked: HostsAsked) -> None:
        self._columns, self._asked, of = columns, asked, columns.addresses
        self._services, self._of_jails = numbered(
            [around.service_of(jail) for jail in columns.jails]
        )
        self._countries, self._of_locations = numbered(
            [(each.country_code, each.country) for each in of.locations]
        )
        self._networks, self._of_networks = numbered(
            [(each.asn, each.as_name) for each in of.networks]
        )

    def of_host(self, bans: Numbers) -> OfHost:
        """Count bans, which are given by their places in the columns."""
        columns, of, asked = self._columns, self._columns.addresses, self._asked
        address, many = np.unique(columns.address[bans], return_counts=True)
        service = self._of_jails[columns.jail[bans]]
        both = np.unique(columns.address[bans] * len(self._services) + service)
        quarter = np.searchsorted(asked.quarters, columns.quarter[bans])
        return OfHost(
            attempts=int(columns.failures[bans].sum()),
            services=named_pair(self._services, both % len(self._services), service),
            countries=weighted(
                self._countries, self._of_locations[of.location[address]], many
            ),
            networks=weighted(
                self._networks, self._of_networks[of.network[address]], many
            ),
            days=Counter(dict(counted(asked.days[quarter]))),
        )
