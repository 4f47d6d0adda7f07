"""The smaller tables of a report, made of what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.attacks import CLASSES
from f2b_enrich.model import read_time
from f2b_enrich.report import counting, crosses, hosts, naming, places
from f2b_enrich.report.figures import Filter, Totals
from f2b_enrich.report.figures_attacks import AttackCount, Attacks, Names, NameTried
from f2b_enrich.report.figures_places import Whom
from f2b_enrich.report.figures_rankings import Measure
from f2b_enrich.report.figures_sources import (
    Coverage,
    JailCount,
    Jails,
    ScannerCount,
    Scanners,
    Source,
)
from f2b_enrich.report.tops import tops_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f2b_enrich.report.figures_times import Times
    from f2b_enrich.report.part import Part
    from f2b_enrich.report.request import Request

OTHER_SERVICE = "other"

NOT_KNOWN = "not known"

NOT_CLASSED = "not classed yet"

FEWEST_ADDRESSES = 2
"""Addresses that tried a user name, with fewer of which it may be a password."""


def filters(request: Request) -> tuple[Filter, ...]:
    """Tell what a report is confined to, and what it leaves out."""
    kept = {
        "host": request.hosts,
        "service": request.services,
        "jail": request.jails,
        "country": request.countries,
        "network": request.networks,
        "attack": request.attacks,
    }
    found = [
        Filter(what=what, values=values) for what, values in kept.items() if values
    ]
    if request.without_jails:
        values = request.without_jails
        found.append(Filter(what="jail", values=values, leaves_out=True))
    if request.without_scanners:
        found.append(Filter(what="scanners", values=(), leaves_out=True))
    return tuple(found)


def totals(part: Part, times: Times) -> Totals:
    """Count everything."""
    return Totals(
        measure=_measure(part),
        hosts=len(part.hosts.bans),
        days=len(times.days),
        days_covered=sum(1 for day in times.days if day.state == "data"),
        repeats=part.repeats,
        cidr_bans=part.cidr_bans,
    )


def _measure(part: Part) -> Measure:
    return Measure(
        bans=part.services.bans[None],
        addresses=part.services.addresses[None],
        attempts=part.attempts[None],
    )


def services(part: Part) -> list[str]:
    """Name the services there are, that with the most addresses first."""
    counts = part.services.addresses
    named = (service for service in counts if service is not None)
    return sorted(named, key=lambda service: (-counts[service], service))


def attacks(part: Part, top: int) -> Attacks:
    """Count the classes of attack, and each against countries and services."""
    names = {
        attack: CLASSES.get(attack, attack) or NOT_CLASSED
        for attack in {**part.attacks.bans, **part.lines}
    }
    found = {attack: part.attacks.addresses[attack] for attack in names}
    ordered = crosses.most(found, names, len(names))
    leading = [attack for attack in ordered if part.attacks.bans[attack]]
    countries = country_names(part)
    of_countries = country_counts(part)
    return Attacks(
        classes=tuple(
            AttackCount(
                attack=attack,
                name=names[attack],
                bans=part.attacks.bans[attack],
                addresses=part.attacks.addresses[attack],
                percent=_percent(part.attacks.addresses[attack], part),
                lines=part.lines[attack],
            )
            for attack in ordered
        ),
        by_country=crosses.cross(
            part.attack_countries,
            crosses.with_tied({key: found[key] for key in leading}, names, top),
            crosses.most(of_countries, countries, crosses.MOST_COLUMNS),
            row_names=names,
            column_names=countries,
        ),
        by_service=crosses.cross(
            part.attack_services,
            leading,
            services(part),
            row_names=names,
            column_names={},
        ),
    )


def _percent(addresses: int, part: Part) -> float:
    base = part.services.addresses[None]
    return 100 * addresses / base if base else 0.0


def country_names(part: Part) -> dict[str, str]:
    """Name the countries by their codes."""
    names = naming.country_names(part)
    return names | {"": NOT_KNOWN} if names else {}


def country_counts(part: Part) -> dict[str, int]:
    """Count addresses by country code; the unknown come last."""
    counts: dict[str, int] = {}
    for (code, _), found in (
        part.countries[None].addresses.items() if part.countries else ()
    ):
        counts[code] = counts.get(code, 0) + found
    if "" in counts:
        counts[""] = 0
    return counts


def names(part: Part, top: int) -> Names:
    """List the user names that several addresses tried."""
    listed = tops_of(part.names.addresses, top, least=FEWEST_ADDRESSES).listed(
        top, {name: name for name in part.names.addresses}
    )
    alone = sum(
        1 for found in part.names.addresses.values() if found < FEWEST_ADDRESSES
    )
    return Names(
        base=part.addresses_with_names,
        left_out=alone,
        names=tuple(
            NameTried(rank=rank, name=name, addresses=found, bans=part.names.bans[name])
            for rank, name, found in listed.ranked
        ),
        tied=places.tied(listed),
    )


def whom(part: Part, top: int) -> Whom:
    """Tell from which countries which hosts are attacked."""
    countries = country_names(part)
    sources = crosses.with_tied(country_counts(part), countries, top)
    there: dict[str, int] = {}
    for (country, _), bans in part.between_countries.bans.items():
        there[country] = there.get(country, 0) + bans
    return Whom(
        by_host=crosses.cross(
            hosts.by_country(part),
            sources,
            hosts.columns(part),
            row_names=countries,
            column_names={},
            bans=part.services.bans[None],
        ),
        by_host_country=crosses.cross(
            crosses.turned(part.between_countries),
            sources,
            crosses.most(there, {}, crosses.MOST_COLUMNS),
            row_names=countries,
            column_names={"": NOT_KNOWN},
        ),
    )


def scanners(part: Part, *, left_out: bool) -> Scanners:
    """Count the known scanners, and give the totals with them and without."""
    measure = _measure(part)
    of_scanners = Measure(
        bans=part.scanners.bans.total(),
        addresses=part.scanners.addresses.total(),
        attempts=part.scanner_attempts,
    )
    sign = 1 if left_out else -1
    other = Measure(
        bans=measure.bans + sign * of_scanners.bans,
        addresses=measure.addresses + sign * of_scanners.addresses,
        attempts=measure.attempts + sign * of_scanners.attempts,
    )
    counts = part.scanners.addresses
    return Scanners(
        left_out=left_out,
        everything=other if left_out else measure,
        without=measure if left_out else other,
        scanners=tuple(
            ScannerCount(
                name=name, addresses=counts[name], bans=part.scanners.bans[name]
            )
            for name in sorted(counts, key=lambda name: (-counts[name], name))
        ),
    )


def coverage(part: Part) -> Coverage:
    """Tell of how many addresses the place is known, and from what."""
    known = part.precisions
    return Coverage(
        to_city=known[counting.TO_CITY],
        to_country=known[counting.TO_COUNTRY],
        unknown=known[counting.NOWHERE],
        looked_up_later=part.looked_up_later,
        sources=tuple(
            Source(
                source=source,
                addresses=found.addresses,
                oldest_at=read_time(found.oldest_at),
                newest_at=read_time(found.newest_at),
            )
            for source, found in sorted(
                part.sources.items(), key=lambda one: (-one[1].addresses, one[0])
            )
        ),
    )


def jails(part: Part, services: Mapping[str, str], named: frozenset[str]) -> Jails:
    """List the jails, and those that were left out."""
    return Jails(
        jails=_jails(part.jails.bans, part.jails.addresses, services, named),
        left_out=_jails(part.left_out.bans, part.left_out.addresses, services, named),
    )


def _jails(
    bans: Mapping[str, int],
    addresses: Mapping[str, int],
    services: Mapping[str, str],
    named: frozenset[str],
) -> tuple[JailCount, ...]:
    return tuple(
        JailCount(
            jail=jail,
            service=services.get(jail, OTHER_SERVICE),
            bans=bans[jail],
            addresses=addresses[jail],
            is_known=jail in named,
        )
        for jail in sorted(bans, key=lambda jail: (-bans[jail], jail))
    )
