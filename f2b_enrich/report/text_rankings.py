"""The rankings of a report as text: from where, whose, for all and by service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import heading, paragraph, table
from f2b_enrich.report.text_summary import note
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_rankings import Ranking, Scope, Share

_NETWORK = "network"
_PLACES = frozenset({"country", "city"})
"""Kinds that readers take for the place of a person."""

_NUMBERS = ("addresses", "percent", "bans")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is ranked: a country, say. `of` finds its ranking, `name` writes one."""

    noun: str
    title: str
    of: Callable[[Scope], Ranking]
    name: Callable[[Share], str]

    def about(self, ranking: Ranking) -> str:
        """Say what the percentages are of, and what a place or a network is."""
        told = f"percent of {words.counted(ranking.base, 'address')}"
        if self.noun == _NETWORK:
            return f"{told}; a network is a /24 or a /64"
        return f"{told}; where the machine is" if self.noun in _PLACES else told

    def columns(self) -> tuple[Column, ...]:
        """Head the lines of `rows`."""
        numbers = (Column(name, right=True) for name in _NUMBERS)
        return (Column("rank", right=True), Column(self.noun), *numbers)

    def rows(self, ranking: Ranking) -> list[list[str]]:
        """Write a line for each that is listed."""
        return [
            [
                f"{share.rank:,}",
                self.name(share),
                f"{share.addresses:,}",
                words.percent(share.percent),
                f"{share.bans:,}",
            ]
            for share in ranking.shares
        ]

    def instead(self, ranking: Ranking) -> str:
        """Say why there is no list; empty where there is one."""
        if not ranking.shares and not ranking.tied:
            return f"The {self.noun} of no address is known."
        if self.noun == _NETWORK and _are_all_single(ranking):
            return f"{words.counted(ranking.count, self.noun)} with 1 address each"
        return ""

    def rest(self, ranking: Ranking) -> Iterator[str]:
        """Say what is not listed, in a sentence each."""
        more = ranking.count - len(ranking.shares)
        if ranking.tied is not None:
            kind = "" if ranking.shares else self.noun
            yield words.tied(ranking.tied, "address", kind=kind)
            more -= ranking.tied.count
        if more > 0:
            yield f"and {words.counted(more, f'more {self.noun}')} with fewer addresses"
        if ranking.unknown:
            share = words.part_of(ranking.unknown, ranking.base)
            unknown = words.counted(ranking.unknown, "address")
            yield f"{self.noun} not known: {unknown} ({share})"


def everything(figures: Figures, width: int) -> Iterator[str]:
    """Rank all bans."""
    yield from _scope(figures.everything, width)


def by_service(figures: Figures, width: int) -> Iterator[str]:
    """Rank the bans of every service; of one alone all is said already."""
    if len(figures.services) == 1:
        return
    for number, each in enumerate(figures.services):
        if number:
            yield ""
        measure = each.measure
        yield from heading(
            f"{words.service(each.service)} alone",
            about=f"{words.counted(measure.bans, 'ban')} of "
            f"{words.counted(measure.addresses, 'address')}",
            width=width,
        )
        if each.note:
            yield from note(each.service, each.note, width)
        for line_number, line in enumerate(_scope(each, width)):
            if not line_number:
                yield ""
            yield line


def _scope(scope: Scope, width: int) -> Iterator[str]:
    of = f", {words.service(scope.service)}"
    is_first = True
    for kind in KINDS:
        ranking = kind.of(scope)
        if not ranking.base:
            continue
        if not is_first:
            yield ""
        is_first = False
        yield from heading(kind.title + of, about=kind.about(ranking), width=width)
        yield from _ranking(ranking, kind, width)


def _ranking(ranking: Ranking, kind: Kind, width: int) -> Iterator[str]:
    if instead := kind.instead(ranking):
        yield from paragraph(instead, width=width)
        return
    if rows := kind.rows(ranking):
        yield from table(kind.columns(), rows, width=width)
    for told in kind.rest(ranking):
        yield from paragraph(told, width=width)


def _are_all_single(ranking: Ranking) -> bool:
    """Tell whether no two addresses are neighbours: a list of them tells nothing."""
    each = [share.addresses for share in ranking.shares]
    if ranking.tied is not None:
        each.append(ranking.tied.each)
    return ranking.count > 1 and set(each) == {1}


def _country(share: Share) -> str:
    return f"{share.name} ({share.key})" if share.key != share.name else share.name


def _organisation(share: Share) -> str:
    """Tell apart what is called alike: by its one AS number, or by the note."""
    # The key of one without a number is for programs: its name in small letters.
    number = share.key if share.key.startswith("AS") else ""
    told = share.note or ("" if number == share.name else number)
    return f"{share.name} ({told})" if told else share.name


def _city(share: Share) -> str:
    """Add the region, as there are cities of one name; some are named as theirs."""
    is_told = not share.note or share.name.startswith(f"{share.note},")
    return share.name if is_told else f"{share.name} ({share.note})"


def _subnet(share: Share) -> str:
    return share.key if share.name in {"", share.key} else f"{share.key} {share.name}"


COUNTRY = Kind(
    noun="country", title="Countries", of=lambda scope: scope.countries, name=_country
)
ORGANISATION = Kind(
    noun="organisation",
    title="Organisations",
    of=lambda scope: scope.organisations,
    name=_organisation,
)
CITY = Kind(noun="city", title="Cities", of=lambda scope: scope.cities, name=_city)
NETWORK = Kind(
    noun=_NETWORK, title="Networks", of=lambda scope: scope.subnets, name=_subnet
)
KINDS = (COUNTRY, ORGANISATION, CITY, NETWORK)
