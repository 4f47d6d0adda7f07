"""A report's figures made fit to be published: nothing that names anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, get_args
from zoneinfo import available_timezones

from f2b_enrich.attacks import CLASSES
from f2b_enrich.enrich.countries import countries
from f2b_enrich.model import Service
from f2b_enrich.report import publishable, tables
from f2b_enrich.report.summary import (
    VERSION,
    AttackClassCount,
    BannedTimesCount,
    CityCount,
    CountryCount,
    DayCount,
    OrganisationCount,
    ServiceCount,
    Summary,
    SummaryFilter,
    SummaryPeriod,
    SummaryTotals,
)
from f2b_enrich.report.withheld import numbers, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.report.figures import Figures, ReportPeriod
    from f2b_enrich.report.figures_rankings import Share

    _Placed = CountryCount | CityCount | OrganisationCount
    _Row = _Placed | ServiceCount | AttackClassCount | BannedTimesCount
    _Counted = TypeVar("_Counted", bound=_Row)

_TELLING = {"service", "country", "attack"}
"""Filters whose values name nobody."""

_ASN = re.compile(r"AS([0-9]+)")


def summarise(figures: Figures, *, least: int) -> Summary:
    """Digest a report; less than `least` is told nowhere."""
    return _Digest(figures, least).summary()


@dataclass(frozen=True, slots=True)
class _Digest:
    figures: Figures
    least: int

    def summary(self) -> Summary:
        figures = self.figures
        found = figures.totals.measure
        is_told = not found.addresses or found.addresses >= self.least
        listed = self.countries() if is_told else ()
        return Summary(
            version=VERSION,
            least=self.least,
            period=_period(figures.period),
            filters=_filters(figures),
            totals=SummaryTotals(
                bans=found.bans if is_told else None,
                addresses=found.addresses if is_told else None,
                attempts=found.attempts if is_told else None,
                hosts=figures.totals.hosts if is_told else None,
                days=figures.totals.days,
                days_covered=figures.totals.days_covered if is_told else None,
            ),
            services=self.services() if is_told else (),
            countries=listed,
            organisations=self.organisations() if is_told else (),
            cities=self.cities(listed),
            attacks=self.attacks() if is_told else (),
            banned=self.banned() if is_told else (),
            # Even a day that is not told would say when somebody was banned.
            days=self.days() if is_told else (),
            hours=self.hours() if is_told else (),
        )

    def services(self) -> tuple[ServiceCount, ...]:
        every = [
            ServiceCount(
                service=str(each.service),
                addresses=each.measure.addresses,
                bans=each.measure.bans,
                attempts=each.measure.attempts,
            )
            for each in self.figures.services
            if each.service in get_args(Service)
        ]
        return self._by_both(every)

    def attacks(self) -> tuple[AttackClassCount, ...]:
        every = [
            AttackClassCount(
                attack=each.attack,
                name=CLASSES.get(each.attack, tables.NOT_CLASSED),
                addresses=each.addresses,
                bans=each.bans,
            )
            for each in self.figures.attacks.classes
            if each.attack in CLASSES or not each.attack
        ]
        return self._by_both(every)

    def _by_both(self, every: Sequence[_Counted]) -> tuple[_Counted, ...]:
        """Tell what has enough addresses, so that no small rest of either remains.

        One address may be in several, so the bans alone add up. What they lack may be
        many of a single address, unless one of those that have enough goes as well.
        """
        enough = [each for each in every if each.addresses >= self.least]
        lacking = self.figures.totals.measure.bans - sum(map(_bans, enough))
        if enough and lacking:
            enough.remove(min(reversed(enough), key=_addresses))
        return self._by_addresses(enough)

    def countries(self) -> tuple[CountryCount, ...]:
        names = countries()
        every = [
            CountryCount(
                country_code=each.key,
                country=names[each.key].name if each.key in names else each.key,
                addresses=each.addresses,
                bans=each.bans,
            )
            for each in self.figures.everything.countries.shares
            if publishable.country_code(each.key)
        ]
        return self._by_addresses(every)

    def organisations(self) -> tuple[OrganisationCount, ...]:
        every = [
            _organisation(each) for each in self.figures.everything.organisations.shares
        ]
        return self._by_addresses([each for each in every if each.name])

    def cities(self, listed: Sequence[CountryCount]) -> tuple[CityCount, ...]:
        """Tell cities of countries that are told, so that no small rest remains."""
        shares = self.figures.everything.cities.shares
        every = [each for each in map(_city, shares) if each.city]
        kept: set[CityCount] = set()
        for country in listed:
            inside = [
                each for each in every if each.country_code == country.country_code
            ]
            kept.update(
                told(inside, _addresses, total=country.addresses, least=self.least)
            )
        return tuple(each for each in every if each in kept)

    def _by_addresses(self, every: Sequence[_Counted]) -> tuple[_Counted, ...]:
        total = self.figures.totals.measure.addresses
        return tuple(told(every, _addresses, total=total, least=self.least))

    def banned(self) -> tuple[BannedTimesCount, ...]:
        every = [
            BannedTimesCount(bans=each.bans, addresses=each.addresses)
            for each in self.figures.addresses.banned
        ]
        return self._by_addresses(every)

    def days(self) -> tuple[DayCount, ...]:
        """Tell days, weekday by weekday: the hours tell the sums of those."""
        every = self.figures.times.days
        of_weekdays: list[list[int]] = [[] for _ in self.figures.times.hours]
        for place, each in enumerate(every):
            of_weekdays[each.day.weekday()].append(place)
        counts: dict[int, int | None] = {}
        for weekday, places in enumerate(of_weekdays):
            found = self._numbers(weekday, [every[place].bans for place in places])
            counts.update(zip(places, found, strict=True))
        return tuple(
            DayCount(
                day=each.day,
                bans=counts[place],
                state="few" if counts[place] is None else each.state,
            )
            for place, each in enumerate(every)
        )

    def hours(self) -> tuple[tuple[int | None, ...], ...]:
        hours = self.figures.times.hours
        return tuple(tuple(self._numbers(*each)) for each in enumerate(hours))

    def _numbers(self, weekday: int, counts: Sequence[int]) -> list[int | None]:
        """Tell the numbers of a weekday, or none of one with too few bans."""
        if weekday in self.weekdays():
            return numbers(counts, least=self.least)
        return [None if count else 0 for count in counts]

    def weekdays(self) -> set[int]:
        """Give the weekdays of which something is told."""
        sums = [sum(hours) for hours in self.figures.times.hours]
        found = numbers(sums, least=self.least)
        return {weekday for weekday, bans in enumerate(found) if bans}


def _addresses(row: _Row) -> int:
    return row.addresses


def _bans(row: _Row) -> int:
    return row.bans


def _organisation(share: Share) -> OrganisationCount:
    """Take what is told of a share; of several networks each may have one address."""
    asn = _ASN.fullmatch(share.key)
    return OrganisationCount(
        asn=int(asn[1]) if asn else None,
        name=publishable.name(share.name),
        addresses=share.addresses,
        bans=share.bans,
    )


def _city(share: Share) -> CityCount:
    """Take a city's name apart from its country's."""
    code, _, _ = share.key.partition("/")
    return CityCount(
        country_code=code,
        region=publishable.name(share.note),
        city=publishable.name(share.name.removesuffix(f", {code}")),
        addresses=share.addresses,
        bans=share.bans,
    )


def _period(period: ReportPeriod) -> SummaryPeriod:
    """Tell the time; what is called by no public name may be the path of a file."""
    return SummaryPeriod(
        label=period.label,
        since=period.since,
        until=period.until,
        zone=period.zone if period.zone in {"UTC", *available_timezones()} else None,
    )


def _filters(figures: Figures) -> tuple[SummaryFilter, ...]:
    return tuple(
        SummaryFilter(
            what=each.what,
            values=each.values if each.what in _TELLING else (),
            leaves_out=each.leaves_out,
        )
        for each in figures.filters
    )
