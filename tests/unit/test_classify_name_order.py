"""Names in the order of the alphabet are a second class, and never the first."""

from __future__ import annotations

from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.attacks import Attack
from f2b_enrich.classify.classifier import Classifier, Told
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.name_order import MANY_NAMES, NAME_ORDER_RULE
from f2b_enrich.classify.rules import Rule, shipped

CLASSIFIER = Classifier(shipped(), shipped_jails())
ENUMERATION = "user-name-enumeration"
HOST = "Nov 21 20:13:22 host"


def failed(*names: str) -> list[str]:
    text = "sshd[7]: Failed password for invalid user {} from 192.0.2.7 port 9 ssh2"
    return [f"{HOST} {text.format(name)}" for name in names]


def classes(*lines: str, jail: str = "sshd") -> list[tuple[str, int]]:
    found = CLASSIFIER.classify(lines, jail=jail)
    return [(one.attack, one.lines) for one in found]


def test_a_to_z_is_an_enumeration_too() -> None:
    found = CLASSIFIER.classify(failed(*ascii_lowercase), jail="sshd")

    assert [one.attack for one in found] == ["ssh-password-guessing", ENUMERATION]
    assert found[1] == Attack(attack=ENUMERATION, lines=26, rules=(NAME_ORDER_RULE,))


def test_each_line_says_so_besides_its_own_class() -> None:
    told = CLASSIFIER.lines(failed("root", *"abcdef"))

    assert told[0] == Told(attack="ssh-password-guessing", rule="sshd-failed")
    assert {one.also for one in told[1:]} == {ENUMERATION}
    assert {one.rule for one in told} == {"sshd-failed"}


@pytest.mark.parametrize(
    "names",
    [
        "abcde",
        "fedcba",
        "aaaaaa",
        "abcabcabc",
        ("admin", "root", "test", "user", "zabbix"),
        # Six rise, of fifteen: a list of guesses.
        (*"zyxwvutsr", *"abcdef"),
    ],
)
def test_other_names_are_none(names: tuple[str, ...]) -> None:
    assert classes(*failed(*names)) == [("ssh-password-guessing", len(names))]


def test_a_name_may_be_tried_again_and_in_any_case() -> None:
    assert classes(*failed(*"aaBbcCddeeff"))[1] == (ENUMERATION, 12)


def test_it_never_leads_though_it_has_most_lines() -> None:
    rule = Rule(
        name="own",
        pattern="^(?P<username>[a-z])$",
        example="a",
        shows={"username": "a"},
    )
    reader = Classifier([rule], shipped_jails())
    lines = list("abcdefgh")

    assert reader.classify(lines, jail="postfix-sasl") == (
        Attack(attack="mail-password-guessing"),
        Attack(attack=ENUMERATION, lines=8, rules=(NAME_ORDER_RULE,)),
    )
    assert reader.lines(lines) == (
        Told(attack=ENUMERATION, rule=NAME_ORDER_RULE),
    ) * len(lines)


def test_a_line_that_shows_it_alone_is_not_told_twice() -> None:
    lines = [
        f"{HOST} qmail: CHKUSER rejected rcpt: from <a@mail.example::> remote "
        f"<pc7:unknown:192.0.2.7> rcpt <{name}@shop.example> : not existing recipient"
        for name in "abcdef"
    ]

    assert classes(*lines) == [(ENUMERATION, 6)]


def test_lines_that_stand_for_more_count_for_more() -> None:
    lines = failed(*"abcdef")
    again = lines[-1].split("]: ")[1]
    lines.append(f"{HOST} sshd[7]: message repeated 4 times: [ {again}]")

    assert classes(*lines)[1] == (ENUMERATION, 10)


def test_six_are_needed() -> None:
    assert MANY_NAMES == 6


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)))
def test_any_names_are_read(names: list[str]) -> None:
    lines = failed(*names)

    told = CLASSIFIER.lines(lines)

    assert len(told) == len(lines)
    assert sum(one.also is not None for one in told) in {
        0,
        *range(MANY_NAMES, len(lines) + 1),
    }
