"""Many requests in little time are a flood, and who browses is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.classifier import Classifier, Told
from f2b_enrich.classify.flood import FLOOD_RULE, MANY_PAGES, MANY_REQUESTS
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.rules import shipped

CLASSIFIER = Classifier(shipped(), shipped_jails())

BEGAN = datetime(2026, 11, 21, 20, 13, 22, tzinfo=UTC)
FLOOD = Told(attack="request-flood", rule=FLOOD_RULE)


def asked(path: str, *, after: float = 0, by: str = "192.0.2.7") -> str:
    stamp = f"{BEGAN + timedelta(seconds=after):%d/%b/%Y:%H:%M:%S} +0000"
    return f'{by} - - [{stamp}] "GET {path} HTTP/1.1" 200 162 "-" "curl/8.5.0"'


def flooding(*lines: str) -> int:
    return sum(told == FLOOD for told in CLASSIFIER.lines(lines))


def test_many_pages_at_once_are_a_flood() -> None:
    lines = [asked(f"/?{number}") for number in range(MANY_PAGES)]

    (found,) = CLASSIFIER.classify(lines, jail="unheard-of")

    assert (found.attack, found.lines) == ("request-flood", MANY_PAGES)
    assert found.rules == (FLOOD_RULE,)
    assert flooding(*lines) == MANY_PAGES


def test_fewer_are_none() -> None:
    lines = [asked(f"/?{number}") for number in range(MANY_PAGES - 1)]

    assert flooding(*lines) == 0
    assert CLASSIFIER.classify(lines, jail="apache-404")[0].attack == "other"


def test_as_many_in_a_longer_time_are_none() -> None:
    # A jail that takes 20 in ten minutes, and one four times as fast.
    for pause in (30, 7.5, 0.4):
        lines = [asked(f"/{n}", after=n * pause) for n in range(MANY_PAGES)]

        assert flooding(*lines) == 0


def test_a_page_with_pictures_is_no_flood() -> None:
    pictures = [asked(f"/images/{n}.JPG".lower()) for n in range(30)]
    styles = [asked(f"/theme/{n}.css?v=7") for n in range(MANY_PAGES)]

    assert flooding(asked("/shop"), *pictures, *styles) == 0


def test_so_many_requests_are_one_whatever_they_are_for() -> None:
    assert flooding(*[asked("/logo.png")] * MANY_REQUESTS) == MANY_REQUESTS
    assert flooding(*[asked("/logo.png")] * (MANY_REQUESTS - 1)) == 0


def test_each_client_counts_for_itself() -> None:
    lines = [asked("/", by=f"198.51.100.{n}") for n in range(MANY_PAGES * 2)]

    assert flooding(*lines) == 0


def test_only_the_lines_of_the_flood_belong_to_it() -> None:
    before = [asked("/", after=-3600 + n) for n in range(5)]
    flood = [asked("/", after=n / 20) for n in range(MANY_PAGES + 7)]
    later = [asked("/", after=3600)]

    told = CLASSIFIER.lines([*before, *flood, *later])

    assert told == (*[Told()] * 5, *[FLOOD] * (MANY_PAGES + 7), Told())


def test_a_line_that_a_rule_tells_is_told_by_it() -> None:
    lines = [asked("/.env")] * MANY_PAGES

    assert flooding(*lines) == 0
    assert CLASSIFIER.classify(lines, jail="")[0].attack == "credentials-probe"


def test_probes_among_a_flood_are_a_class_of_their_own() -> None:
    lines = [asked("/.env"), *[asked("/")] * MANY_PAGES]

    assert [one.attack for one in CLASSIFIER.classify(lines, jail="")] == [
        "request-flood",
        "credentials-probe",
    ]


@pytest.mark.parametrize(
    "stamp",
    [
        "21/Nov/2026:99:99:99 +0000",
        "00/Foo/0000:00:00:00 +0000",
        "30/Feb/2026:00:00:00",
    ],
)
def test_stamps_that_are_no_time_are_no_flood(stamp: str) -> None:
    line = f'192.0.2.7 - - [{stamp}] "GET / HTTP/1.1" 200 1 "-" "-"'

    assert flooding(*[line] * MANY_PAGES) == 0


def test_a_stamp_in_a_users_name_is_not_read() -> None:
    # It would spread the requests over years.
    lines = [
        asked("/").replace(" - - [", f" - [21/Nov/{1990 + n}:20:13:22 +0000] [")
        for n in range(MANY_PAGES)
    ]

    assert flooding(*lines) == MANY_PAGES


def test_lines_before_the_first_one_are_left_out() -> None:
    lines = [asked("/", after=-n) for n in range(MANY_PAGES * 2)]

    assert flooding(*lines) == 0


def test_other_programs_lines_are_no_requests() -> None:
    line = (
        '2026/11/21 20:13:22 [error] 7#7: *7 open() "/srv/x" failed (2: No such file '
        "or directory), client: 192.0.2.7, server: shop.example, "
        'request: "GET /x HTTP/1.1"'
    )

    assert flooding(*[line] * MANY_REQUESTS) == 0


@given(
    seconds=st.lists(st.integers(-(10**9), 10**9), max_size=60),
    paths=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=60),
)
def test_any_times_and_paths_are_read(seconds: list[int], paths: list[str]) -> None:
    lines = [
        asked(path, after=after) for after, path in zip(seconds, paths, strict=False)
    ]

    assert len(CLASSIFIER.lines(lines)) == len(lines)
