"""Tests of the findings: each with its numbers, and none where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.report import findings
from f2b_enrich.report.figures_rankings import Measure
from f2b_enrich.report.part import Part
from tests.report_events import (
    DAY,
    DUTCH,
    GERMAN,
    HOUR,
    OCTOBER,
    SEPTEMBER,
    ReportStore,
    Told,
    banned,
    daily,
    figures,
    finding_of,
    place,
)
from tests.report_sample import NO_RANKING, ranking, scope

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty(tmp_path: Path) -> ReportStore:
    """Give a store without bans."""
    return ReportStore(tmp_path / "bans.db")


def test_the_month_before_and_the_largest_change(empty: ReportStore) -> None:
    """The totals before are those of September; what changed most is a finding."""
    before = list(daily(SEPTEMBER, 30))
    now = list(daily(OCTOBER, 31, bans=4))
    empty.add(daily(SEPTEMBER - DAY, 1))
    known = [place(each.ip, GERMAN if each in before else DUTCH) for each in before]
    empty.add(before, known)
    empty.add(now, [place(each.ip, DUTCH) for each in now])
    made = figures(empty)

    assert made.before is not None
    assert made.before.measure == Measure(bans=30, addresses=30, attempts=150)
    assert (made.before.days, made.before.days_covered) == (30, 30)
    finding = finding_of(made, "change")
    assert finding is not None
    assert (
        finding.text
        == "More addresses from Netherlands: 124, after 0 in September 2024."
    )
    assert finding.numbers == {"addresses": 124, "before": 0, "of": "from Netherlands"}


def test_a_month_that_lacks_days_is_not_compared(empty: ReportStore) -> None:
    """September has records of half its days: that October has more means nothing."""
    empty.add(daily(SEPTEMBER - DAY, 10, bans=3))
    empty.add(daily(OCTOBER - 8 * DAY, 39, bans=3))
    empty.add(banned(["198.18.9.1", "198.18.9.2"], OCTOBER, "port-scan"))
    made = figures(empty)

    assert made.before is not None
    assert made.before.days_covered < made.before.days
    assert finding_of(made, "change") is None
    assert finding_of(made, "new-class") is None


def test_small_changes_are_nofinding_of(empty: ReportStore) -> None:
    """What chance may be is not told."""
    empty.add(daily(SEPTEMBER - DAY, 62))
    made = figures(empty)

    assert made.before is not None
    assert finding_of(made, "change") is None


def test_a_new_class_of_attack(empty: ReportStore) -> None:
    """It is told with the bans and addresses it has, if those are two at least."""
    empty.add(daily(SEPTEMBER - DAY, 62))
    ips = [f"198.18.9.{number}" for number in (1, 2, 3)]
    empty.add(banned([*ips, ips[0]], OCTOBER, "phpunit-probe"))
    empty.add(banned(ips[:1], OCTOBER + DAY, "port-scan"))
    made = figures(empty)

    finding = finding_of(made, "new-class")
    assert finding is not None
    assert finding.text == (
        "New: PHPUnit probe, 4 bans of 3 addresses, none in September 2024."
    )
    assert finding.numbers == {"attack": "phpunit-probe", "bans": 4, "addresses": 3}


def test_a_jail_that_went_quiet(empty: ReportStore) -> None:
    """It had ten bans at least, and has none."""
    empty.add(daily(SEPTEMBER - DAY, 62))
    empty.add(daily(SEPTEMBER, 12, jail="postfix"))
    empty.add(daily(SEPTEMBER, 9, jail="dovecot"))
    finding = finding_of(figures(empty), "quiet-jail")

    assert finding is not None
    assert finding.numbers == {"jail": "postfix", "before": 12}
    left_out = figures(empty, without_jails=("postfix",))
    assert finding_of(left_out, "quiet-jail") is None
    assert finding_of(figures(empty, hosts=("web1",)), "quiet-jail") == finding


@pytest.mark.parametrize(
    "asked",
    [
        {"countries": ("unknown",)},
        {"networks": ("198.18.0.0/15",)},
        {"attacks": ("",)},
        {"without_scanners": True},
    ],
)
def test_a_jail_is_not_quiet_because_others_are_left_out(
    empty: ReportStore, asked: dict[str, Any]
) -> None:
    """Whom it bans meanwhile may be whom the report leaves out."""
    empty.add(daily(SEPTEMBER - DAY, 62))
    empty.add(daily(SEPTEMBER, 12, jail="postfix"))
    made = figures(empty, **asked)

    assert made.before is not None
    assert made.before.measure.bans
    assert finding_of(made, "quiet-jail") is None


def test_a_jail_is_not_quiet_where_days_are_missing(empty: ReportStore) -> None:
    """Without records of half the month nobody knows whether it was."""
    empty.add(daily(SEPTEMBER - DAY, 40))
    empty.add(daily(OCTOBER + 25 * DAY, 6))
    empty.add(daily(SEPTEMBER, 12, jail="postfix"))
    made = figures(empty)

    assert made.before is not None
    assert finding_of(made, "gap") is not None
    assert finding_of(made, "quiet-jail") is None


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        (1, "198.18.0.0 was banned on 3 hosts, 4 times in all."),
        (2, "198.18.0.1 was banned on 3 hosts, 4 times in all; 1 more on as many."),
        (120, "198.18.0.1 was banned on 3 hosts, 4 times in all; 119 more on as many."),
    ],
)
def test_the_address_that_most_hosts_banned(
    empty: ReportStore, addresses: int, told: str
) -> None:
    """Of several the one with the most bans is named, however many they are."""
    empty.add(
        Told(ip=f"198.18.0.{number}", at=OCTOBER + hour * HOUR, host=host)
        for number in range(addresses)
        for hour, host in enumerate(("web1", "web2", "mail1"))
    )
    worst = f"198.18.0.{min(addresses, 2) - 1}"
    empty.add([Told(ip=worst, at=OCTOBER + 9 * HOUR)])
    finding = finding_of(figures(empty), "several-hosts")

    assert finding is not None
    assert finding.text == told
    numbers = {"ip": worst, "hosts": 3, "bans": 4, "tied": addresses - 1}
    assert finding.numbers == {name: value for name, value in numbers.items() if value}


def test_a_share_that_is_little_is_not_nothing(empty: ReportStore) -> None:
    """A finding writes percentages as the tables do."""
    made = figures(empty)
    subnets = ranking([("198.18.0.0/24", "", 2, 2, "")], 10_000)
    measure = Measure(bans=10_000, addresses=10_000, attempts=10_000)
    compared = findings.Compared(
        now=Part(),
        before=None,
        before_label="",
        everything=scope(None, measure, rankings=(*3 * (NO_RANKING,), subnets)),
        times=made.times,
    )

    (finding,) = findings.findings(compared)

    assert "2 addresses (<0.1% of 10,000)" in finding.text


def test_the_worst_network_and_those_that_are_as_bad(empty: ReportStore) -> None:
    """Its numbers are in the sentence; one address makes no network."""
    empty.add(banned(["198.18.1.1", "198.18.2.1"], OCTOBER))
    assert figures(empty).findings == ()

    empty.add(banned(["198.18.1.2", "198.18.2.2", "198.18.2.2"], OCTOBER + DAY))
    finding = finding_of(figures(empty), "network")
    assert finding is not None
    assert finding.text == (
        "The worst network is 198.18.2.0/24: 2 addresses (50.0% of 4), 3 bans; "
        "1 more with as many addresses."
    )
