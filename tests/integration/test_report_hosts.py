"""Tests of the figures: each host by itself, and where addresses stand on a map."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.enrich.countries import countries
from f2b_enrich.report.tops import MOST_TIED
from f2b_enrich.report.world import MOST_CITIES
from tests.report_events import (
    DAY,
    DUTCH,
    GERMAN,
    HOUR,
    OCTOBER,
    SERVICES,
    ReportStore,
    Told,
    banned,
    figures,
    month,
    place,
)
from tests.report_seen import HOSTS, SEEN, SLOW_STORE, ZONES, Seen, stored

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_places import Place


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    """Give a store without bans."""
    return ReportStore(tmp_path / "bans.db")


@SLOW_STORE
@given(SEEN)
def test_a_host_is_told_as_a_report_of_it_alone_tells(seen: Seen) -> None:
    """Its measure, services, countries and days are those of a report of the host.

    Each address has one look-up here: a report knows those that its bans have.
    """
    known = {each.ip: each for each in seen.known}
    with stored(Seen(seen.told)) as store:
        store.add((), known.values())
        made = figures(store, top=5)
        alone = {host: figures(store, hosts=(host,), top=5) for host in HOSTS}

    there = {host: one for host, one in alone.items() if one.totals.measure.bans}
    assert made.hosts.count == len(there) == len(made.hosts.hosts)
    for each in made.hosts.hosts:
        one = there[each.host]
        assert each.measure == one.totals.measure
        assert [(of.service, of.addresses, of.bans) for of in each.services] == [
            (scope.service, scope.measure.addresses, scope.measure.bans)
            for scope in one.services
        ]
        assert [(share.key, share.addresses) for share in each.countries.shares] == [
            (share.key, share.addresses) for share in one.everything.countries.shares
        ]
        assert each.countries.unknown == one.everything.countries.unknown
        assert sum(share.bans for share in each.organisations.shares) == sum(
            share.bans for share in one.everything.organisations.shares
        )
        assert each.days == tuple(day.bans for day in one.times.days)
    sizes = [each.measure.addresses for each in made.hosts.hosts]
    assert sizes == sorted(sizes, reverse=True)


@SLOW_STORE
@given(SEEN, st.sampled_from(ZONES))
def test_days_of_all_hosts_are_the_days_of_the_report(seen: Seen, zone: str) -> None:
    """Whatever the zone is: both are folded from the same quarter-hours."""
    with stored(seen) as store:
        made = figures(store, month(zone=zone))

    for number, day in enumerate(made.times.days):
        assert day.bans == sum(each.days[number] for each in made.hosts.hosts)


@SLOW_STORE
@given(SEEN)
def test_hosts_that_are_tied_with_the_last_are_listed(seen: Seen) -> None:
    """The first alone, and all that have as many addresses."""
    with stored(seen) as store:
        short, long = figures(store, top=1), figures(store)

    kept = tuple(each for each in long.hosts.hosts if each.rank == 1)
    assert kept == short.hosts.hosts
    assert short.hosts.count == long.hosts.count


@pytest.mark.parametrize("tied", [MOST_TIED, MOST_TIED + 1])
def test_too_many_hosts_that_are_tied_are_told_by_their_number(
    store: ReportStore, tied: int
) -> None:
    """One host has two addresses, all others have one."""
    first = [Told(ip=f"198.18.0.{last}", at=OCTOBER, host="web") for last in (1, 2)]
    rest = [
        Told(ip="198.18.1.1", at=OCTOBER + number * HOUR, host=f"host{number}")
        for number in range(tied)
    ]
    store.add([*first, *rest])
    made = figures(store).hosts

    assert made.count == tied + 1
    if tied <= MOST_TIED:
        assert (len(made.hosts), made.tied) == (tied + 1, None)
        return
    assert [each.host for each in made.hosts] == ["web"]
    assert made.tied is not None
    assert (made.tied.rank, made.tied.count, made.tied.each) == (2, tied, 1)


def test_a_host_stands_where_it_is_said_to(store: ReportStore) -> None:
    """Of a host that nobody placed nothing is told."""
    store.add(banned(["198.18.0.1"], OCTOBER))
    store.add([Told(ip="198.18.0.1", at=OCTOBER, host="web2")])
    store.place_host("web2", "SG")

    assert {each.host: each.country_code for each in figures(store).hosts.hosts} == {
        "web1": None,
        "web2": "SG",
    }


def test_processes_tell_the_same_of_hosts(store: ReportStore) -> None:
    """Who listens to whom is decided between them, so both have to be asked."""
    told = [
        Told(
            ip=f"198.18.{number % 200}.{number % 7}",
            at=OCTOBER + number * DAY / 40,
            host=f"host{number % 13}",
            jail=tuple(SERVICES)[number % 5],
        )
        for number in range(1000)
    ]
    store.add(told)
    asked = replace(month(zone="Asia/Kathmandu"), top=3)

    assert figures(store, asked) == figures(store, asked, processes=2)


@SLOW_STORE
@given(SEEN)
def test_each_address_is_at_one_place_or_at_none(seen: Seen) -> None:
    """Together they are all addresses, and those of no country are at no place."""
    with stored(seen) as store:
        made = figures(store, top=1000)

    world = made.world
    assert sum(each.addresses for each in world.places) + world.unplaced == (
        made.totals.measure.addresses
    )
    assert world.unplaced == made.coverage.unknown
    by_country = Counter[str]()
    for each in world.places:
        by_country[each.country_code] += each.addresses
    assert by_country == {
        share.key: share.addresses for share in made.everything.countries.shares
    }
    keys = [(each.country_code, each.region, each.city) for each in world.places]
    assert len({*keys}) == len(keys)
    addresses = [each.addresses for each in world.places]
    assert addresses == sorted(addresses, reverse=True)


def test_a_city_stands_where_most_of_its_addresses_do(store: ReportStore) -> None:
    """Look-ups may differ: of two points with as many addresses the least is taken."""
    here, there, nowhere = (52.37, 4.89), (52.4, 4.9), (91.0, 4.9)
    positions = (there, here, here, nowhere, None)
    ips = [f"198.18.0.{last}" for last in range(1, 6)]
    known = [
        place(ip, DUTCH, city="Amsterdam", position=position)
        for ip, position in zip(ips, positions, strict=True)
    ]
    store.add(banned(ips, OCTOBER), known)

    city, country = figures(store).world.places

    assert (city.city, city.addresses, (city.latitude, city.longitude)) == (
        *("Amsterdam", 3),
        here,
    )
    middle = countries()["NL"]
    assert _point(country) == ("", 2, middle.latitude, middle.longitude)

    store.add(
        banned(["198.18.1.1"], OCTOBER),
        [place("198.18.1.1", DUTCH, city="Amsterdam", position=there)],
    )
    assert _point(figures(store).world.places[0]) == ("Amsterdam", 4, *here)


def _point(place: Place) -> tuple[str, int, float, float]:
    return place.city, place.addresses, place.latitude, place.longitude


def test_a_country_that_no_map_has_is_at_no_place(store: ReportStore) -> None:
    """Nobody knows where its middle is; its cities stand where they are."""
    ips = ("198.18.0.1", "198.18.0.2")
    store.add(
        banned(ips, OCTOBER),
        [
            place(ips[0], ("ZZ", "Nowhere")),
            place(ips[1], ("ZZ", "Nowhere"), city="Here", position=(1.0, 2.0)),
        ],
    )
    made = figures(store).world

    assert [each.city for each in made.places] == ["Here"]
    assert made.unplaced == 1


def test_of_too_many_cities_the_smallest_count_at_their_country(
    store: ReportStore,
) -> None:
    """The cut goes by the names among those that are equal."""
    cities = [f"City {number:03}" for number in range(MOST_CITIES + 2)]
    known = [
        place(f"198.18.{number % 250}.{number // 250}", GERMAN, city=city, position=at)
        for number, city in enumerate(cities)
        for at in [(50.0, number / 10)]
    ]
    store.add(banned([each.ip for each in known], OCTOBER), known)
    made = figures(store).world

    middle, *placed = made.places
    assert (middle.city, middle.addresses, middle.country) == ("", 2, "Germany")
    assert [each.city for each in placed] == cities[:MOST_CITIES]
    assert made.unplaced == 0


def test_a_time_without_bans_has_no_hosts_and_no_places(store: ReportStore) -> None:
    """Also in a zone whose first day began in the month before."""
    made: Figures = figures(store, zone=ZoneInfo("Asia/Kathmandu"))

    assert (made.hosts.count, made.hosts.hosts, made.hosts.tied) == (0, (), None)
    assert (made.world.places, made.world.unplaced) == ((), 0)
