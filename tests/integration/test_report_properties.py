"""Tests of the figures: whatever was banned, their sums agree."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from f2b_enrich.report import hosts, places, tables, world
from f2b_enrich.report.naming import Naming
from f2b_enrich.report.tops import MOST_TIED
from tests.report_events import (
    DAY,
    OCTOBER,
    SERVICES,
    ReportStore,
    Told,
    counted_in_shares,
    figures,
    month,
    organisation_of,
    place,
)
from tests.report_seen import (
    COUNTRIES,
    HOSTS,
    SEEN,
    SLOW_STORE,
    ZONES,
    Seen,
    counted,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.model import Enrichment
    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_places import HostFigures
    from f2b_enrich.report.figures_rankings import Cross, Ranking, Scope
    from f2b_enrich.report.part import Part


def _service(told: Told) -> str:
    return SERVICES.get(told.jail, "other")


def _scopes(made: Figures) -> tuple[Scope, ...]:
    return (made.everything, *made.services)


def _rankings(made: Figures) -> Iterator[Ranking]:
    for scope in _scopes(made):
        yield from (scope.countries, scope.organisations, scope.cities, scope.subnets)


def _bans_of(cross: Cross) -> int:
    return sum(cell.bans for cell in cross.cells) + cross.others


@SLOW_STORE
@given(SEEN)
def test_the_totals_are_what_was_banned(seen: Seen) -> None:
    """Bans, addresses and attempts are those of October, without repeats."""
    with stored(seen) as store:
        made = figures(store)
    counts = counted(seen)

    for scope in _scopes(made):
        of = [each for each in counts if scope.service in (None, _service(each))]
        measure = scope.measure
        assert measure.bans == len(of)
        assert measure.addresses == len({each.ip for each in of})
        assert measure.attempts == sum(each.failures for each in of)
    assert {scope.service for scope in made.services} == set(map(_service, counts))
    on_several = Counter(ip for ip, _ in {(each.ip, _service(each)) for each in counts})
    assert made.several_services == sum(1 for many in on_several.values() if many > 1)
    assert made.totals.hosts == len({each.host for each in counts})
    assert made.totals.cidr_bans == sum("/" in each.ip for each in counts)
    until = OCTOBER + 31 * DAY
    assert made.totals.repeats == sum(
        each.jail == "recidive" and OCTOBER <= each.at < until for each in seen.told
    )


@SLOW_STORE
@given(SEEN)
def test_every_table_adds_up_to_the_totals(seen: Seen) -> None:
    """Each ban is in each table once, or told as one that stands outside."""
    with stored(seen) as store:
        for host in HOSTS[:2]:
            store.place_host(host, "FR")
        made = figures(store)
    total = made.totals.measure

    assert sum(scope.measure.bans for scope in made.services) == total.bans
    assert sum(scope.measure.attempts for scope in made.services) == total.attempts
    assert sum(day.bans for day in made.times.days) == total.bans
    assert sum(map(sum, made.times.hours)) == total.bans
    banned = made.addresses.banned
    assert sum(each.addresses for each in banned) == total.addresses
    assert sum(each.addresses * each.bans for each in banned) == total.bans
    assert sum(each.bans for each in made.addresses.ban_times) == total.bans
    assert sum(each.bans for each in made.attacks.classes) == total.bans
    assert sum(each.bans for each in made.jails.jails) == total.bans
    crosses = (made.attacks.by_country, made.attacks.by_service, made.whom.by_host)
    assert {_bans_of(cross) for cross in crosses} == {total.bans}
    assert sum(cell.bans for cell in made.attacks.by_service.cells) == total.bans
    if {each.host for each in seen.told} & {*HOSTS[:2]}:
        assert _bans_of(made.whom.by_host_country) == total.bans
    coverage = made.coverage
    known = coverage.to_city + coverage.to_country
    assert known + coverage.unknown == total.addresses
    assert coverage.unknown == made.everything.countries.unknown
    assert coverage.to_city == total.addresses - made.everything.cities.unknown


@SLOW_STORE
@given(SEEN)
def test_percentages_are_of_the_base_and_add_up(seen: Seen) -> None:
    """All of a ranking and the unknown are 100 % of the addresses it is about."""
    with stored(seen) as store:
        made = figures(store, top=1000)

    for scope in _scopes(made):
        for ranking in (scope.countries, scope.organisations, scope.cities):
            shares = ranking.shares
            assert ranking.base == scope.measure.addresses
            assert ranking.count == len(shares)
            addresses = sum(share.addresses for share in shares)
            assert addresses + ranking.unknown == ranking.base
            percent = sum(share.percent for share in shares)
            unknown = 100 * ranking.unknown / max(ranking.base, 1)
            assert abs(percent + unknown - 100 * bool(ranking.base)) < 1e-9
            assert all(0 < share.percent <= 100 for share in shares)
            assert all(share.bans >= share.addresses for share in shares)
        subnets = scope.subnets.shares
        assert sum(share.addresses for share in subnets) == scope.measure.addresses
        assert sum(share.bans for share in subnets) == scope.measure.bans


@SLOW_STORE
@given(SEEN)
def test_each_line_of_a_ranking_has_its_own_key(seen: Seen) -> None:
    """What two lines of a table are about can be told apart."""
    with stored(seen) as store:
        made = figures(store, top=1000)

    for ranking in _rankings(made):
        keys = [share.key for share in ranking.shares]
        assert len({*keys}) == len(keys)
        assert "" not in keys


@SLOW_STORE
@given(SEEN)
@example(
    Seen(
        told=(
            *(Told(ip=ip, at=OCTOBER) for ip in ("198.18.0.1", "198.18.0.2")),
            *(
                Told(ip="198.18.0.3", at=OCTOBER + n * DAY, jail="postfix")
                for n in (1, 2)
            ),
        ),
        known=(
            place("198.18.0.1", COUNTRIES[0], (64500, "EXAMPLE")),
            place("198.18.0.2", COUNTRIES[0], (64500, "EXAMPLE")),
            place("198.18.0.3", ("NL", "The Netherlands"), (64501, "Example")),
        ),
    )
)
def test_what_is_one_has_one_name_in_every_table(seen: Seen) -> None:
    """Countries and organisations are called alike for all, a service and a host."""
    with stored(seen) as store:
        made = figures(store, top=1000)

    every: tuple[Scope | HostFigures, ...] = (*_scopes(made), *made.hosts.hosts)
    countries = {(one.key, one.name) for of in every for one in of.countries.shares}
    assert len({key for key, _ in countries}) == len(countries)
    organisations = {
        (number, one.name)
        for of in every
        for one in of.organisations.shares
        for number in one.key.split(", ")
    }
    assert len({number for number, _ in organisations}) == len(organisations)
    names = {name for _, name in organisations}
    assert {one.organisation for one in made.addresses.offenders} <= {None, *names}


@SLOW_STORE
@given(SEEN, st.integers(1, 4))
def test_ties_are_never_cut(seen: Seen, top: int) -> None:
    """Whatever is equal to the last line shown is shown."""
    with stored(seen) as store:
        short, long = figures(store, top=top), figures(store, top=1000)

    for some, every in zip(_rankings(short), _rankings(long), strict=True):
        kept = [each for each in every.shares if each.rank <= top]
        assert list(some.shares) == kept
        assert some.tied is None
        ranks = Counter(each.addresses for each in every.shares)
        for each in every.shares:
            ahead = sum(many for found, many in ranks.items() if found > each.addresses)
            assert each.rank == 1 + ahead
    offenders = long.addresses.offenders
    assert short.addresses.offenders == tuple(
        each for each in offenders if each.rank <= top
    )
    names = long.names.names
    assert short.names.names == tuple(each for each in names if each.rank <= top)


@settings(max_examples=5)
@given(st.integers(0, 3), st.sampled_from((MOST_TIED, MOST_TIED + 1, MOST_TIED + 40)))
def test_too_many_that_are_tied_are_told_by_their_number(ahead: int, tied: int) -> None:
    """All of them are listed, or none is and it is told how many there are."""
    ips = [f"198.18.{number % 250}.{number // 250 + 1}" for number in range(tied)]
    first = [f"198.19.0.{number}" for number in range(ahead)]
    told = [
        Told(ip=ip, at=OCTOBER + timedelta(hours=many), names=("root", ip))
        for ip, bans in (*((ip, 2) for ip in ips), *((ip, 3) for ip in first))
        for many in range(bans)
    ]
    with stored(Seen(tuple(told))) as store:
        made = figures(store, top=ahead + 2).addresses

    listed = [each.ip for each in made.offenders]
    if tied <= MOST_TIED:
        assert (len(listed), made.tied) == (ahead + tied, None)
    else:
        assert listed == first
        assert made.tied is not None
        assert (made.tied.rank, made.tied.count, made.tied.each) == (
            ahead + 1,
            tied,
            2,
        )


@SLOW_STORE
@given(SEEN, st.randoms(use_true_random=False))
def test_the_order_in_the_store_makes_no_difference(seen: Seen, random: Any) -> None:
    """Bans that came in any order give the same figures."""
    told, known = list(seen.told), sorted(seen.known, key=lambda one: one.looked_up_at)
    newest = tuple({each.ip: each for each in known}.values())
    mixed = list(told)
    random.shuffle(mixed)
    with (
        _all_at_once(tuple(told), newest) as one,
        _all_at_once(tuple(mixed), newest[::-1]) as other,
    ):
        assert figures(one) == figures(other)


@contextmanager
def _all_at_once(
    told: tuple[Told, ...], known: tuple[Enrichment, ...]
) -> Iterator[ReportStore]:
    with TemporaryDirectory() as folder:
        store = ReportStore(Path(folder) / "bans.db")
        store.add(told, known)
        yield store


@SLOW_STORE
@given(SEEN, st.integers(2, 4))
def test_shares_come_to_the_same_as_the_whole(seen: Seen, shares: int) -> None:
    """Addresses that are counted in parts add up, also those that are tied."""
    with stored(seen) as store:
        whole = counted_in_shares(store, 1, top=2)
        parts = counted_in_shares(store, shares, top=2)

    assert _told(parts) == _told(whole)


def _told(part: Part) -> tuple[object, ...]:
    """Give what is told of counts: what parts keep besides may differ."""
    every = (None, *tables.services(part))
    naming = Naming.of(part, organisation_of)
    return (
        [places.scope(part, each, naming, top=2) for each in every],
        part.offenders.listed(2, {ip: ip for ip in part.offenders.kept}),
        part.widest,
        tables.attacks(part, 2),
        tables.names(part, 2),
        tables.whom(part, 2),
        tables.scanners(part, left_out=False),
        tables.coverage(part),
        tables.jails(part, SERVICES, frozenset()),
        hosts.hosts(part, naming, {}, top=2, days=31),
        world.world(part),
        (part.quarters, part.banned, part.ban_times),
        (part.several_services, part.repeats, part.cidr_bans),
    )


@SLOW_STORE
@given(SEEN)
def test_an_address_is_where_its_newest_look_up_says(seen: Seen) -> None:
    """Of several look-ups that bans have, the one made last tells of their address."""
    with stored(seen) as store:
        made = figures(store, top=1000)
        with store.writing() as connection:
            rows = connection.execute(
                "SELECT bans.ip, country_code FROM bans JOIN enrichments AS e "
                "ON e.id = enrichment_id WHERE banned_at >= '2024-10-01' "
                "AND banned_at < '2024-11-01' "
                "ORDER BY looked_up_at, e.id"
            ).fetchall()
    there = {row["ip"]: row["country_code"] for row in rows}

    of = Counter(there.get(ip) for ip in {each.ip for each in counted(seen)})
    assert made.everything.countries.unknown == of.pop(None, 0)
    assert of == Counter(
        {share.key: share.addresses for share in made.everything.countries.shares}
    )


@SLOW_STORE
@given(SEEN, st.sampled_from(ZONES), st.sampled_from((3, 4, 10, 11)))
@example(Seen(()), "Australia/Lord_Howe", 10)
def test_days_and_hours_of_any_zone_add_up(seen: Seen, zone: str, number: int) -> None:
    """Also where clocks change, and where they are a quarter of an hour off."""
    asked = month(2024, number, zone)
    there = ZoneInfo(zone)
    moved = tuple(
        replace(told, at=told.at + (asked.since - OCTOBER)) for told in seen.told
    )
    local = [
        told.at.astimezone(there)
        for told in moved
        if asked.since <= told.at < asked.until and told.jail != "recidive"
    ]
    with stored(Seen(moved)) as store:
        made = figures(store, asked)

    assert {day.day: day.bans for day in made.times.days if day.bans} == Counter(
        at.date() for at in local
    )
    assert {day.day.month for day in made.times.days} == {number}
    hours = Counter((at.weekday(), at.hour) for at in local)
    assert hours == {
        (day, hour): bans
        for day, of_day in enumerate(made.times.hours)
        for hour, bans in enumerate(of_day)
        if bans
    }
