"""Tests of the figures: months that are empty, odd, cut off or hard to compare."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.report.figures_addresses import BannedTimes
from f2b_enrich.report.figures_rankings import Measure
from f2b_enrich.report.figures_times import Outage
from tests.report_events import (
    DAY,
    DUTCH,
    GERMAN,
    HOUR,
    NOW,
    OCTOBER,
    SEPTEMBER,
    ReportStore,
    Told,
    banned,
    daily,
    figures,
    finding_of,
    month,
    place,
)

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.report.figures import Figures

NOTHING = Measure(bans=0, addresses=0, attempts=0)


@pytest.fixture
def empty(tmp_path: Path) -> ReportStore:
    """Give a store without bans."""
    return ReportStore(tmp_path / "bans.db")


def _states(made: Figures) -> str:
    """Write the states of the days by their first letters."""
    return "".join(day.state[0] for day in made.times.days)


def test_an_empty_store_has_nothing_to_say(empty: ReportStore) -> None:
    """All figures are there, without a line in any table."""
    made = figures(empty)

    assert made.totals.measure == NOTHING
    assert (made.totals.days, made.totals.days_covered) == (31, 0)
    assert (made.before, made.findings, made.services) == (None, (), ())
    assert _states(made) == 31 * "b"
    assert made.everything.countries.shares == ()
    assert sum(map(sum, made.times.hours)) == 0
    assert made.attacks.by_country.cells == made.whom.by_host.cells == ()


def test_an_empty_month_of_few_bans_is_quiet(empty: ReportStore) -> None:
    """Of two days with bans nobody can tell whether the others are gaps or zeros."""
    empty.add(daily(SEPTEMBER, 1))
    empty.add(daily(OCTOBER + 31 * DAY, 1))
    made = figures(empty)

    assert made.totals.measure == NOTHING
    assert (made.totals.days_covered, _states(made)) == (0, 31 * "q")
    assert (made.times.outages, made.findings) == ((), ())


def test_days_between_few_bans_are_quiet(empty: ReportStore) -> None:
    """Two days of a month have bans; with fourteen the others are zeros."""
    empty.add(daily(OCTOBER, 1))
    empty.add(daily(OCTOBER + 28 * DAY, 1))
    made = figures(empty)

    assert _states(made) == "d" + 27 * "q" + "d" + 2 * "q"
    assert (made.totals.days_covered, made.times.outages) == (2, ())

    empty.add(told for day in range(3, 27, 2) for told in daily(OCTOBER + day * DAY, 1))
    assert _states(figures(empty)) == 31 * "d"


def test_one_ban(empty: ReportStore) -> None:
    """One ban of one address is all of everything, and nothing worth a finding."""
    empty.add([Told(ip="198.18.0.1", at=OCTOBER)], [place("198.18.0.1", DUTCH)])
    made = figures(empty)

    assert made.totals.measure == Measure(bans=1, addresses=1, attempts=5)
    assert [(each.name, each.percent) for each in made.everything.countries.shares] == [
        ("Netherlands", 100.0)
    ]
    assert made.addresses.banned == (BannedTimes(bans=1, addresses=1),)
    assert (made.addresses.offenders, made.findings, made.before) == ((), (), None)


def test_addresses_without_a_look_up_are_unknown(empty: ReportStore) -> None:
    """Imported bans that nothing is known of make up tables without lines."""
    empty.add(daily(OCTOBER, 3, bans=2))
    made = figures(empty)

    for ranking in (
        made.everything.countries,
        made.everything.organisations,
        made.everything.cities,
    ):
        assert (ranking.base, ranking.unknown, ranking.shares) == (6, 6, ())
    coverage = made.coverage
    assert (coverage.to_city, coverage.to_country, coverage.unknown) == (0, 0, 6)
    assert coverage.sources == ()
    unknown = figures(empty, countries=("unknown",))
    assert unknown.totals.measure == made.totals.measure
    assert made.attacks.by_country.columns == (("", "not known"),)


def test_a_look_up_that_somebody_deleted_is_none(empty: ReportStore) -> None:
    """The bans that had it count as theirs of an address of which nothing is known."""
    ips = ("198.18.0.1", "198.18.0.2", "198.18.0.3")
    known = [place(ip, DUTCH, (64500, "Example")) for ip in ips]
    empty.add(banned(ips, OCTOBER), known)
    later = place(ips[1], GERMAN, at=OCTOBER - DAY)
    empty.add(banned(ips[:2], OCTOBER + DAY), [later])
    with empty.writing() as connection:
        connection.execute(
            "DELETE FROM enrichments WHERE country_code = 'NL' AND ip != ?", (ips[2],)
        )
    made = figures(empty)

    assert made.totals.measure == Measure(bans=5, addresses=3, attempts=25)
    countries = made.everything.countries
    assert countries.unknown == 1
    assert [(each.key, each.bans) for each in countries.shares] == [
        ("DE", 2),
        ("NL", 1),
    ]


def test_a_day_with_bans_has_records_in_any_zone(empty: ReportStore) -> None:
    """Also in winter, where only then clocks are half an hour off, and few bans are."""
    zone = ZoneInfo("Australia/Lord_Howe")
    at = datetime(2024, 6, 16, 0, 15, tzinfo=zone)
    empty.add(banned(["198.18.0.1"], at.astimezone(UTC)))
    made = figures(
        empty,
        since=datetime(2024, 1, 1, tzinfo=zone).astimezone(UTC),
        until=datetime(2025, 1, 1, tzinfo=zone).astimezone(UTC),
        zone=zone,
        now=datetime(2025, 2, 1, tzinfo=UTC),
    )

    assert [(day.day, day.state) for day in made.times.days if day.bans] == [
        (date(2024, 6, 16), "data")
    ]


def test_addresses_of_ipv6_are_counted_by_64(empty: ReportStore) -> None:
    """Two of a /64 are neighbours, and two addresses."""
    ips = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    empty.add(banned([*ips, ips[0]], OCTOBER))
    made = figures(empty)

    assert made.totals.measure.addresses == 3
    assert [(each.key, each.addresses) for each in made.everything.subnets.shares] == [
        ("2001:db8::/64", 2),
        ("2001:db8:0:1::/64", 1),
    ]
    (worst,) = made.addresses.offenders
    assert (worst.ip, worst.neighbours, worst.neighbours_bans) == (ips[0], 1, 1)


def test_cidr_bans_are_one_address_each(empty: ReportStore) -> None:
    """A banned network counts once, within its subnet, and is told apart."""
    ips = ("198.18.3.0/25", "198.18.3.9", "198.18.0.0/16", "2001:db8::/48")
    empty.add(banned(ips, OCTOBER))
    made = figures(empty)

    assert (made.totals.cidr_bans, made.totals.measure.addresses) == (3, 4)
    assert [(each.key, each.addresses) for each in made.everything.subnets.shares] == [
        ("198.18.3.0/24", 2),
        ("198.18.0.0/16", 1),
        ("2001:db8::/48", 1),
    ]
    within = figures(empty, networks=("198.18.0.0/17",))
    assert within.totals.measure.addresses == 2


def test_ban_times_that_end_never_or_nobody_knows_when(empty: ReportStore) -> None:
    """The median is of those with an end; for ever is longest."""
    times = (600, 1200, 3600, -1, None)
    empty.add(
        Told(ip="198.18.0.1", at=OCTOBER + number * HOUR, bantime=each)
        for number, each in enumerate(times)
    )
    made = figures(empty).addresses

    (growth,) = made.ban_times
    assert (growth.number, growth.bans) == (1, 5)
    assert (growth.median_seconds, growth.for_ever) == (1200, 1)
    (worst,) = made.offenders
    assert (worst.first_bantime, worst.longest_bantime) == (600, -1)


def test_ban_times_that_are_not_known_at_all(empty: ReportStore) -> None:
    """No time is made up."""
    empty.add(
        Told(ip="198.18.0.1", at=OCTOBER + number * HOUR, bantime=None)
        for number in range(2)
    )
    made = figures(empty).addresses

    (growth,), (worst,) = made.ban_times, made.offenders
    assert (growth.median_seconds, growth.for_ever) == (None, 0)
    assert (worst.first_bantime, worst.longest_bantime) == (None, None)


def test_bans_where_clocks_change(empty: ReportStore) -> None:
    """The hour that comes twice in Berlin has the bans of both, and no day is lost."""
    change = datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    empty.add(banned(["198.18.0.1"], change - HOUR))
    empty.add(banned(["198.18.0.2"], change))
    empty.add(banned(["198.18.0.3"], change + HOUR))
    made = figures(empty, month(zone="Europe/Berlin"))

    assert made.times.hours[6][:4] == (0, 1, 2, 0)
    assert {str(day.day): day.bans for day in made.times.days if day.bans} == {
        "2024-10-27": 3
    }
    assert len(made.times.days) == 31


def test_years_end_in_the_zone_of_the_report(empty: ReportStore) -> None:
    """A ban at 23:30 UTC of New Year's Eve is one of January in Berlin."""
    empty.add([Told(ip="198.18.0.1", at=datetime(2024, 12, 31, 23, 30, tzinfo=UTC))])
    here, there = month(2024, 12), month(2025, 1, "Europe/Berlin")
    now = datetime(2025, 2, 1, tzinfo=UTC)

    assert figures(empty, here, now=now).totals.measure.bans == 1
    made = figures(empty, there, now=now)
    assert made.times.days[0].day == date(2025, 1, 1)
    assert made.times.days[0].bans == made.times.hours[2][0] == 1
    assert figures(empty, month(2025, 1), now=now).totals.measure.bans == 0


def test_ten_thousand_jails(empty: ReportStore) -> None:
    """A jail for each virtual host is no trouble."""
    empty.add(
        Told(ip=f"198.18.{number % 250}.1", at=OCTOBER + number * DAY / 400, jail=jail)
        for number, jail in enumerate(f"vhost-{number}" for number in range(10_000))
    )
    made = figures(empty)

    assert len(made.jails.jails) == 10_000
    assert {(each.service, each.is_known) for each in made.jails.jails} == {
        ("other", False)
    }
    assert made.totals.measure.bans == 10_000
    assert made.totals.measure.addresses == 250


def test_records_that_begin_within_the_month(empty: ReportStore) -> None:
    """Days before the first record are no zeros, nor is there a month before."""
    empty.add(daily(OCTOBER + 10 * DAY, 21))
    made = figures(empty)

    assert _states(made) == 10 * "b" + 21 * "d"
    assert made.totals.days_covered == 21
    assert made.before is None


@pytest.mark.parametrize(
    ("span", "begun", "is_compared"),
    [
        (HOUR, timedelta(minutes=80), False),
        (HOUR, timedelta(minutes=120), True),
        (DAY, timedelta(hours=40), False),
        (DAY, timedelta(hours=48), True),
        (6 * DAY, timedelta(days=11, hours=13), False),
        (7 * DAY, timedelta(days=13, hours=13), True),
        (7 * DAY, timedelta(days=12, hours=13), False),
        (7 * DAY + HOUR, timedelta(days=14, hours=1), False),
    ],
)
def test_a_comparison_needs_records_of_all_its_time(
    empty: ReportStore, span: timedelta, begun: timedelta, *, is_compared: bool
) -> None:
    """Of a week or more of whole days the first may lack hours, of others nothing."""
    until = OCTOBER + 20 * DAY
    empty.add(banned(["198.18.0.1"], until - begun))
    asked = replace(
        month(), since=until - span, until=until, before_since=until - 2 * span
    )

    assert (figures(empty, asked).before is not None) == is_compared


def test_a_class_that_leads_no_ban_has_its_lines(empty: ReportStore) -> None:
    """It is in the table of classes, but in none of those of bans and addresses."""
    shown = (("ssh-password-guessing", 4), ("ssh-protocol-abuse", 3))
    leading = shown[0][0]
    empty.add([Told(ip="198.18.0.1", at=OCTOBER, attack=leading, shown=shown)])
    made = figures(empty).attacks

    assert [
        (each.attack, each.addresses, each.bans, each.lines) for each in made.classes
    ] == [(leading, 1, 1, 4), (shown[1][0], 0, 0, 3)]
    for cross in (made.by_country, made.by_service):
        assert [key for key, _ in cross.rows] == [leading]


def test_rows_that_are_tied_are_in_tables_of_two_sides(empty: ReportStore) -> None:
    """Of three countries, or classes, that are equal none is left out by its name."""
    classes = ("port-scan", "phpunit-probe", "ssh-protocol-abuse")
    codes = (("NL", "Netherlands"), ("DE", "Germany"), ("FR", "France"))
    for number, (attack, country) in enumerate(zip(classes, codes, strict=True)):
        ip = f"198.18.{number}.1"
        empty.add(banned([ip], OCTOBER, attack), [place(ip, country)])
    empty.add(banned(["198.18.9.1"], OCTOBER), [place("198.18.9.1")])
    made = figures(empty, top=2)

    assert {key for key, _ in made.attacks.by_country.rows} > {*classes}
    for cross in (made.whom.by_host, made.whom.by_host_country):
        assert [key for key, _ in cross.rows] == ["FR", "DE", "NL"]
    assert made.whom.by_host.others == 1


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("UTC", 0.1),
        ("Asia/Kolkata", -5.4),
        ("Asia/Kathmandu", -5.7),
        ("America/St_Johns", 2.6),
    ],
)
def test_a_gap_has_whole_days_of_its_zone(
    empty: ReportStore, zone: str, hours: float
) -> None:
    """Bans shortly after midnight count for the day that has begun, in any zone."""
    first = OCTOBER + hours * HOUR
    empty.add(
        Told(ip="198.18.0.1", at=first + day * DAY)
        for day in range(31)
        if not 14 <= day < 20
    )
    made = figures(empty, month(zone=zone))

    (gap,) = made.times.outages
    assert (gap.first.day, gap.last.day) == (15, 20)
    assert _states(made) == 14 * "d" + 6 * "g" + 11 * "d"


def test_a_gap_is_told_with_its_days(empty: ReportStore) -> None:
    """Days of which nothing was recorded stand in the table and in a finding."""
    empty.add(daily(OCTOBER, 15, bans=4))
    empty.add(daily(OCTOBER + 20 * DAY, 11, bans=4))
    made = figures(empty)

    assert _states(made) == 15 * "d" + 5 * "g" + 11 * "d"
    gap = Outage(
        host=None, first=date(2024, 10, 16), last=date(2024, 10, 20), usual=4.0
    )
    assert made.times.outages == (gap,)
    finding = finding_of(made, "gap")
    assert finding is not None
    assert finding.text == (
        "No ban of any host is recorded from 2024-10-16 to 2024-10-20 (5 days); "
        "an ordinary day has 4."
    )
    assert (finding.numbers["days"], finding.numbers["usual"]) == (5, 4.0)


def test_three_days_are_a_gap(empty: ReportStore) -> None:
    """Where there are fifty bans a day, three days without any are no zeros."""
    empty.add(daily(OCTOBER, 9, bans=50))
    empty.add(daily(OCTOBER + 12 * DAY, 19, bans=50))
    made = figures(empty)

    assert _states(made) == 9 * "d" + 3 * "g" + 19 * "d"
    assert made.totals.days_covered == 28


def test_a_gap_over_the_end_of_the_month(empty: ReportStore) -> None:
    """A silence that began in September is none of zeros in October."""
    empty.add(daily(SEPTEMBER, 25))
    empty.add(daily(OCTOBER + 4 * DAY, 27))
    made = figures(empty)

    assert _states(made) == 4 * "g" + 27 * "d"
    assert [(each.first, each.last) for each in made.times.outages] == [
        (date(2024, 9, 26), date(2024, 10, 4))
    ]


def test_an_outage_of_one_host(empty: ReportStore) -> None:
    """One host is silent for a while, another for good; the days have others' bans."""
    empty.add(daily(OCTOBER, 31, bans=6))
    empty.add(daily(OCTOBER, 10, bans=6, host="web2"))
    empty.add(daily(OCTOBER + 18 * DAY, 13, bans=6, host="web2"))
    empty.add(daily(OCTOBER, 20, bans=6, host="mail1"))
    made = figures(empty)

    assert _states(made) == 31 * "d"
    assert [
        (each.host, each.first.day, each.last.day) for each in made.times.outages
    ] == [
        ("mail1", 21, 31),
        ("web2", 11, 18),
    ]
    finding = finding_of(made, "gap")
    assert finding is not None
    assert finding.numbers["host"] == "mail1"


def test_what_a_filter_leaves_is_no_outage(empty: ReportStore) -> None:
    """A host that bans only others meanwhile is not silent."""
    first, then = list(daily(OCTOBER, 15, bans=6)), OCTOBER + 15 * DAY
    empty.add(first, [place(each.ip, DUTCH) for each in first])
    empty.add(daily(then, 8, bans=6, jail="postfix"))
    empty.add(daily(then + 8 * DAY, 8, bans=6))

    for asked in (
        replace(month(), services=("ssh",)),
        replace(month(), countries=("NL",)),
    ):
        made = figures(empty, asked)
        assert made.totals.measure.bans
        assert made.times.outages == ()
        assert _states(made) == 31 * "d"


def test_hosts_have_records_of_their_own(empty: ReportStore) -> None:
    """A report of one host begins where its records do."""
    empty.add(daily(SEPTEMBER - DAY, 62))
    empty.add(daily(OCTOBER + 5 * DAY, 26, bans=2, host="web2"))
    made = figures(empty, hosts=("web2",))

    assert (made.totals.hosts, made.totals.measure.bans) == (1, 52)
    assert (_states(made), made.before) == (5 * "b" + 26 * "d", None)
    assert figures(empty, hosts=("web1",)).before is not None
    assert figures(empty, hosts=("nobody",)).totals.measure == NOTHING


def test_a_jail_that_is_left_out_is_counted_beside(empty: ReportStore) -> None:
    """It is in no table and no total, also not among the bans of an offender."""
    empty.add(
        Told(ip="198.18.0.1", at=OCTOBER + number * HOUR, jail=jail, host=jail)
        for number, jail in enumerate(("sshd", "sshd", "postfix", "recidive"))
    )
    made = figures(empty, without_jails=("postfix", "recidive", "dovecot"))

    assert made.totals.measure == Measure(bans=2, addresses=1, attempts=10)
    assert [(each.jail, each.bans) for each in made.jails.left_out] == [("postfix", 1)]
    assert made.totals.repeats == 1
    (worst,) = made.addresses.offenders
    assert (worst.bans, worst.jails, worst.hosts) == (2, ("sshd",), ("sshd",))
    assert [each.leaves_out for each in made.filters] == [True]


def test_both_totals_where_there_are_only_scanners(empty: ReportStore) -> None:
    """Without them nothing is left, which is said beside what there was."""
    ips = ("198.18.0.1", "198.18.0.2")
    empty.add(banned(ips, OCTOBER), [place(ip, DUTCH, scanner="Censys") for ip in ips])
    made = figures(empty, without_scanners=True)

    assert made.totals.measure == made.scanners.without == NOTHING
    assert made.scanners.everything == Measure(bans=2, addresses=2, attempts=10)
    assert (made.everything.countries.shares, made.findings) == ((), ())


def test_a_time_to_come_has_no_data(empty: ReportStore) -> None:
    """Its days are after the last record, and it is compared with nothing."""
    empty.add(daily(SEPTEMBER, 60, bans=2))
    made = figures(empty, month(2025, 3))

    assert (made.totals.days_covered, _states(made)) == (0, 31 * "a")
    assert made.findings == ()


def test_notes_stand_with_their_service(empty: ReportStore) -> None:
    """What the administrator says of a service is in its scope alone."""
    empty.add(daily(OCTOBER, 2))
    made = figures(empty, notes={"ssh": "SSH listens elsewhere.", "web": "-"})

    assert [scope.note for scope in (made.everything, *made.services)] == [
        "",
        "SSH listens elsewhere.",
    ]
    assert made.period.zone == ZoneInfo("UTC").key
    assert made.made_at == NOW
