"""Tests of the figures: a month that somebody published in tables comes out as told.

The published tables have two slips, which are right here: Ireland's 104 of 887 is
11.7 %, and Datacamp's 45 stand above Alibaba's 41.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.report import places
from f2b_enrich.report.figures_rankings import Measure
from f2b_enrich.report.naming import Naming
from f2b_enrich.report.world import world
from tests.report_events import (
    DAY,
    OCTOBER,
    ReportStore,
    counted_in_processes,
    figures,
    organisation_of,
)
from tests.report_october import NEIGHBOURS, WORST, october

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_rankings import Ranking, Scope
    from tests.report_events import Told


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ReportStore:
    """Put the month into a store, its bans in no order."""
    made = ReportStore(tmp_path_factory.mktemp("october") / "bans.db")
    month = october()
    Random(8).shuffle(month.told)
    made.add(month.told, month.known)
    return made


@pytest.fixture(scope="module")
def told(store: ReportStore) -> Figures:
    """Make its figures."""
    return figures(store)


def _scope(told: Figures, service: str) -> Scope:
    (found,) = (scope for scope in told.services if scope.service == service)
    return found


def _lines(ranking: Ranking) -> list[tuple[int, str, int, str]]:
    return [
        (each.rank, each.name, each.addresses, f"{each.percent:.1f}")
        for each in ranking.shares
    ]


def test_bans_and_addresses_are_counted_apart(told: Figures) -> None:
    """1,698 bans of 887 addresses; those on two services count once in the total."""
    measure = told.totals.measure

    assert (measure.bans, measure.addresses) == (1698, 887)
    assert {
        scope.service: (scope.measure.bans, scope.measure.addresses)
        for scope in told.services
    } == {"web": (1222, 692), "mail": (442, 190), "ssh": (34, 20)}
    assert told.several_services == 15
    assert 692 + 190 + 20 - told.several_services == 887
    assert (
        told.totals.hosts,
        told.totals.days,
        told.totals.days_covered,
        told.totals.repeats,
        told.totals.cidr_bans,
    ) == (3, 31, 31, 40, 0)


def test_ten_countries_and_the_one_that_is_tied_with_the_tenth(told: Figures) -> None:
    """Countries stand by their addresses, with percentages of all 887."""
    assert _lines(told.everything.countries) == [
        (1, "United States", 223, "25.1"),
        (2, "Singapore", 149, "16.8"),
        (3, "Ireland", 104, "11.7"),
        (4, "Germany", 75, "8.5"),
        (5, "Netherlands", 56, "6.3"),
        (6, "United Kingdom", 42, "4.7"),
        (7, "China", 40, "4.5"),
        (8, "Japan", 34, "3.8"),
        (9, "Hong Kong", 26, "2.9"),
        (10, "Australia", 25, "2.8"),
        (10, "France", 25, "2.8"),
    ]
    assert (
        told.everything.countries.base,
        told.everything.countries.unknown,
        told.everything.countries.count,
    ) == (887, 4, 19)


def test_the_first_five_countries_of_a_service(store: ReportStore) -> None:
    """Percentages are of the service's own addresses; a tie makes six of five."""
    told = figures(store, top=5)

    assert _lines(_scope(told, "mail").countries) == [
        (1, "United States", 77, "40.5"),
        (2, "Germany", 34, "17.9"),
        (3, "Netherlands", 24, "12.6"),
        (4, "Hong Kong", 15, "7.9"),
        (5, "Turkey", 7, "3.7"),
        (5, "United Kingdom", 7, "3.7"),
    ]
    assert _lines(_scope(told, "web").countries) == [
        (1, "Singapore", 146, "21.1"),
        (1, "United States", 146, "21.1"),
        (3, "Ireland", 104, "15.0"),
        (4, "Germany", 41, "5.9"),
        (5, "China", 37, "5.3"),
    ]


def test_the_first_five_organisations_of_a_service(store: ReportStore) -> None:
    """One of several AS numbers is one, and stands where its addresses put it."""
    told = figures(store, top=5)
    mail = _scope(told, "mail").organisations
    web = _scope(told, "web").organisations

    assert _lines(mail) == [
        (1, "Censys, Inc.", 58, "30.5"),
        (2, "DigitalOcean, LLC", 17, "8.9"),
        (2, "Ucloud Information Technology", 17, "8.9"),
        (4, "Amazon.com, Inc.", 11, "5.8"),
        (5, "Cheapy.host, LLC", 6, "3.2"),
        (5, "Cogent Communications", 6, "3.2"),
        (5, "IP Volume, Inc.", 6, "3.2"),
        (5, "Railnet", 6, "3.2"),
    ]
    assert _lines(web) == [
        (1, "Microsoft Corporation", 126, "18.2"),
        (2, "DigitalOcean, LLC", 92, "13.3"),
        (3, "Internet Utilities Europe & Asia", 81, "11.7"),
        (4, "Datacamp, Limited", 45, "6.5"),
        (5, "Alibaba", 41, "5.9"),
    ]
    noted = {each.name: (each.key, each.note) for each in (*mail.shares, *web.shares)}
    assert noted["Censys, Inc."] == ("AS398324, AS398705, AS398722", "multiple ASNs")
    assert noted["Alibaba"] == ("AS45102, AS134963", "multiple ASNs")
    assert noted["DigitalOcean, LLC"] == ("AS14061", "")


def test_the_worst_address_its_hosts_and_its_neighbours(told: Figures) -> None:
    """17 bans over all hosts, and 16 of others in its /24."""
    worst = told.addresses.offenders[0]

    assert (worst.rank, worst.ip, worst.bans) == (1, WORST, 17)
    assert {"mail1", "web1", "web2"} == {*worst.hosts}
    assert (len(NEIGHBOURS), 16) == (worst.neighbours, worst.neighbours_bans)
    assert worst.country_code == "NL"
    subnet = told.everything.subnets.shares[0]
    assert (subnet.key, subnet.addresses, subnet.bans) == ("198.18.62.0/24", 5, 33)


def test_attempts_of_password_guessing(told: Figures) -> None:
    """886 log lines show guesses of IMAP and POP3 passwords, told by that class."""
    (guessing,) = (
        each for each in told.attacks.classes if each.attack == "mail-password-guessing"
    )

    assert (guessing.bans, guessing.lines) == (221, 886)


def test_scanners_with_both_totals(store: ReportStore, told: Figures) -> None:
    """The totals with them and without are the same, whichever the report is about."""
    without = figures(store, without_scanners=True)
    everything = told.totals.measure

    assert (everything, everything) == (
        told.scanners.everything,
        without.scanners.everything,
    )
    assert without.totals.measure == without.scanners.without == told.scanners.without
    assert without.totals.measure.addresses == 887 - 58
    assert [(each.name, each.addresses) for each in without.scanners.scanners] == [
        ("Censys", 58)
    ]
    assert told.scanners.scanners == without.scanners.scanners
    assert _scope(without, "mail").measure.addresses == 132


def test_a_month_before_that_is_not_all_there_is_no_month_before(
    store: ReportStore, told: Figures
) -> None:
    """September has one second of records; November has a whole month before it."""
    assert told.before is None
    assert [each.kind for each in told.findings] == ["network", "several-hosts"]

    november = figures(
        store,
        since=OCTOBER.replace(month=11),
        until=OCTOBER.replace(month=12),
        before_since=OCTOBER,
    )
    assert november.before is not None
    assert told.totals == november.before
    assert Measure(bans=40, addresses=40, attempts=200) == november.totals.measure


def test_processes_count_the_same(store: ReportStore) -> None:
    """Each of two has half of the addresses, and together they come to the whole."""
    one = counted_in_processes(store, 1, top=10)
    two = counted_in_processes(store, 2, top=10)

    naming = Naming.of(one, organisation_of)
    assert Naming.of(two, organisation_of) == naming
    for service in (None, "mail", "web", "ssh"):
        assert places.scope(two, service, naming, top=10) == places.scope(
            one, service, naming, top=10
        )
    assert one.of_hosts == two.of_hosts
    assert world(one) == world(two)


def test_each_host_has_its_own_figures(told: Figures) -> None:
    """The worst address was on all three, and counts once on each of them."""
    bans: dict[str, list[Told]] = {}
    for each in october().told:
        if each.jail != "recidive" and OCTOBER <= each.at < OCTOBER + 31 * DAY:
            bans.setdefault(each.host, []).append(each)

    assert {each.host: each.measure for each in told.hosts.hosts} == {
        host: Measure(
            bans=len(of),
            addresses=len({each.ip for each in of}),
            attempts=sum(each.failures for each in of),
        )
        for host, of in bans.items()
    }
    (mail1,) = (each for each in told.hosts.hosts if each.host == "mail1")
    (mail,) = mail1.services
    assert (mail.service, mail.addresses, mail.bans) == (
        *("mail", mail1.measure.addresses, mail1.measure.bans),
    )
    assert _lines(mail1.countries) == [
        (1, "United States", 77, "40.5"),
        (2, "Germany", 34, "17.9"),
        (3, "Netherlands", 24, "12.6"),
        (4, "Hong Kong", 15, "7.9"),
        (5, "Turkey", 7, "3.7"),
        (5, "United Kingdom", 7, "3.7"),
    ]
    assert mail1.days == tuple(
        sum(1 for each in bans["mail1"] if each.at.day == day) for day in range(1, 32)
    )


def test_the_map_has_each_address_once(told: Figures) -> None:
    """Where nothing but the country is known it stands in the country's middle."""
    places = told.world.places

    assert [(each.country, each.city, each.addresses) for each in places[:3]] == [
        ("United States", "", 223),
        ("Singapore", "", 149),
        ("Ireland", "", 104),
    ]
    assert sum(each.addresses for each in places) + told.world.unplaced == 887
    assert told.world.unplaced == 4
