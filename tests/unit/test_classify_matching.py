"""All rules together match what each matches alone, and long lines are cut."""

from __future__ import annotations

import random

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.matching import MAX_LINE, MOST_REPEATS, Matcher
from f2b_enrich.classify.rules import Rule, RuleError, options, shipped

SHIPPED = shipped()
MATCHER = Matcher(SHIPPED)
ALONE = [re2.compile(rule.pattern, options()) for rule in SHIPPED]

PIECES = (
    "x from 198.51.100.9 port 1 ssh2",
    'a "quoted" name',
    "/../../etc/passwd",
    '" 404 ',
    "GET /.env HTTP/1.1",
    "sshd[1]: ",
    "\ufffd\u2400\u202e",
    *"[]<>()\"':= ",
)


@given(
    example=st.sampled_from([rule.example for rule in SHIPPED]),
    pieces=st.lists(st.sampled_from(PIECES)),
    at=st.integers(0, 200),
)
def test_all_rules_at_once_match_as_each_alone(
    example: str, pieces: list[str], at: int
) -> None:
    line = example[:at] + "".join(pieces) + example[at:]

    (matched,) = MATCHER.match([line])

    alone = [at for at, rule in enumerate(ALONE) if rule.search(line.encode())]
    assert matched.rules == tuple(alone)
    assert matched.times == 1


@given(st.lists(st.text(st.characters())))
def test_any_lines_are_read_each_for_itself(lines: list[str]) -> None:
    together = list(MATCHER.match(lines))

    assert together == [one for line in lines for one in MATCHER.match([line])]
    assert all(len(one.text) <= MAX_LINE for one in together)


def test_a_repeated_line_stands_for_more_but_not_for_any_number() -> None:
    text = "Nov 21 20:13:22 host sshd[7]: message repeated {} times: [ Invalid user a]"

    (some, many) = MATCHER.match([text.format(3), text.format(999_999_999)])

    assert some.times == 3
    assert some.text == b"Nov 21 20:13:22 host sshd[7]: Invalid user a"
    assert many.times == MOST_REPEATS


def test_rules_are_told_in_their_order_past_any_number_of_them() -> None:
    rules = [
        Rule(
            name=f"own-{at}", pattern=f"^{'x' if at % 7 else 'y'}", example="", shows={}
        )
        for at in range(150)
    ]

    (matched,) = Matcher(rules).match(["y"])

    assert matched.rules == tuple(range(0, 150, 7))


def test_many_long_texts_that_rules_need_are_looked_for() -> None:
    chance = random.Random(1)
    needs = [
        tuple("".join(chance.choices("abcdefgh ", k=60)) for _ in range(2))
        for _ in range(3_000)
    ]
    matcher = Matcher(
        Rule(name=f"own-{at}", pattern="here", example="", shows={}, needs=texts)
        for at, texts in enumerate(needs)
    )

    found = [
        one.rules
        for one in matcher.match([f"{needs[2_987][1]} here", "here", needs[0][0]])
    ]

    assert found == [(2_987,), (), ()]


@pytest.mark.parametrize("where", ["pattern", "needs"])
def test_rules_that_need_too_much_room_together_are_refused(where: str) -> None:
    long = "x" * 60_000
    rules = [
        Rule(
            name=f"own-{at}",
            pattern=f"{long}{at}" if where == "pattern" else "x",
            example="",
            shows={},
            needs=(f"{long}{at}",) if where == "needs" else (),
        )
        for at in range(70)
    ]

    with pytest.raises(RuleError) as caught:
        Matcher(rules)

    assert caught.value.problems == (
        "rules 'own-0' to 'own-69' together need more than 4 MiB",
    )
