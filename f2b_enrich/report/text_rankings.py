"""The rankings of a report as text: from where, whose, for all and by service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import heading, paragraph, table
from f2b_enrich.report.text_summary import note
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from f2b_enrich.report.figures import Figures, Ranking, Scope, Share

_NETWORK = "network"
_PLACES = frozenset({"country", "city"})
"""Kinds that readers take for the place of a person."""

_COLUMNS = (
    Column("rank", right=True),
    *(Column("addresses", right=True), Column("percent", right=True)),
    Column("bans", right=True),
)


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
    parts: tuple[tuple[str, str, Ranking, Callable[[Share], str]], ...] = (
        ("country", "Countries", scope.countries, _country),
        ("organisation", "Organisations", scope.organisations, _organisation),
        ("city", "Cities", scope.cities, _city),
        (_NETWORK, "Networks", scope.subnets, _subnet),
    )
    is_first = True
    for noun, title, ranking, name_of in parts:
        if not ranking.base:
            continue
        if not is_first:
            yield ""
        is_first = False
        about = f"percent of {words.counted(ranking.base, 'address')}"
        if noun in _PLACES:
            about += "; where the machine is"
        yield from heading(title + of, about=about, width=width)
        yield from _ranking(ranking, noun, name_of, width)


def _ranking(
    ranking: Ranking, noun: str, name_of: Callable[[Share], str], width: int
) -> Iterator[str]:
    if not ranking.shares and not ranking.tied:
        yield from paragraph(f"The {noun} of no address is known.", width=width)
        return
    if noun == _NETWORK and _are_all_single(ranking):
        networks = words.counted(ranking.count, noun)
        yield from paragraph(f"{networks} with 1 address each", width=width)
        return
    rank, *numbers = _COLUMNS
    rows = [
        [
            f"{share.rank:,}",
            name_of(share),
            f"{share.addresses:,}",
            words.percent(share.percent),
            f"{share.bans:,}",
        ]
        for share in ranking.shares
    ]
    if rows:
        yield from table((rank, Column(noun), *numbers), rows, width=width)
    yield from _rest(ranking, noun, width)


def _are_all_single(ranking: Ranking) -> bool:
    """Tell whether no two addresses are neighbours: a list of them tells nothing."""
    each = [share.addresses for share in ranking.shares]
    if ranking.tied is not None:
        each.append(ranking.tied.addresses)
    return ranking.count > 1 and set(each) == {1}


def _rest(ranking: Ranking, noun: str, width: int) -> Iterator[str]:
    more = ranking.count - len(ranking.shares)
    if ranking.tied is not None:
        kind = "" if ranking.shares else noun
        told = words.tied(ranking.tied, "address", kind=kind)
        yield from paragraph(told, width=width)
        more -= ranking.tied.count
    if more > 0:
        yield from paragraph(
            f"and {words.counted(more, f'more {noun}')} with fewer addresses",
            width=width,
        )
    if ranking.unknown:
        share = words.part_of(ranking.unknown, ranking.base)
        yield from paragraph(
            f"{noun} not known: {words.counted(ranking.unknown, 'address')} ({share})",
            width=width,
        )


def _country(share: Share) -> str:
    return f"{share.name} ({share.key})" if share.key != share.name else share.name


def _organisation(share: Share) -> str:
    """Tell apart what is called alike: by its one AS number, or by the note."""
    told = share.note or ("" if share.key == share.name else share.key)
    return f"{share.name} ({told})" if told else share.name


def _city(share: Share) -> str:
    """Add the region, as there are cities of one name; some are named as theirs."""
    is_told = not share.note or share.name.startswith(f"{share.note},")
    return share.name if is_told else f"{share.name} ({share.note})"


def _subnet(share: Share) -> str:
    return share.key if share.name in {"", share.key} else f"{share.key} {share.name}"
