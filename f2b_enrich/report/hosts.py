"""The hosts that the most addresses attacked, and what is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from f2b_enrich.report import crosses, places
from f2b_enrich.report.figures_places import HostFigures, Hosts, HostService
from f2b_enrich.report.figures_rankings import Measure
from f2b_enrich.report.host_counting import HostsAsked
from f2b_enrich.report.part import Pair
from f2b_enrich.report.times import Folding, days_of
from f2b_enrich.report.tops import tops_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f2b_enrich.report.naming import Naming
    from f2b_enrich.report.part import OfHost, Part
    from f2b_enrich.report.request import Request
    from f2b_enrich.report.tops import Listed

TOP_OF_HOST = 5
"""Countries and organisations that are listed of each host."""


def asked(part: Part, request: Request) -> HostsAsked:
    """Choose the hosts of which a report tells more, by the counts of all of them."""
    first = days_of(request)[0]
    folding = Folding(request.zone)
    quarters = sorted(part.quarters)
    days = [(folding.local(quarter).date() - first).days for quarter in quarters]
    listed = {host for _, host, _ in _listed(part, request.top).ranked}
    return HostsAsked(
        hosts=tuple(sorted({*listed, *columns(part)})),
        quarters=np.array(quarters, np.int64),
        days=np.array(days, np.int64),
    )


def _listed(part: Part, top: int) -> Listed[str]:
    counts = part.hosts.addresses
    return tops_of(counts, top).listed(top, {host: host for host in counts})


def columns(part: Part) -> list[str]:
    """Name the hosts that countries are told against."""
    return crosses.most(part.hosts.bans, {}, crosses.MOST_COLUMNS)


def by_country(part: Part) -> Pair:
    """Count those hosts' addresses by their countries."""
    pair = Pair()
    for host in columns(part):
        of = part.of_hosts[host].countries
        for (code, name), found in of.addresses.items():
            pair.addresses[code, host] += found
            pair.bans[code, host] += of.bans[code, name]
    return pair


def hosts(
    part: Part,
    naming: Naming,
    host_countries: Mapping[str, str],
    *,
    top: int,
    days: int,
) -> Hosts:
    """List the hosts; `days` are those of the report."""
    listed = _listed(part, top)
    return Hosts(
        count=len(part.hosts.addresses),
        hosts=tuple(
            HostFigures(
                rank=rank,
                host=host,
                country_code=host_countries.get(host),
                measure=Measure(
                    bans=part.hosts.bans[host],
                    addresses=addresses,
                    attempts=part.of_hosts[host].attempts,
                ),
                services=_services(part.of_hosts[host]),
                countries=places.countries(
                    part.of_hosts[host].countries, naming, addresses, TOP_OF_HOST
                ),
                organisations=places.organisations(
                    part.of_hosts[host].networks, naming, addresses, TOP_OF_HOST
                ),
                days=tuple(part.of_hosts[host].days[day] for day in range(days)),
            )
            for rank, host, addresses in listed.ranked
        ),
        tied=places.tied(listed),
    )


def _services(of_host: OfHost) -> tuple[HostService, ...]:
    counts = of_host.services.addresses
    return tuple(
        HostService(
            service=service,
            addresses=counts[service],
            bans=of_host.services.bans[service],
        )
        for service in sorted(counts, key=lambda service: (-counts[service], service))
    )
