"""The log lines that an alert shows, and what it says of the others."""

from __future__ import annotations

import re

import pytest

from f2b_enrich.model import LogLine
from tests.alerts import an_alert
from tests.reading import text


def lines(*positions: int) -> tuple[LogLine, ...]:
    return tuple(LogLine(position=at, line=f"line {at}") for at in positions)


@pytest.mark.parametrize(
    ("positions", "handed_over", "heading", "gaps"),
    [
        (range(1), 1, "the only line that fail2ban", []),
        (range(40), 40, "all 40 lines that fail2ban", []),
        (range(40), 0, "all 40 lines that fail2ban", []),
        (range(41), 41, "first 20 and last 20 of 41 lines", ["1 line"]),
        (
            range(1500),
            1500,
            "first 20 and last 20 of 1500 lines",
            ["1,460 lines"],
        ),
        (
            [*range(20), *range(80, 100)],
            100,
            "first 20 and last 20 of 100",
            ["60 lines"],
        ),
        (range(5), 9, "5 of 9 lines", ["4 lines"]),
        ([3, 5], 7, "2 of 7 lines", ["3 lines", "1 line", "1 line"]),
    ],
)
def test_the_log_says_what_of_it_is_shown(
    positions: list[int], handed_over: int, heading: str, gaps: list[str]
) -> None:
    alert = an_alert(ban={"lines_received": handed_over}, lines=lines(*positions))

    body = text(alert)

    assert f"LOG     {heading}" in body
    assert re.findall(r"^  \.\.\. (.*) left out \.\.\.$", body, re.MULTILINE) == gaps
    assert len(re.findall(r"^  line \d+$", body, re.MULTILINE)) <= 40


def test_a_log_line_is_cut_and_made_harmless() -> None:
    line = "GET http://1.1.1.1/x www.a.b \x1b[31m\u202e" + "a" * 300

    body = text(an_alert(lines=(LogLine(position=0, line=line),)))

    assert "links made harmless, cut at 200 characters " in " ".join(body.split())
    assert "\n  GET hxxp://1[.]1[.]1[.]1/x www[.]a[.]b \u241b[31m\ufffda" in body
    assert "a" * 200 not in body


def test_the_same_line_in_a_row_is_shown_once() -> None:
    same = ["a", "a ", "a", "b", "a"]
    log = tuple(LogLine(position=at, line=line) for at, line in enumerate(same))

    body = text(an_alert(lines=log, ban={"lines_received": 5}))

    assert "all 5 lines that fail2ban" in body
    assert "\n  a (3 times)\n  b\n  a\n" in body


def test_lines_between_which_some_are_missing_are_not_put_together() -> None:
    log = (LogLine(position=0, line="a"), LogLine(position=2, line="a"))

    body = text(an_alert(lines=log, ban={"lines_received": 3}))

    assert "LOG     2 of 3 lines" in body
    assert "\n  a\n  ... 1 line left out ...\n  a\n" in body


def test_a_secret_is_masked_even_where_its_line_is_cut() -> None:
    line = "x" * 180 + " http://anna:" + "s3cret" * 30 + "@192.0.2.7/?token=s3cret"

    body = text(an_alert(lines=(LogLine(position=0, line=line),)))

    assert "hxxp://anna:***" in body
    assert "s3cret" not in body
