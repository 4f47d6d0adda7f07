"""The tables of a digest: by service, by address, by network, names that were tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.mail import names, wording
from f2b_enrich.mail.digest_lists import addresses, network
from f2b_enrich.mail.subject import first_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.figures import PeriodFigures, ServiceCount, SourceCount

_MOST_JAILS = 4
_LONGEST = 40
"""Where the name of a jail or a host is cut, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """A service; the figures as text."""

    service: str
    bans: str
    addresses: str
    failures: str
    most_hit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """An address or a /64; the figures as text."""

    name: str
    bans: str
    hosts: str
    country: str
    network: str
    jails: str


def services(figures: PeriodFigures) -> Iterator[ServiceRow]:
    """Give a row for each service, the most bans first."""
    for each in figures.services:
        yield ServiceRow(
            service=each.service,
            bans=f"{each.count.bans:,}",
            addresses=f"{each.count.addresses:,}",
            failures=f"{each.count.failures:,}",
            most_hit=_most_hit(each),
        )


def _most_hit(each: ServiceCount) -> str:
    return f"{inert.cut(first_label(each.most_hit), _LONGEST)} {each.most_hit_bans:,}"


def overlap(figures: PeriodFigures) -> str:
    """Say why the services' addresses are more than there were."""
    if not figures.in_several:
        return ""
    extra = figures.in_services - figures.count.addresses
    hit = f"{addresses(figures.in_several)} hit more than one service"
    total = f"{figures.count.addresses:,}"
    return f"{hit}: {figures.in_services:,} - {extra:,} = {total}"


def sources(figures: PeriodFigures) -> Iterator[SourceRow]:
    """Give a row for each of the busiest; those with one ban say nothing here."""
    for each in figures.sources:
        if each.bans > 1:
            yield SourceRow(
                name=_source(each),
                bans=f"{each.bans:,}",
                hosts=f"{each.hosts:,}",
                country=each.country_code or "",
                network=network(each.asn, each.as_name),
                jails=_jails(each.jails),
            )


def _source(each: SourceCount) -> str:
    return f"{each.name} ({each.addresses:,})" if each.addresses > 1 else each.name


def _jails(jails: tuple[str, ...]) -> str:
    named = [inert.cut(jail, _LONGEST) for jail in jails[:_MOST_JAILS]]
    more = len(jails) - _MOST_JAILS
    return ", ".join([*named, f"{more:,} more"] if more > 0 else named)


def networks(figures: PeriodFigures) -> Iterator[str]:
    """Name those of the most addresses, with their share of all addresses."""
    everybody = figures.count.addresses
    for each in figures.networks:
        share = f"{each.addresses:,} ({100 * each.addresses / everybody:.1f}%"
        known = f", {each.scanner} scanner" if each.scanner else ""
        yield f"{network(each.asn, each.as_name)} {share} of {everybody:,}{known})"
    more = figures.all_networks - len(figures.networks)
    if more > 0:
        yield wording.counted(more, "more network")
    if figures.networks and figures.unplaced:
        yield f"not known {figures.unplaced:,}"


def tried(figures: PeriodFigures) -> Iterator[str]:
    """Name what two addresses tried at least, with the number of addresses."""
    for each in figures.names:
        yield f"{names.shown(each.name)} {each.count:,}"
