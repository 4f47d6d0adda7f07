"""Tests of the digested figures of real stores: they agree, and none is small."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.report import summary_json
from f2b_enrich.report.summarising import summarise
from tests.report_events import (
    DAY,
    DUTCH,
    HOUR,
    OCTOBER,
    ReportStore,
    Told,
    banned,
    daily,
    figures,
    month,
    place,
)
from tests.report_sample import empty, hostile, sample, worst
from tests.report_seen import SEEN, SLOW_STORE, Seen, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.summary import Summary

DOCUMENTED = Path(__file__).parents[2] / "docs/reference/summary.schema.json"


@pytest.mark.parametrize("report", [sample, empty, worst, hostile])
@pytest.mark.parametrize("least", [1, 5, 1000])
def test_a_summary_follows_the_documented_schema(
    report: Callable[[], Figures], least: int
) -> None:
    schema = json.loads(DOCUMENTED.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.FormatChecker()
    )
    text = summary_json.dump(summarise(report(), least=least))

    validator.validate(json.loads(text))
    assert all(line.isprintable() for line in text.splitlines())


def test_the_schema_in_the_documentation_is_not_stale() -> None:
    assert summary_json.schema_text() == DOCUMENTED.read_text(encoding="utf-8"), (
        "python -m f2b_enrich.report.summary_json docs/reference"
    )


def test_a_zone_of_no_public_name_is_not_told() -> None:
    made = sample()
    there = replace(made.period, zone="/home/anna/clock")

    assert summarise(made, least=1).period.zone == made.period.zone
    assert summarise(replace(made, period=there), least=1).period.zone is None


def test_what_a_small_city_could_be_worked_out_from_is_not_told(
    tmp_path: Path,
) -> None:
    """Of a country with two cities and one small one, neither is told."""
    store = ReportStore(tmp_path / "bans.db")
    cities = [*("Amsterdam",) * 6, *("Haarlem",) * 2]
    ips = [f"198.51.100.{number}" for number in range(1, 9)]
    store.add(
        banned(ips, OCTOBER),
        [place(ip, DUTCH, city=city) for ip, city in zip(ips, cities, strict=True)],
    )
    told = summarise(figures(store), least=5)

    assert [(row.country_code, row.addresses) for row in told.countries] == [("NL", 8)]
    assert told.cities == ()
    (all_told,) = summarise(figures(store), least=2).countries
    assert all_told == told.countries[0]
    assert len(summarise(figures(store), least=2).cities) == 2


def test_the_only_small_day_takes_another_with_it(tmp_path: Path) -> None:
    store = ReportStore(tmp_path / "bans.db")
    for week, bans in enumerate((6, 7, 2)):
        store.add(daily(OCTOBER + 7 * week * DAY, 1, bans=bans))
    told = summarise(figures(store), least=5)

    tuesdays = [day for day in told.days if day.day.weekday() == 1]
    assert [day.bans for day in tuesdays[:3]] == [6, None, None]
    assert [day.state for day in tuesdays[:3]] == ["data", "few", "few"]


def test_of_too_few_nothing_is_told_not_even_when(tmp_path: Path) -> None:
    """One address: null beside zeros would be the hour of its ban."""
    store = ReportStore(tmp_path / "bans.db")
    store.add(banned([f"198.51.100.{number}" for number in range(9)], OCTOBER))
    store.add([Told(ip="192.0.2.7", at=OCTOBER + 9 * DAY, jail="postfix")])
    whole = summarise(figures(store), least=5)

    assert len(whole.days) == 31
    address = replace(month(), networks=("192.0.2.7/32",))
    for request in (address, replace(month(), jails=("postfix",))):
        made = figures(store, request)
        told = summarise(made, least=5)

        assert made.totals.measure.bans == 1
        assert (told.days, told.hours) == ((), ())
        totals = told.totals
        assert (totals.bans, totals.hosts, totals.days_covered) == (None, None, None)
        assert totals.days == 31


def test_many_bans_of_one_address_are_not_what_services_lack(tmp_path: Path) -> None:
    """It attacked two services: the one that is told would tell of the other."""
    store = ReportStore(tmp_path / "bans.db")
    ips = [f"198.51.100.{number}" for number in range(10)]
    store.add(banned(ips, OCTOBER))
    often = (OCTOBER + hour * HOUR for hour in range(1, 9))
    store.add([Told(ip=ips[0], at=at, jail="postfix", failures=900) for at in often])
    told = summarise(figures(store), least=5)

    assert (told.totals.addresses, told.totals.bans) == (10, 18)
    assert told.services == ()
    assert {row.service for row in summarise(figures(store), least=1).services} == {
        *("mail", "ssh")
    }


def test_few_that_attacked_two_services_are_not_counted(tmp_path: Path) -> None:
    store = ReportStore(tmp_path / "bans.db")
    ips = [f"198.51.100.{number}" for number in range(10)]
    store.add(banned(ips, OCTOBER))
    others = [*ips[:2], *(f"203.0.113.{number}" for number in range(6))]
    store.add([Told(ip=ip, at=OCTOBER + HOUR, jail="postfix") for ip in others])

    def services(least: int) -> list[str]:
        return [row.service for row in summarise(figures(store), least=least).services]

    assert services(2) == ["ssh", "mail"]
    assert services(3) == ["ssh"]


def test_the_number_of_a_network_of_few_is_not_told(tmp_path: Path) -> None:
    """An organisation's other network may have one address."""
    store = ReportStore(tmp_path / "bans.db")
    ips = [f"198.51.100.{number}" for number in range(9)]
    known = [place(ip, DUTCH, (64500, "Example")) for ip in ips]
    store.add(banned(ips, OCTOBER), known)
    (alone,) = summarise(figures(store), least=5).organisations
    store.add(
        banned(["192.0.2.7"], OCTOBER), [place("192.0.2.7", DUTCH, (64501, "Example"))]
    )
    (both,) = summarise(figures(store), least=5).organisations

    assert (alone.asn, alone.addresses) == (64500, 9)
    assert (both.asn, both.addresses) == (None, 10)


@SLOW_STORE
@given(SEEN, st.integers(1, 5))
def test_no_number_is_small_and_all_are_the_report_s(seen: Seen, least: int) -> None:
    """Nor is what a table lacks of the total, where its parts add up to that."""
    with stored(seen) as store:
        made = figures(store, top=1000)
    told = summarise(made, least=least)
    total = made.totals.measure
    if not total.addresses or total.addresses < least:
        assert not any((told.services, told.countries, told.cities, told.banned))
        assert bool(told.days) == bool(told.hours) == (not total.addresses)
        return

    assert (told.totals.bans, told.totals.addresses) == (total.bans, total.addresses)
    _agree(told, made)
    for rows in (told.countries, told.organisations, told.banned):
        _is_whole_or_lacks_enough(rows, total.addresses, least)
    for several in (told.services, told.attacks):
        assert all(row.addresses >= least for row in several)
        lacking = total.bans - sum(row.bans for row in several)
        assert not several or lacking == 0 or lacking >= least
        beside = total.addresses - sum(row.addresses for row in several)
        assert not several or beside == 0 or abs(beside) >= least
    for country in told.countries:
        inside = [
            each for each in told.cities if each.country_code == country.country_code
        ]
        _is_whole_or_lacks_enough(inside, country.addresses, least)
    _days_and_hours(told, made, least)


def _is_whole_or_lacks_enough(rows: Sequence[Any], total: int, least: int) -> None:
    assert all(row.addresses >= least for row in rows)
    lacking = total - sum(row.addresses for row in rows)
    assert not rows or lacking == 0 or lacking >= least


def _agree(told: Summary, made: Figures) -> None:
    countries = {each.key: each for each in made.everything.countries.shares}
    for row in told.countries:
        share = countries[row.country_code]
        assert (row.addresses, row.bans) == (share.addresses, share.bans)
    cities = {each.key: each for each in made.everything.cities.shares}
    for city in told.cities:
        share = cities[f"{city.country_code}/{city.region}/{city.city}"]
        assert (city.addresses, city.bans) == (share.addresses, share.bans)
    services = {each.service: each.measure for each in made.services}
    for service in told.services:
        measure = services[service.service]
        assert (service.addresses, service.bans) == (measure.addresses, measure.bans)
        assert service.attempts == measure.attempts


def _days_and_hours(told: Summary, made: Figures, least: int) -> None:
    of_days, of_hours = Counter[int](), Counter[int]()
    for shown, day in zip(told.days, made.times.days, strict=True):
        assert shown.bans == day.bans or (shown.bans is None and day.bans)
        assert (shown.state == "few") == (shown.bans is None)
        assert not shown.bans or shown.bans >= least
        of_days[day.day.weekday()] += day.bans if shown.bans is None else 0
    for weekday, (hours, counts) in enumerate(
        zip(told.hours, made.times.hours, strict=True)
    ):
        assert all(
            shown == count or shown is None
            for shown, count in zip(hours, counts, strict=True)
        )
        assert all(not shown or shown >= least for shown in hours)
        of_hours[weekday] = sum(counts) - sum(each for each in hours if each)
    sums = [sum(hours) for hours in made.times.hours]
    wholly = sum(
        total for weekday, total in enumerate(sums) if of_hours[weekday] == total
    )
    assert wholly == 0 or wholly >= least
    for weekday, total in enumerate(sums):
        for lacking in (of_days[weekday], of_hours[weekday]):
            assert lacking in {0, total} or lacking >= least
