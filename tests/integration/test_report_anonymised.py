"""Tests of the anonymised bans of real stores."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import read_address
from f2b_enrich.report.anonymised import Row, anonymise
from tests.report_events import (
    DAY,
    DUTCH,
    GERMAN,
    OCTOBER,
    SERVICES,
    ReportStore,
    Told,
    month,
    place,
)
from tests.report_seen import SEEN, SLOW_STORE, Seen, counted, stored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from f2b_enrich.model import Enrichment
    from f2b_enrich.report.anonymised import Anonymised

FIRST = "2024-10-01"
OF_OCTOBER = "2024-10"


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    return ReportStore(tmp_path / "bans.db")


def rows(
    store: ReportStore, least: int, *, by_month: bool = False, **changes: Any
) -> tuple[Counter[Row], Anonymised]:
    """Give the rows of October, or of what is asked for, and the tally."""
    asked = replace(month(), **changes)
    found = anonymise(store.path, asked, least=least, by_month=by_month)
    cells = list(found.cells())
    assert [row for row, _ in cells] == sorted({row for row, _ in cells}, key=_in_order)
    assert found.cell_count == len(cells)
    return Counter(dict(cells)), found


def _in_order(row: Row) -> tuple[Any, ...]:
    return tuple(
        value or ("" if number != 3 else 0) for number, value in enumerate(row)
    )


def addresses(number: int, *, net: str = "198.51.100") -> list[str]:
    return [f"{net}.{each + 1}" for each in range(number)]


def fill(
    store: ReportStore, ips: Iterable[str], known: Enrichment | None = None, **told: Any
) -> None:
    """Ban each address on the first day, where something is known of all of them."""
    told.setdefault("at", OCTOBER)
    ips = list(ips)
    looked_up = [replace(known, ip=ip) for ip in ips] if known else []
    store.add([Told(ip=ip, **told) for ip in ips], looked_up)


AMSTERDAM = place("x", DUTCH, (64500, "Example"), city="Amsterdam", region="Noord")
ROTTERDAM = place("x", DUTCH, (64500, "Example"), city="Rotterdam", region="Zuid")
HAARLEM = replace(AMSTERDAM, city="Haarlem")
BERLIN = place("x", GERMAN, (64501, "Other"), city="Berlin", region="Berlin")


def test_a_cell_of_enough_addresses_is_told_whole(store: ReportStore) -> None:
    fill(store, addresses(5), AMSTERDAM)
    found, tally = rows(store, 5)

    assert found == {Row("NL", "Noord", "Amsterdam", 64500, FIRST, "ssh"): 5}
    assert (tally.bans, tally.left_out, tally.steps) == (5, 0, (5, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"known": HAARLEM}, Row("NL", "Noord", None, 64500, FIRST, "ssh")),
        ({"known": ROTTERDAM}, Row("NL", None, None, 64500, FIRST, "ssh")),
        (
            {"known": replace(AMSTERDAM, asn=64502)},
            Row("NL", None, None, None, FIRST, "ssh"),
        ),
        (
            {"known": AMSTERDAM, "at": OCTOBER + DAY},
            Row("NL", None, None, None, OF_OCTOBER, "ssh"),
        ),
        ({"known": BERLIN}, Row(None, None, None, None, OF_OCTOBER, "ssh")),
        ({}, Row(None, None, None, None, OF_OCTOBER, "ssh")),
    ],
)
def test_what_two_have_in_common_is_told(
    store: ReportStore, other: dict[str, Any], told: Row
) -> None:
    """City, region, network, day and country go in turn."""
    fill(store, addresses(3), AMSTERDAM)
    fill(store, addresses(3, net="203.0.113"), **other)

    assert rows(store, 5)[0] == {told: 6}


def test_too_few_are_left_out_and_counted(store: ReportStore) -> None:
    fill(store, addresses(5), AMSTERDAM)
    fill(store, addresses(4, net="203.0.113"), BERLIN, jail="postfix")
    found, tally = rows(store, 5)

    assert found.total() == 5
    assert (tally.bans, tally.left_out) == (9, 4)


def test_one_address_that_is_banned_often_is_left_out(store: ReportStore) -> None:
    store.add(
        [Told(ip="192.0.2.7", at=OCTOBER + timedelta(hours=each)) for each in range(9)]
    )

    assert rows(store, 2)[1].left_out == 9
    assert rows(store, 1)[0].total() == 9


def test_addresses_of_one_ipv6_subnet_are_one(store: ReportStore) -> None:
    fill(store, [f"2001:db8::{each:x}" for each in range(1, 9)], AMSTERDAM)
    assert rows(store, 2)[1].left_out == 8

    fill(store, ["2001:db8:0:1::1"], AMSTERDAM)
    assert rows(store, 2)[1].left_out == 0


def test_an_unknown_city_and_one_that_is_not_told_are_alike(store: ReportStore) -> None:
    nowhere = replace(AMSTERDAM, city=None, region=None)
    fill(store, addresses(4, net="203.0.113"), nowhere)
    fill(store, addresses(1), AMSTERDAM)

    assert rows(store, 5)[0] == {Row("NL", None, None, 64500, FIRST, "ssh"): 5}


def test_a_day_is_one_of_utc(store: ReportStore) -> None:
    fill(store, addresses(2), AMSTERDAM, at=OCTOBER + DAY - timedelta(seconds=1))
    fill(store, addresses(2, net="203.0.113"), AMSTERDAM, at=OCTOBER + DAY)

    assert {row.date for row in rows(store, 2)[0]} == {FIRST, "2024-10-02"}


def test_months_alone_keep_the_places(store: ReportStore) -> None:
    for each, ip in enumerate(addresses(5)):
        fill(store, [ip], AMSTERDAM, at=OCTOBER + each * DAY)

    assert rows(store, 5, by_month=True)[0] == {
        Row("NL", "Noord", "Amsterdam", 64500, OF_OCTOBER, "ssh"): 5
    }


def test_a_longer_time_has_a_row_for_each_month(store: ReportStore) -> None:
    fill(store, addresses(5), at=OCTOBER)
    fill(store, addresses(5, net="203.0.113"), at=OCTOBER + 40 * DAY)
    found, _ = rows(store, 5, by_month=True, until=OCTOBER + 61 * DAY)

    assert {row.date for row in found} == {OF_OCTOBER, "2024-11"}


def test_repeats_and_left_out_jails_are_in_no_row(store: ReportStore) -> None:
    fill(store, addresses(5), jail="recidive")
    fill(store, addresses(5), jail="postfix")
    fill(store, addresses(5), jail="sshd")
    found, tally = rows(store, 5, without_jails=("postfix",))

    assert {row.service for row in found} == {"ssh"}
    assert tally.bans == 5


def test_what_guards_nothing_known_is_other(store: ReportStore) -> None:
    fill(store, addresses(5), jail="anna-lovelace")

    assert {row.service for row in rows(store, 5)[0]} == {"other"}


def test_confined_to_few_addresses_nothing_is_told(store: ReportStore) -> None:
    """Whoever asks for one subnet learns no more of it than of the whole."""
    fill(store, addresses(9), AMSTERDAM)
    found, tally = rows(store, 5, networks=("198.51.100.1/30",))

    assert not found
    assert (tally.bans, tally.left_out) == (3, 3)


def test_a_place_that_looks_like_an_address_is_not_told(store: ReportStore) -> None:
    odd = replace(AMSTERDAM, city="192.0.2.7", region="anna@site.example")
    fill(store, addresses(5), odd)

    assert set(rows(store, 5)[0]) == {Row("NL", None, None, 64500, FIRST, "ssh")}


def test_an_empty_store_has_no_rows(store: ReportStore) -> None:
    assert not rows(store, 5)[0]


@SLOW_STORE
@given(SEEN, st.integers(1, 5), st.booleans())
def test_each_row_may_be_any_of_enough_addresses(
    seen: Seen,
    least: int,
    by_month: bool,  # noqa: FBT001 - Hypothesis
) -> None:
    """Whatever was banned; and what is told and left out are all bans."""
    with stored(seen) as store:
        found, tally = rows(store, least, by_month=by_month)
        exact = _exact(store, seen)

    assert tally.bans == len(exact)
    assert found.total() == tally.bans - tally.left_out == sum(tally.steps)
    for row, bans in found.items():
        alike = [who for who, ban in exact if _may_be(row, ban)]
        assert len({*alike}) >= least
        assert least <= bans <= len(alike)
    if least == 1 and not by_month:
        assert found == Counter(ban for _, ban in exact)


def _exact(store: ReportStore, seen: Seen) -> list[tuple[str, Row]]:
    """Give who was banned and all that there is to tell, by the store's own words."""
    with store.writing() as connection:
        known = {
            each["ip"]: each
            for each in connection.execute(
                "SELECT bans.ip, country_code, region, city, asn FROM bans "
                "JOIN enrichments AS e ON e.id = enrichment_id "
                "WHERE banned_at >= '2024-10-01' AND banned_at < '2024-11-01' "
                "ORDER BY looked_up_at, e.id"
            )
        }
    return [(_who(told.ip), _row(told, known.get(told.ip))) for told in counted(seen)]


def _who(ip: str) -> str:
    return (":" in ip and read_address(ip).subnet) or ip


def _row(told: Told, known: Any) -> Row:
    code = known and known["country_code"]
    return Row(
        country_code=code or None,
        region=(code and known["region"]) or None,
        city=(code and known["city"]) or None,
        asn=(known and known["asn"]) or None,
        date=f"{told.at.astimezone(UTC):%Y-%m-%d}",
        service=SERVICES.get(told.jail, "other"),
    )


def _may_be(row: Row, ban: Row) -> bool:
    if row.service != ban.service or not ban.date.startswith(row.date):
        return False
    return all(
        told is None or told == there
        for told, there in zip(row[:4], ban[:4], strict=True)
    )
