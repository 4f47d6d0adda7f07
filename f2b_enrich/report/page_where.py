"""From where: the map, its regions, the rankings of all bans and of each service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import charts_bars, charts_map
from f2b_enrich.report import text_rankings as rankings
from f2b_enrich.report import text_words as words
from f2b_enrich.report.page_parts import Detail, Section, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_places import Place
    from f2b_enrich.report.figures_rankings import Ranking, Scope
    from f2b_enrich.report.text_rankings import Kind

_DRAWN = frozenset({"country", "organisation"})
_LISTED = 10

_PLACES = (
    Column("place"),
    *(Column("addresses", right=True), Column("bans", right=True)),
)


def where(figures: Figures) -> Section:
    """Show the map, and rank countries and cities."""
    everything = figures.everything
    return Section(
        name="where",
        title="Where from",
        parts=(
            _map(figures),
            ranking("countries", rankings.COUNTRY, everything.countries),
            ranking("cities", rankings.CITY, everything.cities),
        ),
    )


def whose(figures: Figures) -> Section:
    """Rank organisations and networks."""
    everything = figures.everything
    return Section(
        name="whose",
        title="Whose networks",
        parts=(
            ranking("organisations", rankings.ORGANISATION, everything.organisations),
            ranking("networks", rankings.NETWORK, everything.subnets),
        ),
    )


def _map(figures: Figures) -> Section:
    world = figures.world
    if not world.places:
        return Section(name="map", title="Map")
    placed = sum(place.addresses for place in world.places)
    notes = [
        "The area of a bubble tells its unique addresses. A hollow one stands in the "
        "middle of a country of which no more is known."
    ]
    if world.unplaced:
        unplaced = words.counted(world.unplaced, "address")
        notes.append(f"Not on the map: {unplaced} at no known place.")
    most = max(place.addresses for place in world.places)
    return Section(
        name="map",
        title="Map",
        about=f"{words.counted(placed, 'address')} in "
        f"{words.counted(len(world.places), 'place')}; where the machine is",
        chart=charts_map.world(world.places),
        is_broad=True,
        notes=tuple(notes),
        details=tuple(
            _region(region, world.places, most) for region in charts_map.REGIONS
        ),
    )


def _region(region: charts_map.Region, places: Sequence[Place], most: int) -> Detail:
    inside = [place for place in places if region.holds(place)]
    addresses = sum(place.addresses for place in inside)
    told = words.counted(addresses, "address") if inside else "no address"
    listed = inside[:_LISTED]
    caption = f"Places in {region.name} with the most addresses"
    if len(listed) == len(inside):
        caption = f"Places in {region.name}"
    rows = [
        [charts_map.name_of(one), f"{one.addresses:,}", f"{one.bans:,}"]
        for one in listed
    ]
    return Detail(
        title=region.name,
        about=told,
        chart=charts_map.region(region, places, most),
        table=table(caption, _PLACES, rows),
    )


def ranking(
    name: str, kind: Kind, wanted: Ranking, *, title: str = "", is_drawn: bool = True
) -> Section:
    """Rank one kind of thing; those that people ask for first have bars as well."""
    title = title or kind.title
    if not wanted.base:
        return Section(name=name, title=title)
    if instead := kind.instead(wanted):
        return Section(name=name, title=title, texts=(instead,))
    chart = None
    if is_drawn and kind.noun in _DRAWN and wanted.shares:
        chart = charts_bars.ranking(
            name, wanted, noun=kind.noun, what=kind.title.lower()
        )
    return Section(
        name=name,
        title=title,
        about=kind.about(wanted),
        chart=chart,
        table=table(
            f"{title} by unique addresses, {kind.about(wanted)}",
            kind.columns(),
            kind.rows(wanted),
            head=1,
        ),
        notes=tuple(kind.rest(wanted)),
    )


def services(figures: Figures) -> Section:
    """Rank the bans of every service; of one alone all is said already."""
    found = figures.services if len(figures.services) > 1 else ()
    return Section(
        name="services", title="Each service", parts=tuple(map(_service, found))
    )


def _service(scope: Scope) -> Section:
    name = f"service-{scope.service}"
    measure = scope.measure
    note = f"Note: {scope.note}" if scope.note else ""
    parts = (
        ranking(f"{name}-{kind.noun}", kind, kind.of(scope)) for kind in rankings.KINDS
    )
    return Section(
        name=name,
        title=words.service(scope.service),
        about=f"{words.counted(measure.bans, 'ban')} of "
        f"{words.counted(measure.addresses, 'address')}",
        texts=tuple(filter(None, [note])),
        parts=tuple(parts),
    )
