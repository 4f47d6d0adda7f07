"""A report as text, read by somebody who was not told what it is."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.report import text_words as words
from f2b_enrich.report.as_text import NARROWEST, lines
from f2b_enrich.report.figures import Figures
from f2b_enrich.report.figures_addresses import Addresses, BannedTimes, BanTime
from f2b_enrich.report.figures_attacks import Names
from f2b_enrich.report.figures_places import Hosts, Whom
from f2b_enrich.report.figures_rankings import Cell, Cross, Measure, Ranking, Tied
from f2b_enrich.report.figures_sources import Coverage, Jails
from f2b_enrich.report.figures_times import Day
from f2b_enrich.report.text_layout import paragraph
from f2b_enrich.report.text_zone import by_clocks_of
from f2b_enrich.tables import columns_of
from tests.report_sample import (
    NO_CROSS,
    NO_RANKING,
    NOTHING,
    empty,
    hostile,
    jail,
    offender,
    ranking,
    sample,
    scope,
    worst,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPORTS = (sample, empty, worst, hostile)


def text(figures: Figures, width: int = 80) -> str:
    return "\n".join(lines(figures, zone=UTC, width=width))


def section(figures: Figures, title: str) -> list[str]:
    """Give the lines of one section, without its heading."""
    all_lines = list(lines(figures, zone=UTC))
    [start] = [at for at, line in enumerate(all_lines) if line.startswith(title)]
    rest = all_lines[start + 1 :]
    return rest[: rest.index("")] if "" in rest else rest


@pytest.mark.parametrize("width", [40, NARROWEST, 80, 132])
@pytest.mark.parametrize("report", REPORTS)
def test_no_line_is_wider_than_the_screen(
    report: Callable[[], Figures], width: int
) -> None:
    widest = max(columns_of(line) for line in lines(report(), zone=UTC, width=width))

    assert widest <= max(width, NARROWEST)


@pytest.mark.parametrize("report", REPORTS)
def test_no_text_of_an_attacker_moves_the_cursor(
    report: Callable[[], Figures],
) -> None:
    for line in lines(report(), zone=UTC):
        assert line.isprintable()
        assert line == line.rstrip()


@pytest.mark.parametrize("report", REPORTS)
def test_sections_are_apart_by_one_empty_line(report: Callable[[], Figures]) -> None:
    found = text(report())

    assert "\n\n\n" not in found
    assert not found.startswith("\n")
    assert not found.endswith("\n")


@given(st.text(max_size=300), st.integers(12, 90))
def test_a_paragraph_keeps_its_words_and_its_width(words: str, width: int) -> None:
    found = list(paragraph(words, width=width, first="  1  ", rest="     "))

    assert all(columns_of(line) <= width for line in found)


def test_the_findings_come_first_and_what_the_words_mean_before_them() -> None:
    found = text(sample())

    order = ("not a break-in", "the machine's, not the person's", "LOOK AT", "TOTALS")
    places = [found.replace("\n", " ").index(part) for part in order]
    assert places == sorted(places)


def test_all_times_are_those_of_the_zone_whatever_it_is_called() -> None:
    east = timezone(timedelta(hours=14))
    month = sample()
    nameless = replace(month, period=replace(month.period, zone="<+14>-14"))

    told = by_clocks_of(east, nameless)
    found = " ".join("\n".join(lines(nameless, zone=east)).split())

    assert "2024-10-01 14:00 to 2024-11-01 14:00, <+14>-14; made" in found
    assert {when.utcoffset() for when in times_in(told)} == {timedelta(hours=14)}
    assert list(times_in(told)) == list(times_in(nameless))


def times_in(value: object) -> Iterator[datetime]:
    """Give all times within figures."""
    if isinstance(value, datetime):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from times_in(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from times_in(each)


def test_totals_stand_beside_those_of_the_time_before() -> None:
    found = section(sample(), "TOTALS")

    assert found[:6] == [
        "                     October 2024  September 2024  change",
        "  bans                        186             150  +24.0%",
        "  addresses                    93              80  +16.2%",
        "  failed attempts           1,130           1,400  -19.3%",
        "  hosts with bans               3               3    same",
        "  days with records      28 of 31        30 of 30",
    ]
    assert "  Not counted: 41 bans that only repeat others" in "\n".join(found)


def test_without_records_of_the_time_before_nothing_is_compared() -> None:
    found = "\n".join(section(replace(sample(), before=None), "TOTALS"))

    assert "change" not in found
    assert "do not cover all of September 2024" in found


def test_every_percentage_names_its_base() -> None:
    found = text(sample()).splitlines()

    for at, line in enumerate(found):
        if " percent " not in line or ":" in line:
            continue
        heading = found[at - 1]
        assert "percent of" in heading, heading


def test_an_address_on_two_services_is_explained() -> None:
    found = " ".join(section(sample(), "SERVICES"))

    assert "5 addresses were banned on more than one service" in found


def test_a_note_stands_beside_the_tables_of_its_service() -> None:
    note = "  Note on SSH: SSH looks low because it listens on port 2222"

    assert note in section(sample(), "SERVICES")
    assert note in section(sample(), "SSH ALONE: 6 bans of 4 addresses")


def test_a_ranking_shows_ranks_ties_and_what_is_not_known() -> None:
    found = section(sample(), "COUNTRIES, ALL SERVICES: percent of 93 addresses")

    assert found[0] == "  rank  country              addresses  percent  bans"
    assert found[-3:] == [
        "     5  T\u00fcrkiye (TR)                 4     4.3%     9",
        "     5  United Kingdom (GB)          4     4.3%     7",
        "  country not known: 4 addresses (4.3%)",
    ]


def test_no_table_of_places_goes_without_its_caveat() -> None:
    found = [
        line
        for line in lines(sample(), zone=UTC)
        if line.startswith(("COUNTRIES,", "CITIES,"))
    ]

    assert len(found) == 6
    assert all(line.endswith("; where the machine is") for line in found)


def test_ties_that_are_not_listed_are_one_line() -> None:
    found = section(sample(), "NETWORKS, ALL SERVICES")

    assert found[-1] == "  and 82 more with 1 address each, tied for rank 4"


def test_what_a_network_is_stands_above_them() -> None:
    told = " ".join(lines(sample(), zone=UTC))

    assert "NETWORKS, ALL SERVICES: percent of 93 addresses; a network is a /24" in told


def test_an_organisation_without_a_number_is_its_name_alone() -> None:
    month = sample()
    rows = [("name example", "Example", 2, 2, ""), ("AS64500", "Other", 1, 1, "")]
    everything = replace(month.everything, organisations=ranking(rows, 60))

    found = section(replace(month, everything=everything), "ORGANISATIONS, ALL")

    assert [line.split()[1:-3] for line in found[1:3]] == [
        ["Example"],
        ["Other", "(AS64500)"],
    ]


def test_networks_of_one_address_each_are_one_line() -> None:
    month = sample()
    rows = [(f"192.0.2.{at}", "", 1, 1, "") for at in range(60)]
    everything = replace(month.everything, subnets=ranking(rows, 60))

    found = section(replace(month, everything=everything), "NETWORKS, ALL SERVICES")

    assert found == ["  60 networks with 1 address each"]


def test_networks_that_are_all_tied_are_told_with_their_addresses() -> None:
    month = sample()
    all_tied = Ranking(
        shares=(),
        base=260,
        count=130,
        unknown=0,
        tied=Tied(rank=1, count=130, each=2),
    )
    everything = replace(month.everything, subnets=all_tied)

    found = section(replace(month, everything=everything), "NETWORKS, ALL SERVICES")

    assert found == ["  130 networks with 2 addresses each, tied for rank 1"]


def test_a_change_between_unequal_records_is_told_as_such() -> None:
    found = " ".join(" ".join(section(sample(), "TOTALS")).split())

    assert "The change is of 28 days with records against 30, not of equal" in found


def test_the_only_service_is_not_ranked_twice() -> None:
    month = sample()

    found = text(replace(month, services=month.services[:1]))

    assert "SERVICES" in found
    assert "ALONE" not in found


def test_a_gap_is_no_zero_and_a_quiet_day_is() -> None:
    found = section(sample(), "BANS BY DAY")

    assert found[11] == "  Sat 2024-10-12     -  gap: no records"
    assert found[19] == "  Sun 2024-10-20     0"
    assert found[14].startswith("  Tue 2024-10-15    12  ####")
    assert found[-1] == (
        "  Gap: no records of mail1.example.org on 2024-10-20; usually 3.0 bans a day"
    )


@pytest.mark.parametrize(
    ("count", "noun", "rows"), [(31, "DAY", 31), (32, "WEEK", 5), (500, "MONTH", 17)]
)
def test_long_times_are_told_by_weeks_and_months(
    count: int, noun: str, rows: int
) -> None:
    days = tuple(
        Day(day=date(2024, 7, 1) + timedelta(days=at), bans=1, state="data")
        for at in range(count)
    )
    times = replace(sample().times, days=days, outages=())

    found = section(replace(sample(), times=times), f"BANS BY {noun}: ")

    assert len(found) == rows
    assert sum(int(line.split("#")[0].split()[-1]) for line in found) == count


def test_a_week_says_what_part_of_it_is_not_recorded() -> None:
    month = sample().times
    more = tuple(
        Day(day=date(2024, 11, 1) + timedelta(days=at), bans=0, state="after")
        for at in range(12)
    )
    times = replace(month, days=month.days + more)

    found = section(replace(sample(), times=times), "BANS BY WEEK: ")

    assert found[1].endswith("2 days without records")
    assert found[2].endswith("1 day without records")
    assert found[5] == "  Mon 2024-11-04     -  after the records end"


def test_the_hours_add_up() -> None:
    found = section(sample(), "BANS BY WEEKDAY AND HOUR")

    rows = [[int(cell) for cell in line.split()[1:]] for line in found[1:]]
    assert len(rows) == 7
    assert all(sum(row[:-1]) == row[-1] for row in rows)
    assert sum(row[-1] for row in rows) == 186


def test_an_offender_is_told_with_hosts_ban_times_and_neighbours() -> None:
    found = " ".join(" ".join(section(sample(), "REPEAT OFFENDERS")).split())

    assert found.startswith("1 192.0.2.62: 17 bans, 85 attempts; NL, Example Hosting")
    assert "; jails nginx-botsearch, postfix-sasl, sshd; 2024-10-02 to" in found
    assert "ban time 10 min at first, 7 d at most" in found
    assert "neighbours: 4 other addresses of 192.0.2.0/24, 16 bans" in found
    assert "longest ban time for ever" in found
    assert found.endswith("and 6 more with 5 bans each, tied for rank 4")


def test_hosts_that_are_not_named_are_counted() -> None:
    month = sample()
    wide = replace(offender(), host_count=43, hosts=("a", "b", "c", "d"))
    addresses = replace(month.addresses, offenders=(wide,))

    found = " ".join(section(replace(month, addresses=addresses), "REPEAT OFFENDERS"))

    assert " on a, b, c and 40 more; jails" in found


def test_of_many_offenders_who_are_tied_the_first_are_told_in_full() -> None:
    month = sample()
    found = tuple(offender(1, f"192.0.2.{last}", 2) for last in range(60))
    addresses = replace(month.addresses, offenders=found, tied=None)

    told = section(replace(month, addresses=addresses), "REPEAT OFFENDERS")

    assert sum("neighbours" in line for line in told) == 10
    assert sum("192.0.2." in line and "bans" in line for line in told) >= 60


def test_addresses_that_came_often_are_counted_together() -> None:
    month = sample()
    banned = tuple(BannedTimes(bans=bans, addresses=2) for bans in range(1, 200))
    addresses = replace(month.addresses, banned=banned)

    found = section(replace(month, addresses=addresses), "BANS OF ONE ADDRESS")

    assert found[1].startswith("  once ")
    assert found[6].split()[:4] == ["6", "to", "10", "times"]
    assert sum(int(line.split("times")[-1].split()[0]) for line in found[3:]) == 394


def test_the_last_row_of_ban_times_says_that_later_ones_are_in_it() -> None:
    month = sample()
    growth = tuple(
        BanTime(number=number, bans=8, median_seconds=600, for_ever=0)
        for number in (9, 10)
    )
    addresses = replace(month.addresses, ban_times=growth)

    found = section(replace(month, addresses=addresses), "GROWTH OF BAN TIME")

    assert found[1].split()[:2] == ["9th", "8"]
    assert found[2].split()[:4] == ["10th", "or", "later", "8"]


def test_a_class_against_countries_shows_what_is_outside_of_it() -> None:
    found = section(sample(), "ATTACKS BY COUNTRY")

    assert found[0].split() == [
        *("class", "/", "country"),
        "US",
        "NL",
        "SG",
        "DE",
        "TR",
        "GB",
    ]
    assert found[1].split() == ["WordPress", "probe", *"123.56"]
    assert found[-1] == "  11 bans of another or unknown class or country"


def test_what_does_not_fit_beside_is_counted_below() -> None:
    month = sample()
    codes = [f"{first}{second}" for first in "ABCDE" for second in "KLMNOP"]
    table = Cross(
        rows=(("web1", "web1"),),
        columns=tuple((code, code) for code in codes),
        cells=tuple(
            Cell(row="web1", column=code, addresses=1, bans=2) for code in codes
        ),
        others=5,
    )
    whom = replace(month.whom, by_host=table)

    found = section(replace(month, whom=whom), "WHO ATTACKS WHICH HOST")

    shown = found[1].count(" 1")
    assert 10 < shown < len(codes)
    assert found[-1].startswith(f"  {5 + 2 * (len(codes) - shown)} bans of another")


def test_names_of_one_address_are_counted_not_told() -> None:
    found = " ".join(section(sample(), "USER NAMES TRIED"))

    assert "Not shown: 41 names" in found
    names = Names(base=3, left_out=3, names=())
    found = " ".join(section(replace(sample(), names=names), "USER NAMES TRIED"))
    assert "No user name was tried by two addresses." in found


def test_both_totals_are_told_when_scanners_were_there() -> None:
    found = section(sample(), "KNOWN SCANNERS")

    assert found[-3:] == [
        "  with scanners            93   186     1,130",
        "    Example Scan           20    24",
        "  without scanners         73   162     1,005",
    ]


def test_ipinfo_is_named_where_places_are_its() -> None:
    assert (
        section(sample(), "PLACES KNOWN")[-1] == "  IP address data powered by IPinfo"
    )


def test_ten_thousand_jails_stay_readable() -> None:
    jails = tuple(
        replace(jail(f"jail{at}", "other", 1, 1), is_known=False)
        for at in range(10_000)
    )

    found = section(replace(sample(), jails=Jails(jails=jails, left_out=())), "JAILS")

    assert len(found) < 20
    assert "  and 9,990 more jails" in found
    assert "jail9 and 9,990 more" in " ".join(" ".join(found).split())


def test_an_empty_time_is_short_and_says_why() -> None:
    found = list(lines(empty(), zone=UTC))

    assert "  No ban in this time." in found
    assert "  All days: before the records begin" in found
    assert len(found) < 25


def test_one_ban_reads_as_one() -> None:
    one = Measure(bans=1, addresses=1, attempts=5)
    countries = ranking([("NL", "Netherlands", 1, 1, "")], 1)
    rankings = (countries, NO_RANKING, NO_RANKING, ranking([], 1, unknown=1))
    figures = replace(
        empty(),
        totals=replace(
            empty().totals,
            measure=one,
            days_covered=31,
            hosts=1,
            repeats=1,
            cidr_bans=1,
        ),
        everything=scope(None, one, rankings=rankings),
        services=(scope("ssh", one, rankings=rankings),),
        addresses=Addresses(
            banned=(BannedTimes(bans=1, addresses=1),),
            offenders=(),
            tied=None,
            ban_times=(BanTime(number=1, bans=1, median_seconds=None, for_ever=1),),
        ),
    )

    found = text(figures)

    assert "percent of 1 address\n" in found
    assert "1 addresses" not in found
    assert "1 bans" not in found
    assert "No address was banned twice." in found
    assert "The network of no address is known." in found


def test_nothing_known_of_any_address_is_said_once_a_table() -> None:
    month = sample()
    unknown = ranking([], 93, unknown=93)
    stranger = replace(offender(), country_code=None, organisation=None)
    figures = replace(
        month,
        everything=scope(None, month.totals.measure, rankings=4 * (unknown,)),
        services=(),
        addresses=replace(month.addresses, offenders=(stranger,)),
        coverage=Coverage(
            to_city=0, to_country=0, unknown=93, looked_up_later=0, sources=()
        ),
        whom=Whom(by_host=NO_CROSS, by_host_country=NO_CROSS),
    )

    found = text(figures)

    assert found.count("of no address is known.") == 4
    assert "None" not in found
    assert "WHO ATTACKS" not in found
    assert section(figures, "PLACES KNOWN")[-1].split() == [
        "not",
        "known",
        "93",
        "100.0%",
    ]


@pytest.mark.parametrize(
    ("ip", "subnet"),
    [
        ("2001:db8:5::9", "2001:db8:5::/64"),
        ("198.51.100.0/22", "198.51.100.0/22"),
        ("not an address", "the same subnet"),
    ],
)
def test_neighbours_are_told_of_any_kind_of_address(ip: str, subnet: str) -> None:
    month = sample()
    addresses = replace(month.addresses, offenders=(offender(1, ip),))

    found = " ".join(section(replace(month, addresses=addresses), "REPEAT OFFENDERS"))

    assert f"{ip}: 17 bans" in found
    assert f"4 other addresses of {subnet}, 16 bans" in found


def test_services_without_bans_have_no_tables() -> None:
    month = sample()
    figures = replace(month, services=(*month.services, scope("ftp", NOTHING)))

    assert "FTP ALONE: 0 bans of 0 addresses" in text(figures)
    assert "FTP: percent" not in text(figures)


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        *((0, 0, "-"), (5, 0, "new"), (5, 5, "same"), (6, 5, "+20.0%")),
        *((0, 5, "-100.0%"), (50, 5, "x 10")),
    ],
)
def test_a_change_is_told_as_people_say_it(now: int, before: int, told: str) -> None:
    assert words.change(now, before) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-1, "for ever"), (None, "not known"), (0, "0 s"), (93_784, "1 d 2 h")],
)
def test_ban_times_are_told_in_two_units(seconds: int | None, told: str) -> None:
    assert words.span(seconds) == told


def test_a_little_is_not_nothing() -> None:
    assert [words.percent(value) for value in (0, 0.04, 0.05, 100)] == [
        *("0.0%", "<0.1%", "0.1%", "100.0%"),
    ]


def test_numbers_have_their_endings() -> None:
    assert [words.ordinal(number) for number in (1, 2, 3, 11, 112, 1_001)] == [
        *("1st", "2nd", "3rd", "11th", "112th", "1,001st"),
    ]


def test_hosts_stand_with_what_most_of_their_addresses_are() -> None:
    assert section(sample(), "HOSTS: ranked by addresses; one may be on several") == [
        "  rank  host               addresses  bans  most on  most from",
        "     1  web2.example.org          42    76  web      United States",
        "     2  web1.example.org          40    61  web      United States",
        "     3  mail1.example.org         24    49  mail     United States",
    ]


def test_one_host_is_no_table() -> None:
    found = sample().hosts
    alone = replace(found, count=1, hosts=found.hosts[:1])

    assert "HOSTS" not in text(replace(sample(), hosts=alone))


def test_hosts_that_are_not_listed_are_counted() -> None:
    found = sample().hosts
    tied = Tied(rank=1, count=120, each=1)
    none = Hosts(count=120, hosts=(), tied=tied)
    first = Hosts(count=7, hosts=found.hosts)

    assert section(replace(sample(), hosts=none), "HOSTS") == [
        "  120 hosts with 1 address each, tied for rank 1"
    ]
    assert section(replace(sample(), hosts=first), "HOSTS")[-1] == (
        "  and 4 more hosts with fewer addresses"
    )


def test_a_host_whose_first_countries_are_tied_names_one_and_counts_the_others() -> (
    None
):
    first, *others = sample().hosts.hosts
    two = ranking([("DE", "Germany", 2, 2, ""), ("NL", "Netherlands", 2, 2, "")], 4)
    hosts = Hosts(count=3, hosts=(replace(first, countries=two), *others))

    assert section(replace(sample(), hosts=hosts), "HOSTS")[1].endswith(
        "Germany and 1 more"
    )
